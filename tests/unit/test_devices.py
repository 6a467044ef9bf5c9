"""No tensor meets one of another device, although there is no card here.

    networks and inputs that only pretend to be on a card -> torch's own rules of propagation

Fake tensors have a device, a dtype and a shape but no numbers. An operator that is given one
on the card and one in main memory refuses them, as it would with a real card.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode

from acestep_core.conditions.tags import encode_tags
from acestep_core.config import GRIFFIN_LIM, VOCODER
from acestep_core.networks import lyric_encoder, transformer, umt5
from acestep_core.networks.memory import Resident
from acestep_core.networks.transformer import Transformer
from acestep_core.pipeline import make
from acestep_core.sampling.schedule import Step
from acestep_core.settings import SOLVER_NAMES
from acestep_core.sound import flaws, griffin_lim, mel
from acestep_core.sound.codec import Codec
from acestep_core.sound.tiles import Tiles
from acestep_core.tasks import kit, plans
from acestep_core.types import (
    Edit,
    Extend,
    Follow,
    Guidance,
    Inpaint,
    Latent,
    Lyrics,
    Recipe,
    Region,
    Retake,
    Sampling,
    Source,
    Tags,
    Task,
    TextToMusic,
)
from acestep_core.weights.checkpoint import PARTS, Target, put
from acestep_core.weights.lora import merged
from acestep_core.weights.model import Model, build
from acestep_core.weights.tiny import CONFIG

CARD, DTYPE = torch.device("cuda"), torch.bfloat16
STEPS = [Step(0, 2, 1.0, 0.5), Step(1, 2, 0.5, 0.0)]
SECONDS = 3.0
# Fakes are slow: two of each kind of layer, the second with ERG.
SIZES = replace(
    CONFIG,
    transformer=replace(
        CONFIG.transformer,
        num_layers=2,
        lyric_encoder=replace(CONFIG.transformer.lyric_encoder, num_blocks=2),
    ),
    text_encoder=replace(CONFIG.text_encoder, num_layers=2),
)


@pytest.fixture(scope="module")
def mode() -> FakeTensorMode:
    return FakeTensorMode(allow_non_fake_inputs=True)


@pytest.fixture(autouse=True)
def pretending(mode: FakeTensorMode, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every tensor inside is a fake one; what asks for its numbers gets an answer here."""
    monkeypatch.setattr(FakeTensor, "__bool__", lambda self: False, raising=False)
    for owner, name in ((kit, "steps_of"), (plans, "steps_of")):
        monkeypatch.setattr(owner, name, lambda levels: STEPS)
    monkeypatch.setattr(transformer, "ERG_BLOCKS", (1,))
    monkeypatch.setattr(umt5, "ERG_BLOCKS", (1,))
    monkeypatch.setattr(lyric_encoder, "ERG_LAYERS", (1,))
    forget()
    with mode:
        yield
    forget()


def forget() -> None:
    """Real tensors that were kept before, and fake ones that must not be met afterwards."""
    mel.hann_window.cache_clear()
    mel.filterbank.cache_clear()


@pytest.fixture(scope="module")
def model(mode: FakeTensorMode) -> Model:
    parts = {}
    for name in PARTS:
        network = build(name, SIZES)
        for key, empty in list(network.named_parameters()):
            with mode:
                put(network, key, torch.zeros(empty.shape), Target(DTYPE, CARD))
        parts[name] = Resident(network.eval(), DTYPE, CARD)
    return Model("fake", SIZES, tokenizer=lambda text: [5, 6, 7], **parts)  # type: ignore[arg-type]


def tags_of(model: Model) -> Tags:
    with torch.inference_mode():
        return encode_tags("pop", model.tokenizer, model.text_encoder)


def lyrics() -> Lyrics:
    """In main memory, as the tokeniser leaves them."""
    ids = torch.ones(1, 9, dtype=torch.int64)
    return Lyrics(ids, torch.ones_like(ids))


def source(tags: Tags) -> Source:
    return Source(Latent(torch.zeros(1, 8, 16, 32)), tags, lyrics())


def test_mixing_devices_is_noticed() -> None:
    """The check itself can fail."""
    with pytest.raises(RuntimeError, match="two different devices"):
        torch.zeros(2, device=CARD) + torch.zeros(2)


