"""Drawings of files: made once, kept by content, refused in words without this machine's paths."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from acestep_core.pictures import drawings
from acestep_core.pictures.drawings import TILE, Drawing, Shelf, tile
from acestep_core.sound.files import write_audio
from acestep_core.sound.outline import BANDS, BIN, COLUMN
from tests.unit.sound_kit import noise


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "song.flac"
    write_audio(path, noise(12.0), 44_100)
    return path


def ended(drawing: Drawing) -> Drawing:
    assert drawing.ended.wait(60)
    return drawing


def test_a_file_is_drawn_once(song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf()
    first = ended(shelf.of(song))
    assert first.is_finished
    assert first.seconds == first.done == pytest.approx(12.0)
    assert len(first.peaks) == int(np.ceil(12.0 / BIN))
    monkeypatch.setattr(drawings, "in_pieces", None)
    assert shelf.of(song) is first


def test_an_equal_file_has_the_same_drawing_after_a_restart(
    song: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ended(Shelf(tmp_path / "kept").of(song))
    other = Path(shutil.copy(song, tmp_path / "other.flac"))
    monkeypatch.setattr(drawings, "in_pieces", None)
    again = ended(Shelf(tmp_path / "kept").of(other))
    assert not again.trouble
    np.testing.assert_array_equal(again.peaks, first.peaks)
    np.testing.assert_array_equal(again.levels, first.levels)
    assert (again.pulse, again.seconds) == (first.pulse, first.seconds)


def test_a_broken_copy_is_made_anew(song: Path, tmp_path: Path) -> None:
    ended(Shelf(tmp_path / "kept").of(song))
    (kept,) = (tmp_path / "kept").iterdir()
    kept.write_bytes(kept.read_bytes()[:100])
    assert ended(Shelf(tmp_path / "kept").of(song)).is_finished


def test_a_changed_file_is_drawn_anew(song: Path) -> None:
    shelf = Shelf()
    ended(shelf.of(song))
    write_audio(song, noise(3.0), 44_100)
    assert ended(shelf.of(song)).seconds == pytest.approx(3.0)


def test_what_is_no_sound_is_said_without_its_path(tmp_path: Path) -> None:
    place = tmp_path / "song.flac"
    place.write_bytes(b"fLaC, and nothing more")
    found = ended(Shelf().of(place))
    assert "song.flac cannot be read as sound" in found.trouble
    assert str(tmp_path) not in found.trouble


def test_a_drawing_that_nobody_wants_is_not_made(song: Path) -> None:
    shelf = Shelf()
    dropped = Drawing(song, is_dropped=True)
    shelf._draw(dropped)
    assert not dropped.is_finished
    many = [shutil.copy(song, song.with_name(f"{n}.flac")) for n in range(drawings.MOST + 1)]
    found = [shelf.of(Path(one)) for one in many]
    assert found[0].is_dropped
    assert not found[-1].is_dropped


def test_a_long_file_has_a_glance_at_once(song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawings, "SHORT", 5.0)
    monkeypatch.setattr(Shelf, "_draw", lambda self, drawing: None)
    assert Shelf().of(song).glance.any()


def test_tiles_show_low_below_and_quiet_dark() -> None:
    levels = np.zeros((TILE, BANDS), np.uint8)
    levels[:10, 0] = 240
    image = Image.open(io.BytesIO(tile(levels, 240))).convert("L")
    assert image.size == (TILE, BANDS)
    pixels = np.asarray(image)
    assert pixels[-1, :10].min() > 200
    assert pixels[0].max() < 40
    assert pixels[-1, 10:].max() < 40


def test_zoom_joins_columns_and_bins(song: Path) -> None:
    drawing = ended(Shelf().of(song))
    wide = Image.open(io.BytesIO(drawing.tile(1, 0)))
    assert wide.size == (-(-int(np.ceil(12.0 / COLUMN)) // 4), BANDS)
    assert drawing.tile(0, 99) == b""
    pairs = np.frombuffer(drawing.peaks_at(1, 3, 2), np.int8).reshape(-1, 2)
    own = drawing.peaks[12:20].reshape(2, 4, 2)
    np.testing.assert_array_equal(pairs, np.stack([own[..., 0].min(1), own[..., 1].max(1)], 1))
