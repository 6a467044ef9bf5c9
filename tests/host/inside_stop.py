"""Checks that stop ends every long node: after at most one step of the sampler, or one tile.

Stop is pressed from within a network, as a user would while it computes; what runs after that
is counted. Nothing is counted that a node does before its first network runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.host.inside import Inside

RATE = 32_000
SECONDS = 30.0  # several tiles of 128 frames (11.9 s)
LONG = {"seed": 5, "seconds": 4.0, "batch_size": 1, "steps": 50}


def runs_after_stop(network: Any, press_at: int, work: Callable[[], Any]) -> int:
    """How often the network still runs once stop was pressed in its `press_at`-th run."""
    from comfy import model_management

    seen = []

    def press_stop(module: object, inputs: object) -> None:
        seen.append(1)
        if len(seen) == press_at:
            model_management.interrupt_current_processing(True)

    handle = network.register_forward_pre_hook(press_stop)
    try:
        work()
    except model_management.InterruptProcessingException:
        assert len(seen) >= press_at, "stopped before stop was pressed"
        return len(seen) - press_at
    finally:
        handle.remove()
        model_management.interrupt_current_processing(False)
    raise AssertionError(f"went on to the end; {len(seen)} runs of the network")


def sound(seconds: float) -> dict[str, Any]:
    import torch

    wave = torch.randn(1, 2, round(seconds * RATE), generator=torch.Generator().manual_seed(0))
    return {"waveform": wave * 0.05, "sample_rate": RATE}


def stops_while_sampling(inside: Inside, task: str, **inputs: Any) -> str:
    """With a task of that kind, in the fifth evaluation; a step may be two or three of them."""
    pipe = inside.loaded()
    words = {**inside.words(pipe), **LONG}
    if task == "AceSuiteRemixEdit":
        inputs |= {"source_tags": words["tags"], "source_lyrics": words["lyrics"]}
    if task:
        words["task"] = inside.nodes[task]().describe(**inputs)[0]
    sampler = inside.nodes["AceSuiteSampler"]()
    network = pipe.model.transformer.module
    after = runs_after_stop(network, 5, lambda: sampler.sample(**words))
    assert after <= 1, f"{after} evaluations after stop"
    return f"{after} evaluations after stop"


def check_stop_ends_text_to_music(inside: Inside) -> str:
    return stops_while_sampling(inside, "")


def check_stop_ends_retake(inside: Inside) -> str:
    return stops_while_sampling(inside, "AceSuiteRetake", source_seed=4, variance=0.5)


def check_stop_ends_inpaint(inside: Inside) -> str:
    return stops_while_sampling(
        inside, "AceSuiteInpaintMask", start=1.0, end=2.0, source_audio=sound(4.0)
    )


def check_stop_ends_extend(inside: Inside) -> str:
    return stops_while_sampling(
        inside, "AceSuiteExtend", before=0.0, after=2.0, source_audio=sound(4.0)
    )


def check_stop_ends_edit(inside: Inside) -> str:
    return stops_while_sampling(inside, "AceSuiteRemixEdit", mode="lyrics", source_audio=sound(4.0))


def check_stop_ends_audio_reference(inside: Inside) -> str:
    return stops_while_sampling(
        inside, "AceSuiteAudioReference", strength=0.3, source_audio=sound(4.0)
    )


def check_stop_ends_encoding_within_a_tile(inside: Inside) -> str:
    pipe = inside.loaded()
    node, audio = inside.nodes["AceSuiteDCAEEncode"](), sound(SECONDS)
    encoder = pipe.model.dcae.module.encoder.conv_in
    after = runs_after_stop(encoder, 1, lambda: node.encode(pipe, audio))
    assert after == 0, f"{after} tiles after stop"
    return "0 tiles after stop"


def check_stop_ends_decoding_within_a_tile(inside: Inside) -> str:
    """In the autoencoder, and in the vocoder behind it."""
    import torch

    pipe = inside.loaded()
    node, latent = inside.nodes["AceSuiteDCAEDecode"](), {"samples": torch.randn(1, 8, 16, 323)}
    said = []
    for name, network in (
        ("autoencoder", pipe.model.dcae.module.decoder.conv_in),
        ("vocoder", pipe.model.vocoder.module.head.conv_in),
    ):
        after = runs_after_stop(network, 1, lambda: node.decode(pipe, latent))
        assert after == 0, f"{name}: {after} tiles after stop"
        said.append(name)
    return f"0 tiles after stop in {', '.join(said)}"


def check_stop_ends_encoding_of_a_source_in_the_sampler(inside: Inside) -> str:
    pipe = inside.loaded()
    task = inside.nodes["AceSuiteAudioReference"]().describe(0.5, source_audio=sound(SECONDS))[0]
    words = {**inside.words(pipe), **LONG, "task": task}
    sampler = inside.nodes["AceSuiteSampler"]()
    encoder = pipe.model.dcae.module.encoder.conv_in
    after = runs_after_stop(encoder, 1, lambda: sampler.sample(**words))
    assert after == 0, f"{after} tiles after stop"
    return "0 tiles after stop"
