"""What only a CUDA card can show: the same numbers as on the CPU, in less memory when it must be.

`python3 dev.py test --only cuda`; without a card every test says why it did not run.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from acestep_core.config import ModelConfig, TransformerConfig
from acestep_core.pipeline import ACEStep
from acestep_core.types import Guidance, Latent, Recipe, Sampling, TextToMusic
from acestep_core.weights import small
from acestep_core.weights.model import Precision
from bench.gpu import crowded, inplace
from bench.gpu.card import Card, exact
from bench.gpu.parts import QUICK, Trial
from bench.gpu.recorded import chosen
from bench.gpu.trained import distance
from tests.golden_cases import GOLDEN, LIMITS, NETWORKS, Where, check, family_of

pytestmark = pytest.mark.cuda

CARD = torch.device("cuda")
FULL = Precision.full()
RECIPE = Recipe(
    small.TAGS,
    small.LYRICS,
    TextToMusic(10.0),
    Guidance("cfg", 3.0, 1.0, erg_tag=False, erg_lyric=False, erg_diffusion=False),
    Sampling(8, granularity=0.0),
    (1, 2),
)


@pytest.fixture(autouse=True)
def card() -> Iterator[None]:
    if not torch.cuda.is_available():
        pytest.skip("this torch finds no CUDA card")
    with exact():
        yield


@pytest.fixture(scope="module")
def here() -> ACEStep:
    return ACEStep.load(small.FOLDER, precision=FULL)


@pytest.fixture(scope="module")
def plain(here: ACEStep) -> Latent:
    return here.generate(RECIPE).latent


def there(precision: Precision = FULL, offload: bool = False) -> ACEStep:
    return ACEStep.load(small.FOLDER, device="cuda", precision=precision, offload=offload)


@pytest.mark.parametrize("case", chosen(tuple(LIMITS), 1))
def test_recorded_value_in_float32(case: str) -> None:
    outcome = check(GOLDEN, case, Where(CARD, torch.float32))
    assert outcome.status == "passed", f"{outcome.note} ({outcome.error} of {outcome.limit})"


@pytest.mark.parametrize("case", chosen(NETWORKS, 4))
def test_recorded_value_in_bfloat16_is_as_near_as_the_cpus(case: str) -> None:
    if not torch.cuda.is_bf16_supported():
        pytest.skip("this card does not compute in bfloat16")
    made, usual = (
        check(GOLDEN, case, Where(device, torch.bfloat16)) for device in (CARD, torch.device("cpu"))
    )
    assert made.error is not None, made.note
    assert usual.error is not None
    assert made.error <= max(2 * usual.error, LIMITS[family_of(case)])


def test_the_same_seed_is_the_same_music(plain: Latent) -> None:
    assert distance(there().generate(RECIPE).latent.z, plain.z) <= LIMITS["sampling"]


def test_branches_in_turn_are_the_same_music(plain: Latent) -> None:
    made = there().generate(replace(RECIPE, in_turn=True)).latent
    assert distance(made.z, plain.z) <= LIMITS["sampling"]


def test_networks_that_visit_give_what_resident_ones_give() -> None:
    resident, visiting = there(), there(offload=True)
    made = visiting.generate(RECIPE).latent
    assert next(visiting.model.transformer.module.parameters()).device.type == "cpu"
    assert torch.equal(made.z, resident.generate(RECIPE).latent.z)
    torch.testing.assert_close(visiting.codec.decode_mel(made), resident.codec.decode_mel(made))


def test_latents_and_pictures_are_the_cpus(here: ACEStep, plain: Latent) -> None:
    pipe = there()
    assert distance(pipe.codec.decode_mel(plain), here.codec.decode_mel(plain)) <= LIMITS["codec"]
    wave = here.decode(plain, 44_100)
    found, known = (one.encode(wave, 44_100).z for one in (pipe, here))
    assert distance(found, known) <= LIMITS["codec"]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_sound_in_sixteen_bits_is_sound(plain: Latent, dtype: torch.dtype) -> None:
    wave = there(Precision(dcae=dtype, vocoder=dtype)).decode(plain)
    assert wave.dtype == torch.float32
    assert bool(torch.isfinite(wave).all())
    assert float(wave.square().mean().sqrt()) > 0.01


def test_too_little_memory_goes_on_in_turn() -> None:
    """A limit that one branch fits in and two do not, at the released width."""
    config = replace(ModelConfig(), transformer=TransformerConfig(num_layers=2))
    sizes = replace(QUICK, config=config, lengths=(240.0,))
    trial = Trial(Card(CARD), sizes, time.monotonic() + 300)
    inplace.load(trial)
    found = crowded.crowded(trial)
    assert found.figures["limit"]
    assert not found.wrong
