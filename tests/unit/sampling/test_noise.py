from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from acestep_core.config import LATENT_CHANNELS, LATENT_HEIGHT
from acestep_core.sampling import noise
from acestep_core.sampling.noise import (
    LARGEST_SEED,
    Noise,
    counted_seeds,
    drawn_seed,
    mixed,
    mixed_single,
    parsed_seeds,
    same_seed,
    step_noise_first,
    step_noise_item,
)
from acestep_core.settings import SettingError


def test_a_seed_means_these_numbers_everywhere() -> None:
    first = Noise((42,)).start().main.draw(53)
    assert first.shape == (1, LATENT_CHANNELS, LATENT_HEIGHT, 53)
    assert first.dtype == torch.float32
    expected = [1.926915, 1.487284, 0.900717, -2.105521, 0.678418]
    assert first.flatten()[:5].tolist() == pytest.approx(expected, abs=5e-7)


def test_an_items_noise_does_not_depend_on_its_batch() -> None:
    both = Noise((7, 42)).start().main
    alone = Noise((42,)).start().main
    for frames in (5, 3):  # draws go on where the last one ended
        assert torch.equal(both.draw(frames)[1:], alone.draw(frames))
    again = Noise((42,)).start().main
    again.draw(5)
    assert not torch.equal(again.draw(5), Noise((42,)).start().main.draw(5))


def test_main_and_retake_streams_are_apart() -> None:
    streams = Noise((1,), (42,)).start()
    streams.main.draw(9)
    assert torch.equal(streams.retake.draw(5), Noise((42,)).start().main.draw(5))


def test_step_noise_of_the_original_comes_from_the_first_generator() -> None:
    x = torch.zeros(2, 8, 16, 3)
    first = step_noise_first(Noise((1, 2)).start().main)(x)
    expected = torch.randn(2, 8, 16, 3, generator=torch.Generator().manual_seed(1))
    assert torch.equal(first, expected)
    own = step_noise_item(Noise((1, 2)).start().main)(x)
    assert torch.equal(own, Noise((1, 2)).start().main.draw(3))
    assert torch.equal(own[1:], Noise((2,)).start().main.draw(3))


@pytest.mark.parametrize("mix", [mixed, mixed_single])
@pytest.mark.parametrize("variance", [0, 0.2, 0.5, 1])
def test_mixing_keeps_the_size_of_noise(mix: Callable[..., Tensor], variance: float) -> None:
    first, second = (Noise((seed,)).start().main.draw(200) for seed in (1, 2))
    result = mix(first, second, variance)
    assert result.dtype == torch.float32
    assert result.std().item() == pytest.approx(1, abs=0.02)
    angle = variance * math.pi / 2
    assert torch.allclose(result, math.cos(angle) * first + math.sin(angle) * second, atol=1e-5)


def test_mixing_takes_a_variance_for_each_frame() -> None:
    first, second = (Noise((seed,)).start().main.draw(2) for seed in (1, 2))
    result = mixed(first, second, torch.tensor([0.0, 1.0]).reshape(1, 1, 1, 2))
    assert torch.equal(result[..., 0], first[..., 0])
    assert torch.allclose(result[..., 1], second[..., 1], atol=1e-6)


def test_seeds_of_a_batch() -> None:
    assert counted_seeds(5, 3) == (5, 6, 7)
    assert counted_seeds(LARGEST_SEED, 2) == (LARGEST_SEED, 0)
    assert same_seed(5, 3) == (5, 5, 5)


def test_equal_main_and_retake_seeds_are_told_apart() -> None:
    """z mixed with itself would be up to 41 % too loud, and no variation at all."""
    given = Noise((3, 4), (3, 9))
    assert noise.as_given(given).retake_seeds == (3, 9)
    apart = noise.never_equal(given).retake_seeds
    assert apart[0] not in (3, 4)
    assert apart[1] == 9
    assert noise.never_equal(given) == noise.never_equal(given)


def test_missing_retake_seeds_are_derived_and_short_lists_filled() -> None:
    derived = noise.as_given(Noise((3, 4))).retake_seeds
    assert len(set(derived) | {3, 4}) == 4
    assert noise.as_given(Noise((1, 2, 3), (7, 8))).retake_seeds == (7, 8, 8)
    assert noise.as_given(Noise((1,), (7, 8))).retake_seeds == (7,)
    Noise((LARGEST_SEED,), noise.as_given(Noise((LARGEST_SEED,))).retake_seeds)


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("42", (42,)),
        (42, (42,)),
        (" 5", (5,)),
        ("1, 2,3", (1, 2, 3)),
        (str(LARGEST_SEED), (LARGEST_SEED,)),
    ],
)
def test_typed_seeds(text: str | int, seeds: tuple[int, ...]) -> None:
    assert parsed_seeds(text) == seeds


@pytest.mark.parametrize("text", [None, "", "  ", "-1", -1])
def test_a_seed_is_drawn_for_whoever_gives_none(
    text: str | int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noise, "drawn_seed", lambda: 77)
    assert parsed_seeds(text) == (77,)
    assert parsed_seeds("-1,5,-1") == (77, 5, 77)


def test_drawn_seeds_differ_and_fit_the_hosted_services() -> None:
    seeds = {drawn_seed() for _ in range(20)}
    assert len(seeds) > 15
    assert all(0 <= seed < 2**31 for seed in seeds)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("abc", r"Seed 'abc' is not a whole number\. Give one number, several with commas, or -1"),
        ("1.5", "Seed '1.5' is not a whole number"),
        ("1,,2", "Seed '1,,2' is not a whole number"),
        ("1e9", "Seed '1e9' is not"),
        ("-2", f"Seed -2 must be between 0 and {LARGEST_SEED}"),
        (str(2**64), f"Seed {2**64} must be between"),
    ],
)
def test_wrong_seeds(text: str, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        parsed_seeds(text)
