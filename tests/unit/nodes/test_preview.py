"""The live preview: its share of the time, its memory, what it shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.unit.nodes.pack import module, sampled

host, preview = module("nodes.host"), module("nodes.preview")
STEP = module("acestep_core.sampling.schedule").Step(0, 60, 1.0, 0.9)
LONG = torch.zeros(1, 8, 16, 2000)


class Run:
    """A run on a clock that moves by what evaluations and pictures take."""

    def __init__(
        self,
        model: Any,
        evaluation: float,
        cost: Callable[[int], float],
        branches: int = 10**6,  # so that memory is no limit
    ) -> None:
        self.now, self.spent, self.evaluation, self._cost = 0.0, 0.0, evaluation, cost
        self.drawn, self.starts = list[int](), list[int]()
        self.picture = preview.MelPreview(model, branches, lambda: self.now, self._draw)

    def _draw(self, estimate: torch.Tensor, start: int, frames: int) -> str:
        self.drawn.append(frames)
        self.starts.append(start)
        seconds = self._cost(frames)
        self.now += seconds
        self.spent += seconds
        return "picture"

    def evaluate(self, x: torch.Tensor = LONG) -> None:
        self.now += self.evaluation
        self.picture(STEP, x, x)


@pytest.mark.parametrize("evaluation", [0.01, 0.2, 1.0, 20.0])
@pytest.mark.parametrize("each", [1e-4, 0.003, 0.02, 0.1])
@pytest.mark.parametrize("fixed", [0.0, 0.05, 0.2])
def test_preview_keeps_to_its_share_of_the_time(
    words: dict[str, Any], evaluation: float, each: float, fixed: float
) -> None:
    """Whatever a picture costs, as long as the first is not beyond what it was feared to: also at
    the song's end, where a short picture takes nearly as long as a whole one."""
    run = Run(words["model"], evaluation, lambda frames: fixed + each * frames)
    feared = preview.START + preview.SLOWER * evaluation * preview.LEAST / LONG.shape[-1]
    for _ in range(400):
        run.evaluate()
        if fixed + each * preview.LEAST <= feared:
            assert run.spent <= preview.SHARE * run.now
    if not run.drawn:
        assert feared > preview.SHARE * run.now
    assert max(run.drawn, default=0) <= preview.WINDOW


def test_time_that_is_there_is_used(words: dict[str, Any]) -> None:
    run = Run(words["model"], 1.0, lambda frames: 0.005 * frames)
    for _ in range(200):
        run.evaluate()
    full = 0.005 * preview.WINDOW
    assert run.spent > preview.SHARE * run.now - full
    assert run.drawn[:5] == [10, 20, 40, 80, preview.WINDOW]
    ends = [start + frames for start, frames in zip(run.starts, run.drawn, strict=True)]
    parts = zip(run.drawn[5:], ends[5:], strict=True)
    assert all(frames == preview.WINDOW or end == LONG.shape[-1] for frames, end in parts)


def test_first_picture_that_took_far_too_long_is_made_up_for(words: dict[str, Any]) -> None:
    costs = iter([30.0, *[0.01] * 1000])
    run = Run(words["model"], 1.0, lambda frames: next(costs))
    while not run.drawn:
        run.evaluate()
    after = run.now
    while len(run.drawn) < 2:
        run.evaluate()
    assert run.now >= 30 / preview.SHARE > after


def test_short_run_has_no_preview(words: dict[str, Any]) -> None:
    run = Run(words["model"], 0.05, lambda frames: 0.001)
    for _ in range(60):
        run.evaluate()
    assert not run.drawn


def test_preview_takes_no_more_memory_than_a_step(words: dict[str, Any]) -> None:
    """The tiny autoencoder: 1024 pixels a frame at 16 channels in float32, so often at once."""
    model, each = words["model"], preview.BUFFERS * 1024 * 16 * 4
    step = module("acestep_core.networks.memory").attention_bytes(2000, 0, 64, torch.float32)
    assert preview.fitting(model, LONG, 1) == step // each
    assert preview.fitting(model, LONG, 2) == 2 * step // each
    assert preview.fitting(model, LONG.expand(2, -1, -1, -1), 1) == 2 * step // each
    assert preview.fitting(model, LONG, 99) == preview.WINDOW
    run = Run(model, 1000.0, lambda frames: 0.001, branches=1)
    run.evaluate(LONG[..., :20])
    assert not run.drawn, "not even a frame fits"


def test_preview_walks_through_the_song(words: dict[str, Any]) -> None:
    run = Run(words["model"], 1000.0, lambda frames: 0.0)
    while len(run.starts) < 8:
        run.evaluate(LONG[..., :200])
    # 10, 20, 40 and 80 frames, the 50 that are left, and from the start again.
    assert run.starts == [0, 10, 30, 70, 150, 0, 107, 0]


@pytest.mark.parametrize(("start", "frames"), [(0, 1), (110, 10), (13, 107)])
def test_picture_shows_a_part_of_the_first_clip(
    words: dict[str, Any], drawn: Callable[..., torch.Tensor], start: int, frames: int
) -> None:
    first, second = drawn(2, 8, 16, 120).split(1)
    shown = slice(start, start + frames)
    other = second.clone()
    other[..., shown] = first[..., shown]
    picture = preview.drawn(words["model"], torch.cat((first, second)), start, frames)
    assert picture.size[0] == 1000
    assert picture == preview.drawn(words["model"], other, start, frames)
    assert picture != preview.drawn(words["model"], second, start, frames)


def test_no_room_no_picture(words: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(words["model"], 1000.0, lambda frames: 0.0)
    monkeypatch.setattr(host, "has_room", lambda part: False)
    run.evaluate()
    assert not run.drawn
    monkeypatch.setattr(host, "has_room", lambda part: True)
    run.evaluate()
    assert run.drawn


def test_preview_is_drawn_where_it_is_wanted(
    words: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "SHARE", 1000.0)
    shown: list[Any] = []
    monkeypatch.setattr(host.Bar, "tick", lambda self, done, total, image=None: shown.append(image))
    monkeypatch.setattr(host, "is_preview_wanted", lambda: True)
    on, _ = sampled(words, seconds=40.0)
    assert any(shown)
    shown.clear()
    monkeypatch.setattr(host, "is_preview_wanted", lambda: False)
    off, _ = sampled(words, seconds=40.0)
    assert not any(shown)
    assert torch.equal(on["samples"], off["samples"])
