"""Graphs of requests, run by the nodes: what is recorded then is what was asked for.

request -> record -> graph -> nodes, without a model's sampling -> record -> the same request
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings

from tests.unit.nodes.pack import NODES, module
from tests.unit.request_kit import SOURCE_SECONDS, requests

graph, replay = module("acestep_core.records.graph"), module("acestep_core.records.replay")
record_module, sampler = module("acestep_core.records.record"), module("nodes.sampler")
Latent, host = module("acestep_core.types").Latent, module("nodes.host")
TRACKS = module("acestep_core.sound.track")
RATE = 8000
SOURCE = {"waveform": torch.zeros(1, 1, round(SOURCE_SECONDS * RATE)), "sample_rate": RATE}
KINDS = {"AceSuiteLoad", "AceSuiteLoRA", "LoadAudio", "PrimitiveInt"}  # given, not run


def test_slots_are_the_nodes_own() -> None:
    for kind, slots in graph.SLOTS.items():
        names = NODES[kind].RETURN_NAMES
        assert {name: names.index(name) for name in slots} == slots


class Unsung:
    """A model that is never asked: it knows its name, and what tags and lyrics say."""

    place = None  # no file

    def __init__(self, model: Any) -> None:
        self.model, self.vocabulary = model.model, model.vocabulary

    def tags(self, text: str) -> Any:
        return module("acestep_core.types").Tags(torch.zeros(1, 1, 1), torch.ones(1, 1), text=text)

    def lyrics(self, text: str, language: str = "auto", compat: str = "corrected") -> Any:
        nothing = torch.zeros(1, 1, dtype=torch.int64)
        kind = module("acestep_core.types").Lyrics
        return kind(nothing, torch.zeros(1, 1), text=text, language=language)

    def encode(self, wave: torch.Tensor, rate: int, *_: Any) -> Any:
        return Latent(torch.zeros(1, 8, 16, 20))

    def decode(self, latent: Any, rate: int, *_: Any) -> torch.Tensor:
        return torch.zeros(len(latent.z), 2, round(rate * SOURCE_SECONDS))

    def evaluations(self, *_: Any) -> int:
        return 1

    def cautions(self, recipe: Any) -> list[str]:
        return []


def put_together(model: Any, sampled: Any, latent: Any, options: Any) -> Any:
    """In place of the splice."""
    tracks = [TRACKS.Held(torch.zeros(2, 400), RATE)] * len(latent.z)
    return SimpleNamespace(reports=(), tracks=tracks, rate=RATE)


def run(prompt: dict[str, Any], model: Any, prefix: str) -> None:
    """Every node of the graph, in its order, which is that of its links."""
    done: dict[str, tuple[Any, ...]] = {}
    given = {"AceSuiteLoad": (model,), "AceSuiteLoRA": (model,), "LoadAudio": (SOURCE,)}
    for key in sorted(prompt, key=int):
        node, kind = prompt[key], prompt[key]["class_type"]
        inputs = {
            name: done[value[0]][value[1]] if isinstance(value, list) else value
            for name, value in node["inputs"].items()
        }
        if kind == "AceSuiteSaveAudio":
            inputs["filename_prefix"], inputs["model"] = prefix, None
        if kind == "PrimitiveInt":
            done[key] = (inputs["value"],)
        elif kind in given:
            done[key] = given[kind]
        else:
            if (
                "hidden" in NODES[kind].INPUT_TYPES()
                and "unique_id" in (NODES[kind].INPUT_TYPES()["hidden"])
            ):
                inputs |= {"prompt": prompt, "unique_id": key}
            result = getattr(NODES[kind](), NODES[kind].FUNCTION)(**inputs)
            done[key] = result["result"] if isinstance(result, dict) else result


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(requests())
def test_graph_of_a_request_asks_for_the_same(
    model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request_: Any
) -> None:
    ours = _as_the_pack(request_)
    assume(_has_a_graph(ours.recipe))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        sampler,
        "make",
        lambda m, t, ly, recipe, *_: Latent(torch.zeros(len(recipe.seeds), 8, 16, 9)),
    )
    monkeypatch.setattr(module("nodes.decode"), "finished", put_together)
    monkeypatch.setattr(module("nodes.task_socket").Given, "named", ("song.flac", "abc"))
    how = replay.Run(model.model, Path("song.flac"), 44_100, 30.0, SOURCE_SECONDS)
    record = replay.record_of(ours, how)
    made = graph.graph_of(record, (), "skip")
    for old in tmp_path.rglob("*.*"):
        old.unlink()
    run(json.loads(json.dumps(made.prompt)), Unsung(model), "song")
    files = sorted(tmp_path.rglob("*_input_params.json"))
    assert len(files) == len(ours.recipe.seeds)
    again = replay.request_of(record_module.read_record(files[-1]))
    assert again.recipe == ours.recipe
    assert again.options == ours.options
    if ours.source is not None:
        known = ours.source
        assert (again.source.tags, again.source.lyrics) == (known.tags, known.lyrics)


def _has_a_graph(recipe: Any) -> bool:
    """Seeds that a Sampler can count up to, a source's one seed, words that say something."""
    behaviours = module("acestep_core.tasks.behaviours").BEHAVIOURS
    new = graph.new_seeds(recipe)
    counted = behaviours[recipe.compat].seeds(new[0], len(new)) == new
    one = len(set(recipe.seeds)) == 1 or recipe.seeds == new
    said = bool(recipe.tags.strip() and recipe.lyrics.strip())
    return counted and one and said and recipe.seeds[0] <= graph.LARGEST_PRIMITIVE


def _as_the_pack(request_: Any) -> Any:
    """The request in the classes of the pack, through a record, which is text."""
    from acestep_core.records.record import values_of
    from acestep_core.records.replay import Run, record_of

    class Named:
        name, is_demo = "tiny", True
        transformer = type("T", (), {"dtype": torch.float32, "device": torch.device("cpu")})
        vocoder = transformer

    run_ = Run(Named, Path("song.flac"), 44_100, 30.0, SOURCE_SECONDS)  # pyright: ignore[reportArgumentType]
    text = json.dumps(values_of(record_of(request_, run_)))
    return replay.request_of(record_module.parsed_record(text, Path("text")))
