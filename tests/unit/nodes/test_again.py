"""Runs that would come out the same are not sampled again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.unit.nodes.pack import NODES, module, sampled
from tests.unit.nodes.test_tasks import task_of
from tests.unit.sound_kit import clip

again, sampler = module("nodes.again"), module("nodes.sampler")
REAL = again.kept
Made = Callable[..., int]


@pytest.fixture
def made(words: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Made:
    """made(seconds=3.0): how many runs the model has had to do so far."""
    count = []
    make = sampler.make
    again.forget()
    monkeypatch.setattr(again, "kept", REAL)
    monkeypatch.setattr(sampler, "make", lambda *given: count.append(1) or make(*given))

    def made(**changes: Any) -> int:
        sampled({**words, **changes.pop("words", {})}, **changes)
        return len(count)

    return made


def test_what_has_no_effect_samples_nothing_again(made: Made) -> None:
    audio = clip(2.5)
    task = task_of("AceSuiteInpaintMask", start=1.0, end=2.0, source_audio=audio)
    assert made(task=task) == 1
    assert made(task=task, seconds=77.0) == 1
    same = task_of("AceSuiteInpaintMask", start=1.0, end=2.0, source_audio=audio)
    assert made(task=same) == 1
    other = task_of("AceSuiteInpaintMask", start=1.0, end=2.1, source_audio=audio)
    assert made(task=other) == 2
    (schedule,) = NODES["AceSuiteSchedule"]().settings("custom", steps=2)
    assert made(schedule=schedule) == 3
    assert made(schedule=schedule, steps=9, solver="heun") == 3


def test_what_decides_the_result_does(made: Made, words: dict[str, Any], model: Any) -> None:
    assert made() == 1
    (tags,) = NODES["AceSuiteTagEncode"]().encode(model, "jazz")
    lyrics, _ = NODES["AceSuiteLyricEncode"]().encode(model, "[chorus]")
    other = model.with_model(replace(model.model))
    changes = (
        *({"seed": 4}, {"seconds": 2.5}, {"steps": 2}, {"guidance_scale": 3.0}, {"batch_size": 2}),
        *({"words": {name: one}} for name, one in (("tags", tags), ("lyrics", lyrics))),
        {"words": {"model": other}},
        {"task": task_of("AceSuiteRetake", source_seed=1, variance=0.3)},
    )
    for count, change in enumerate(changes, start=2):
        assert made(**change) == count, change


def test_other_nodes_cannot_change_what_is_kept(made: Made, words: dict[str, Any]) -> None:
    first, _ = sampled(words)
    was = first["samples"].clone()
    first["samples"].zero_()
    second, _ = sampled(words)
    assert torch.equal(second["samples"], was)
    second["samples"].zero_()
    assert torch.equal(sampled(words)[0]["samples"], was)


def test_only_the_last_runs_are_kept(made: Made) -> None:
    for seed in range(again.KEPT + 1):
        made(seed=seed)
    assert made(seed=again.KEPT) == again.KEPT + 1
    assert made(seed=0) == again.KEPT + 2
