"""Lyric Preview, Song Writer, Tag Presets, without ComfyUI."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.nodes.pack import NODES, module


def test_preview_needs_no_model() -> None:
    answer = NODES["AceSuiteLyricPreview"]().look("[verse]\n\n[chorus]", seconds=30.0)
    (report,) = answer["result"]
    assert answer["ui"]["text"] == [report]
    assert "[chorus]" in report
    assert "30 s" in report


def test_writer_gives_two_texts() -> None:
    node = NODES["AceSuiteSongWriter"]()
    tags, lyrics, notes = node.write("A cheerful pop song about summer memories.", 1)
    assert "pop" in tags
    assert "[verse]" in lyrics
    assert "seed 1" in notes
    assert node.write("A cheerful pop song about summer memories.", 1)[1] == lyrics
    assert node.write("A calm piano piece.", 1, instrumental=True)[1].strip() == "[inst]"
    with pytest.raises(ValueError, match=r"^Song Writer \(ACE-Step\): The prompt is empty"):
        node.write(" ", 1)


def test_writer_hands_on_the_length_it_wrote_for() -> None:
    node = NODES["AceSuiteSongWriter"]()
    asked = {"prompt": "A calm piano piece.", "seed": 1, "instrumental": True}
    place = node.RETURN_NAMES.index("seconds")
    assert node.show(**asked, seconds=20.0)["result"][place] == 20.0
    assert (
        node.show(**asked)["result"][place]
        == node.INPUT_TYPES()["optional"]["seconds"][1]["default"]
    )


def test_preset_and_tags_of_ones_own() -> None:
    node = NODES["AceSuiteTagPresets"]()
    name = node.INPUT_TYPES()["required"]["genre"][0][0]
    tags, bpm = node.choose(name)
    assert node.choose(name, " my own, ")[0] == f"{tags}, my own"
    assert bpm > 0
    with pytest.raises(ValueError, match=r"^Tag Presets \(ACE-Step\): Genre is 'no'"):
        node.choose("no")


def test_presets_end_with_words_of_the_small_model() -> None:
    node = NODES["AceSuiteTagPresets"]()
    names = node.INPUT_TYPES()["required"]["genre"][0]
    assert len([name for name in names if name.startswith("small model")]) == 20
    assert names[0] != names[-1]
    tags, bpm = node.choose("small model (demonstration): lofi keys", "more")
    assert tags == "lofi, electric piano, vibraphone, bass, drums, medium tempo, 77 bpm, more"
    assert bpm == 77


def test_presets_warn_of_the_small_model_where_auto_takes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    node, small = NODES["AceSuiteTagPresets"](), module("acestep_core.weights.small")
    assert node.show("Modern Pop")["ui"]["acesuite"] == [{}]
    monkeypatch.setattr(module("nodes.checkpoints"), "first_found", lambda: small.FOLDER)
    (facts,) = node.show("Modern Pop")["ui"]["acesuite"]
    assert facts["warnings"][0].startswith("This model does not know the tags modern pop")
    known = "small model (demonstration): folk flute"
    assert node.show(known)["ui"]["acesuite"] == [{}]


def test_tag_encode_names_the_words_a_model_does_not_know(words: dict[str, Any]) -> None:
    node, model = NODES["AceSuiteTagEncode"](), words["model"]
    assert node.show(model, "opera")["ui"]["acesuite"] == [{}], "the tiny model has no list"
    card = module("acestep_core.weights.small").card()
    knowing = model.with_model(replace(model.model, card=card))
    (facts,) = node.show(knowing, "opera, tenor")["ui"]["acesuite"]
    assert facts["warnings"][0].startswith("This model knows none of these tags: opera, tenor.")
    assert node.show(knowing, "jazz, saxophone")["ui"]["acesuite"] == [{}]


def test_load_shows_what_the_small_model_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    checkpoints = module("nodes.checkpoints")
    answer = NODES["AceSuiteLoad"]().show(checkpoint=checkpoints.SMALL)
    (facts,) = answer["ui"]["acesuite"]
    assert facts["demonstration"] is True
    assert facts["report"][1].startswith("Instrumental, 10 styles: lofi, house, rock")
    assert "Words for ensemble: electric piano, vibraphone" in answer["result"][1]
    assert "No released checkpoint" not in answer["result"][1]
    monkeypatch.setenv("ACESTEP_MODEL", str(tmp_path / "none"))
    if checkpoints.first_found() == module("acestep_core.weights.small").FOLDER:
        report = NODES["AceSuiteLoad"]().load("auto")[1]
        assert "No released checkpoint was found" in report
