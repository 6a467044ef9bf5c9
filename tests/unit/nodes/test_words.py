"""Lyric Preview, Song Writer, Tag Presets, without ComfyUI."""

from __future__ import annotations

import pytest

from tests.unit.nodes.pack import NODES


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


def test_preset_and_tags_of_ones_own() -> None:
    node = NODES["AceSuiteTagPresets"]()
    name = node.INPUT_TYPES()["required"]["genre"][0][0]
    tags, bpm = node.choose(name)
    assert node.choose(name, " my own, ")[0] == f"{tags}, my own"
    assert bpm > 0
    with pytest.raises(ValueError, match=r"^Tag Presets \(ACE-Step\): Genre is 'no'"):
        node.choose("no")
