"""Settings say which of them is wrong, what it is, and what is allowed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from acestep_core.settings import SettingError, checked, chosen_from
from acestep_core.types import (
    Edit,
    Extend,
    Follow,
    Guidance,
    Inpaint,
    Latent,
    Recipe,
    Region,
    Retake,
    Sampling,
    TextToMusic,
)

NAN, INF = float("nan"), float("inf")
CLIP = Latent(torch.zeros(1, 8, 16, 20))


@pytest.mark.parametrize("seconds", [0, -1, -0.01, 10_000, 240.01, NAN, INF, -INF, 0.05])
def test_wrong_durations(seconds: float) -> None:
    message = (
        rf"Duration \(seconds\) is {seconds}; it must be between 0\.0928798 and 240\."
        r" The model was trained on clips of at most 240 s; make longer ones with Extend\."
    )
    with pytest.raises(SettingError, match=message):
        TextToMusic(seconds)
    with pytest.raises(SettingError, match=message):
        Retake(seconds)


@pytest.mark.parametrize("seconds", [4096 / 44100, 1, 240])
def test_right_durations(seconds: float) -> None:
    assert TextToMusic(seconds).seconds == seconds


@pytest.mark.parametrize(
    ("field", "label", "low", "high"),
    [
        ("scale", "Guidance scale", 0, 200),
        ("interval", "Guidance interval", 0, 1),
        ("decay", "Guidance interval decay", 0, 1),
        ("min_scale", "Minimum guidance scale", 0, 200),
        ("text_scale", "Tag guidance scale", 0, 10),
        ("lyric_scale", "Lyric guidance scale", 0, 10),
    ],
)
def test_ranges_of_guidance(field: str, label: str, low: float, high: float) -> None:
    for value in (low - 0.01, high + 0.01, NAN, INF):
        message = f"{label} is {value}; it must be between {low} and {high}"
        with pytest.raises(SettingError, match=message):
            Guidance(**{field: value})
    for value in (low, high):
        assert getattr(Guidance(**{field: value}), field) == value


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"steps": 0}, "Steps is 0; it must be between 1 and 1000"),
        ({"steps": 1001}, "Steps is 1001"),
        ({"steps": NAN}, "Steps is nan"),
        ({"steps": 2.5}, r"Steps is 2\.5; it must be a whole number"),
        ({"granularity": NAN}, "Granularity scale is nan; it must be between -100 and 100"),
        ({"granularity": -101}, "Granularity scale is -101"),
        ({"solver": "dpm"}, "Solver is 'dpm'; it must be one of: euler, heun, pingpong"),
        ({"chosen": (0, 1)}, r"Chosen steps are \(0, 1\); each must be from 1 to 1000"),
        ({"chosen": (1001,)}, r"Chosen steps are \(1001,\); each must be from 1"),
        ({"chosen": (5, 2)}, r"Chosen steps are \(5, 2\); they must rise, without repeats"),
        ({"chosen": (2, 2)}, r"Chosen steps are \(2, 2\); they must rise"),
    ],
)
def test_wrong_sampling(values: dict[str, object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        Sampling(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Guidance("rescale"),
            "Guidance type is 'rescale'; it must be one of: apg, cfg, cf",
        ),
        (
            lambda: Recipe("pop", compat="exact"),
            "Compatibility is 'exact'; it must be one of: corr",
        ),
        (lambda: Recipe("pop", seeds=()), "No seed was given; give one for each clip"),
        (lambda: Retake(5, NAN), "Variance is nan; it must be between 0 and 1"),
        (
            lambda: Follow(1.01),
            r"Reference strength is 1\.01; it must be between 0 and",
        ),
        (lambda: Follow(NAN), "Reference strength is nan"),
        (lambda: Region(NAN, 3), "Region start is nan"),
        (lambda: Region(0, INF), "Region end is inf"),
        (lambda: Region(0, 3, "middle"), "Region start counts from is 'middle'; it must be one of"),
        (lambda: Inpaint(()), "No region was given; name the part to make new"),
        (lambda: Inpaint((Region(),), -0.1), r"Variance is -0\.1"),
        (lambda: Extend(before=-1), r"Extend before \(seconds\) is -1; it must be between 0"),
        (lambda: Extend(after=241), r"Extend after \(seconds\) is 241"),
    ],
)
def test_wrong_choices(make: Callable[[], object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        make()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"start": 1.1}, r"Edit start \(n_min\) is 1\.1; it must be between 0 and 1"),
        ({"stop": NAN}, r"Edit stop \(n_max\) is nan"),
        ({"average": 0}, r"Averaged noises \(n_avg\) is 0; it must be between 1 and 100"),
    ],
)
def test_wrong_edits(values: dict[str, float], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        Edit(**values)  # type: ignore[arg-type]


def test_a_truth_value_is_no_number() -> None:
    with pytest.raises(SettingError, match="Steps is True"):
        checked("Steps", True, 0, 10)


def test_the_fix_stands_last() -> None:
    with pytest.raises(SettingError, match=r"between 0 and 2\. Lower it\.$"):
        checked("Size", 3, 0, 2, "Lower it.")
    with pytest.raises(SettingError, match=r"Kind is 'c'; it must be one of: a, b\.$"):
        chosen_from("Kind", "c", {"a": 1, "b": 2})


@pytest.mark.parametrize("scale", [0, 1, 0.0, 1.0])
def test_scales_that_switch_guidance_off(scale: float) -> None:
    guidance = Guidance(scale=scale, text_scale=5, lyric_scale=5)
    assert (guidance.is_active, guidance.is_double) == (False, False)


@pytest.mark.parametrize(
    ("text", "lyric", "is_double"), [(5, 1.5, True), (1, 5, False), (5, 1, False), (0, 0, False)]
)
def test_double_guidance_needs_both_scales(text: float, lyric: float, is_double: bool) -> None:
    assert Guidance(text_scale=text, lyric_scale=lyric).is_double == is_double


def test_length_and_cut_of_a_latent(drawn: Callable[..., Tensor]) -> None:
    latent = Latent(drawn(1, 8, 16, 645))
    assert latent.frames == 645
    assert latent.seconds == pytest.approx(59.907, abs=5e-4)
    part = latent.cut(10, 20)
    assert torch.equal(part.z, latent.z[..., 108:215])
    assert latent.cut(-3, 1).frames == 11
    assert latent.cut(50, 99).frames == 645 - 538
