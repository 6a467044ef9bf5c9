"""Branches: what each hears, and that stacking, splitting and repeating change nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from acestep_core.conditions.branches import Branches, branches, edit_branches, predicting
from acestep_core.networks.layers import ERG_FACTOR
from acestep_core.networks.transformer import Tables, Transformer
from acestep_core.pipeline import ACEStep
from acestep_core.sampling.schedule import Step
from acestep_core.settings import SettingError
from acestep_core.types import Branch, Guidance, Lyrics, Tags

DOUBLE = Guidance(text_scale=5, lyric_scale=1.5)
STEP = Step(3, 10, 0.6, 0.5)


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def tags(pipe: ACEStep) -> Tags:
    return pipe.tags("pop, piano")


@pytest.fixture(scope="module")
def lyrics(pipe: ACEStep) -> Lyrics:
    return pipe.lyrics("[verse]\n[inst]")


def x_of(items: int, frames: int = 4) -> Tensor:
    return torch.randn(items, 8, 16, frames, generator=torch.Generator().manual_seed(5))


def contexts(prepared: Branches) -> list[Tensor]:
    return list(prepared.stacked.context.chunk(prepared.count))


# --- what each branch hears --------------------------------------------------------------


@pytest.mark.parametrize(
    ("guidance", "count"), [(Guidance(scale=1), 1), (Guidance(), 2), (DOUBLE, 3)]
)
def test_no_more_branches_than_guidance_needs(
    guidance: Guidance, count: int, transformer: Transformer, tags: Tags, lyrics: Lyrics
) -> None:
    prepared = branches(transformer, tags, lyrics, guidance, items=3)
    assert (prepared.count, len(prepared.stacked.context)) == (count, 3 * count)


def encoded(
    network: Transformer, tags: Tags, states: Tensor, lyrics: Lyrics, ids: Tensor, temper: float = 1
) -> Tensor:
    return network.encode(states, tags.mask, ids, lyrics.mask, temper)[0]


@pytest.mark.parametrize(
    ("erg_tag", "erg_lyric"), [(True, True), (False, True), (True, False), (False, False)]
)
def test_null_is_weakened_or_zeroed(
    erg_tag: bool, erg_lyric: bool, transformer: Transformer, tags: Tags, lyrics: Lyrics
) -> None:
    guidance = replace(DOUBLE, erg_tag=erg_tag, erg_lyric=erg_lyric)
    cond, null, text_only = contexts(branches(transformer, tags, lyrics, guidance))
    zeros, zero_ids = torch.zeros_like(tags.states), torch.zeros_like(lyrics.ids)
    assert tags.weak_states is not None
    assert torch.allclose(cond, encoded(transformer, tags, tags.states, lyrics, lyrics.ids))
    weak = tags.weak_states if erg_tag and erg_lyric else zeros
    ids, temper = (lyrics.ids, ERG_FACTOR) if erg_lyric else (zero_ids, 1)
    assert torch.allclose(null, encoded(transformer, tags, weak, lyrics, ids, temper))
    expected = encoded(transformer, tags, tags.states, lyrics, ids, temper)
    assert torch.allclose(text_only, expected)
    assert not torch.allclose(null, cond, atol=1e-2)


@pytest.mark.parametrize("erg_diffusion", [True, False])
def test_only_null_is_tempered(
    erg_diffusion: bool, transformer: Transformer, tags: Tags, lyrics: Lyrics
) -> None:
    guidance = replace(DOUBLE, erg_diffusion=erg_diffusion)
    temper = branches(transformer, tags, lyrics, guidance, items=2).stacked.temper
    if erg_diffusion:
        assert temper is not None
        assert temper.tolist() == pytest.approx([1, 1, ERG_FACTOR, ERG_FACTOR, 1, 1])
    else:
        assert temper is None


def test_an_edits_null_has_no_lyrics_at_all(
    transformer: Transformer, tags: Tags, lyrics: Lyrics
) -> None:
    prepared = edit_branches(transformer, tags, lyrics)
    assert prepared.stacked.mask is not None
    words, count = lyrics.ids.shape[1], prepared.stacked.context.shape[1]
    assert prepared.stacked.mask[0].tolist() == [1] * count
    assert prepared.stacked.mask[1].tolist() == [1] * (count - words) + [0] * words
    assert prepared.stacked.temper is None


def test_tags_without_weak_states_are_refused_where_they_are_needed(
    transformer: Transformer, tags: Tags, lyrics: Lyrics
) -> None:
    strong = replace(tags, weak_states=None)
    with pytest.raises(
        SettingError, match=r"ERG for tags is on, but the tags were encoded without"
    ):
        branches(transformer, strong, lyrics, Guidance())
    branches(transformer, strong, lyrics, Guidance(erg_tag=False))
    branches(transformer, strong, lyrics, Guidance(erg_lyric=False))
    branches(transformer, strong, lyrics, Guidance(scale=1))


# --- two ways to one result --------------------------------------------------------------


def test_in_one_call_equals_one_by_one(
    transformer: Transformer, tags: Tags, lyrics: Lyrics
) -> None:
    prepared = branches(transformer, tags, lyrics, DOUBLE, items=2)
    together = predicting(transformer, prepared, torch.float32)
    in_turn = predicting(transformer, prepared, torch.float32, together=False)
    x = x_of(2)
    for count in (1, 2, 3):
        left, right = together(x, STEP, count), in_turn(x, STEP, count)
        assert len(left) == len(right) == count
        for a, b in zip(left, right, strict=True):
            assert torch.allclose(a, b, atol=1e-5)
    cond, null, _ = in_turn(x, STEP, 3)
    assert not torch.allclose(cond, null, atol=1e-3)


def test_one_condition_for_many_equals_each_encoded_for_itself(
    transformer: Transformer, tags: Tags, lyrics: Lyrics
) -> None:
    once = branches(transformer, tags, lyrics, DOUBLE, items=3).stacked
    three = replace(
        tags,
        states=tags.states.repeat(3, 1, 1),
        mask=tags.mask.repeat(3, 1),
        weak_states=None if tags.weak_states is None else tags.weak_states.repeat(3, 1, 1),
    )
    words = replace(lyrics, ids=lyrics.ids.repeat(3, 1), mask=lyrics.mask.repeat(3, 1))
    each = branches(transformer, three, words, DOUBLE, items=3).stacked
    assert torch.allclose(once.context, each.context, atol=1e-5)
    assert torch.equal(once.temper, each.temper)  # type: ignore[arg-type]
    for (k, v), (other_k, other_v) in zip(once.keys_values, each.keys_values, strict=True):
        assert torch.allclose(k, other_k, atol=1e-5)
        assert torch.allclose(v, other_v, atol=1e-5)


def test_an_item_equals_itself_alone(transformer: Transformer, tags: Tags, lyrics: Lyrics) -> None:
    x = x_of(2)
    both = branches(transformer, tags, lyrics, Guidance(), items=2)
    one = branches(transformer, tags, lyrics, Guidance())
    velocities = predicting(transformer, both, torch.float32)(x, STEP, 2)
    for i in range(2):
        alone = predicting(transformer, one, torch.float32)(x[i : i + 1], STEP, 2)
        for branch in range(2):
            assert torch.allclose(velocities[branch][i], alone[branch][0], atol=1e-5)


def test_the_empty_lyric_is_masked_and_heard_by_no_one(
    pipe: ACEStep, transformer: Transformer, tags: Tags
) -> None:
    empty = pipe.lyrics("")
    prepared = branches(transformer, tags, empty, Guidance())
    assert prepared.stacked.mask is not None
    assert prepared.stacked.mask[:, -1].tolist() == [0, 0]
    velocity = predicting(transformer, prepared, torch.float32)(x_of(1), STEP, 2)
    assert all(torch.isfinite(v).all() for v in velocity)
    other = replace(empty, ids=torch.tensor([[261]]))
    prepared = branches(transformer, tags, other, Guidance())
    again = predicting(transformer, prepared, torch.float32)(x_of(1), STEP, 2)
    assert torch.equal(velocity[0], again[0])


# --- memory ------------------------------------------------------------------------------


class Small:
    """A network on a device that holds so many items at once."""

    def __init__(self, network: Transformer, items: int, error: Exception) -> None:
        self.network, self.items, self.error = network, items, error
        self.calls: list[int] = []

    def tables(self, frames: int, branch: Branch) -> Tables:
        return self.network.tables(frames, branch)

    def __call__(self, x: Tensor, timestep: Tensor, branch: Branch, tables: Tables) -> Tensor:
        self.calls.append(len(x))
        if len(x) > self.items:
            raise self.error
        return self.network(x, timestep, branch, tables)


def test_out_of_memory_means_one_by_one_for_the_rest_of_the_run(
    transformer: Transformer, tags: Tags, lyrics: Lyrics, caplog: pytest.LogCaptureFixture
) -> None:
    prepared = branches(transformer, tags, lyrics, Guidance(), items=2)
    small = Small(transformer, 2, torch.OutOfMemoryError("CUDA out of memory."))
    predict = predicting(small, prepared, torch.float32)  # type: ignore[arg-type]
    x, expected = x_of(2), predicting(transformer, prepared, torch.float32)(x_of(2), STEP, 2)
    with caplog.at_level(logging.WARNING):
        first, second = predict(x, STEP, 2), predict(x, STEP, 2)
    assert small.calls == [4, 2, 2, 2, 2]
    assert len(caplog.records) == 1
    assert "trying again in smaller pieces" in caplog.text
    for velocities in (first, second):
        for a, b in zip(velocities, expected, strict=True):
            assert torch.allclose(a, b, atol=1e-5)


def test_other_errors_come_through(transformer: Transformer, tags: Tags, lyrics: Lyrics) -> None:
    prepared = branches(transformer, tags, lyrics, Guidance())
    broken = Small(transformer, 1, RuntimeError("shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes"):
        predicting(broken, prepared, torch.float32)(x_of(1), STEP, 2)  # type: ignore[arg-type]
    assert broken.calls == [2]