def test_tags_are_made_on_the_card(model: Model) -> None:
    tags = tags_of(model)
    assert tags.weak_states is not None
    for states in (tags.states, tags.weak_states):
        assert (states.device.type, states.dtype) == ("cuda", DTYPE)
    assert tags.mask.device.type == "cuda"


TASKS: dict[str, tuple[Task, bool]] = {  # and whether it works on a source
    "text to music": (TextToMusic(SECONDS), False),
    "retake": (Retake(SECONDS, 0.3), False),
    "follow": (Follow(0.4), True),
    "inpaint": (Inpaint((Region(0.5, 1.5, feather=0.2),), 0.5), True),
    "extend": (Extend(1.0, 1.0), True),
    "edit": (Edit(0.2, 0.8), True),
}


@pytest.mark.parametrize("task", TASKS)
def test_every_task_keeps_devices_apart(model: Model, task: str) -> None:
    tags, (chosen, works_on_source) = tags_of(model), TASKS[task]
    recipe = Recipe("pop", "", chosen, Guidance(interval=1.0), Sampling(2), seeds=(1, 2))
    known = source(tags) if works_on_source else None
    assert make(model, tags, lyrics(), recipe, source=known).z.device.type == "cpu"


def test_branches_in_turn_keep_devices_apart(model: Model) -> None:
    task, guidance = TextToMusic(SECONDS), Guidance(interval=1.0)
    recipe = Recipe("pop", "", task, guidance, Sampling(2), (1, 2), in_turn=True)
    latent = make(model, tags_of(model), lyrics(), recipe)
    assert latent.z.device.type == "cpu"


@pytest.mark.parametrize(
    "guidance",
    [
        Guidance("cfg", 4.0),
        Guidance("cfg_star", 4.0),
        Guidance(text_scale=5.0, lyric_scale=1.5),
        Guidance(erg_tag=False, erg_lyric=False, erg_diffusion=False),
    ],
    ids=["cfg", "cfg_star", "double", "no ERG"],
)
def test_every_rule_keeps_devices_apart(model: Model, guidance: Guidance) -> None:
    run(model, guidance, "euler")


@pytest.mark.parametrize("solver", SOLVER_NAMES)
def test_every_solver_keeps_devices_apart(model: Model, solver: str) -> None:
    run(model, Guidance(), solver)


def run(model: Model, guidance: Guidance, solver: str) -> None:
    sampling = Sampling(2, solver)
    recipe = Recipe(
        "pop", "", TextToMusic(SECONDS), replace(guidance, interval=1.0), sampling, (1,)
    )
    make(model, tags_of(model), lyrics(), recipe)


@pytest.mark.parametrize("sound", [VOCODER, GRIFFIN_LIM])
@pytest.mark.parametrize("frames", [None, 12], ids=["whole", "tiled"])
def test_the_codec_keeps_devices_apart(
    model: Model, sound: str, frames: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(griffin_lim, "ITERATIONS", 1)
    monkeypatch.setattr(griffin_lim, "INVERSION_STEPS", 1)
    monkeypatch.setattr(FakeTensor, "__bool__", lambda self: True)  # all its values are numbers
    asked: list[int] = []  # numbers of each question to the card
    monkeypatch.setattr(
        flaws, "asked", lambda found: asked.append(len(found)) or [0.0] * len(found)
    )
    codec = Codec(model.dcae, model.vocoder, CONFIG.vocoder, sound)
    with torch.inference_mode():
        latent = codec.encode(torch.zeros(1, 2, 4096 * 32), Tiles(frames))
        assert latent.z.device.type == "cpu"
        wave = codec.decode(latent, Tiles(frames))
        # Of a tile of 16 bits all is asked at once; what is in float32 is asked when it is done.
        tiles = 1 if frames is None else 3
        assert asked == ([3] * tiles if sound == VOCODER else [2] * (tiles > 1))
        assert codec.decode_mel(latent, Tiles(frames)).device.type == "cpu"
    assert (wave.device.type, wave.dtype) == ("cpu", torch.float32)


def test_an_adapter_is_added_on_the_card(model: Model) -> None:
    network: Transformer = model.transformer.module
    shape = network.time_in.weight.shape
    new = merged(network, {"time_in": torch.zeros(shape)})  # read from a file: in main memory
    assert new.time_in.weight.device.type == "cuda"
