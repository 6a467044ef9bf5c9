"""Genre presets."""

from __future__ import annotations

import pytest

from acestep_core.settings import SettingError
from acestep_core.writer.genres import genre, genres

TEN = ["Modern Pop", "Rock", "Hip Hop", "Country", "EDM"]
TEN += ["Reggae", "Classical", "Jazz", "Metal", "R&B"]
BPM = (120, 130, 90, 100, 128, 80, 60, 110, 160, 85)


def test_ten_known_ones_and_twenty_more() -> None:
    assert [preset.name for preset in genres()[:10]] == TEN
    assert tuple(preset.bpm for preset in genres()[:10]) == BPM
    assert len(genres()) >= 30
    assert len({preset.name.casefold() for preset in genres()}) == len(genres())


def test_every_preset_is_usable() -> None:
    for preset in genres():
        tags = preset.tags.split(", ")
        assert f"{preset.bpm} bpm" == tags[-1], preset.name
        assert len(tags) == len(set(tags)) >= 6
        assert preset.tags.isascii()
        assert preset.about.endswith(".")
        assert 40 <= preset.bpm <= 240


@pytest.mark.parametrize("name", ["EDM", "Classical"])
def test_those_without_singing(name: str) -> None:
    assert "instrumental" in genre(name).tags


def test_an_unknown_name_lists_the_known() -> None:
    assert genre("modern pop ").name == "Modern Pop"
    with pytest.raises(SettingError, match="Modern Pop, Rock"):
        genre("Polka")
