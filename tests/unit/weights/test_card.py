"""What a model says of itself, and what it says of requests."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from acestep_core.presets import PRESETS
from acestep_core.types import Guidance, Sampling
from acestep_core.weights import small
from acestep_core.weights.card import Card, card_from
from acestep_core.weights.checkpoint import CheckpointError, recognise
from acestep_core.weights.single_file import write_single_file
from training import says
from training.places import Places

KNOWN = {"genre": {"jazz": ("jazz", "swing")}, "tempo": {"fast": ("fast",)}}
CARD = Card(words=KNOWN, sings=False, longest=30)


def test_the_released_model_says_nothing(tiny_folder: Path) -> None:
    card = recognise(tiny_folder).card
    assert card == Card()
    assert card.recommended == PRESETS["original"]
    assert card.about() == []
    assert card.cautions("anything", "[verse]\nat all", 240) == []


def test_the_shipped_model_says_what_it_was_taught() -> None:
    """model.json is written by `python -m training export`, the README's table from the same."""
    shipped, made = recognise(small.FOLDER).card, says.card(Places.usual())
    assert shipped == made
    assert (shipped.recommended.sampling, shipped.recommended.guidance) == (
        small.SAMPLING,
        small.GUIDANCE,
    )
    assert shipped.about()[0].startswith("Instrumental, 10 styles: lofi, house")
    readme = (small.FOLDER / "README.md").read_text(encoding="utf-8")
    for group, classes in shipped.words.items():
        for name, words in classes.items():
            assert f"| {group} | {name} | {', '.join(words)} |" in readme


def test_it_knows_its_own_examples() -> None:
    card = small.card()
    assert len(card.examples) == 20
    for tags in (*card.examples.values(), small.TAGS):
        assert card.unknown(tags) == []


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ("jazz, FAST, 120 bpm", []),
        ("a fast swing tune", []),
        ("", []),
        ("jazzy", ["This model knows none of these tags: jazzy. Try jazz."]),
        ("opera, tenor, 90bpm", ["This model knows none of these tags: opera, tenor. Try jazz."]),
        ("jazz, tenor", ["This model does not know the tags tenor."]),
    ],
)
def test_unknown_tags(tags: str, said: list[str]) -> None:
    assert CARD.unknown(tags) == said


@pytest.mark.parametrize(("lyrics", "count"), [("[inst]", 0), ("", 0), ("[verse]\nla", 1)])
def test_lyrics_of_an_instrumental_model(lyrics: str, count: int) -> None:
    assert len(CARD.cautions("jazz", lyrics, None)) == count


def test_clips_far_longer_than_what_was_learnt_from() -> None:
    assert CARD.cautions("jazz", "", 60) == []
    assert "61 s may lose the thread" in CARD.cautions("jazz", "", 61)[0]


def test_card_comes_back_from_json_and_from_a_single_file(tmp_path: Path) -> None:
    card = small.card()
    assert card_from(json.loads(json.dumps(card.as_data()))) == card
    folder = shutil.copytree(small.FOLDER, tmp_path / "folder")
    assert recognise(write_single_file(folder, tmp_path / "all.safetensors")).card == card


@pytest.mark.parametrize(
    "said",
    [
        {"recommended": {"sampling": {"stepps": 3}}},
        {"recommended": {"guidance": {"kind": "strong"}}},
        {"words": ["jazz"]},
        {"longest": "long"},
    ],
)
def test_what_cannot_be_is_refused_by_its_file(
    tiny_folder: Path, tmp_path: Path, said: dict[str, object]
) -> None:
    folder = shutil.copytree(tiny_folder, tmp_path / "folder")
    (folder / "model.json").write_text(json.dumps(said), encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"model\.json says of its model what cannot be"):
        recognise(folder)


def test_part_of_a_recommendation_leaves_the_rest() -> None:
    card = card_from({"recommended": {"sampling": {"steps": 9}}})
    assert (card.recommended.sampling, card.recommended.guidance) == (Sampling(9), Guidance())
