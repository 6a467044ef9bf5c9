from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from acestep_core.config import VocoderConfig
from acestep_core.pictures import sound as picture
from acestep_core.settings import SettingError
from acestep_core.sound import mel
from acestep_core.sound.files import FileError
from tests.unit.sound_kit import tone

pil_image = pytest.importorskip("PIL.Image")
image_font = pytest.importorskip("PIL.ImageFont")

PANEL = (slice(picture.TOP + 6, picture.TOP + picture.MEL_HEIGHT - 2), slice(60, 980))


def lightness(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float64) @ np.array([0.2126, 0.7152, 0.0722])


def test_colours_get_lighter_all_the_way() -> None:
    ramp = lightness(picture.coloured(np.linspace(0, 1, 256)))
    assert (np.diff(ramp) > -0.5).all()
    assert ramp[0] < 15
    assert ramp[-1] > 235


@pytest.mark.parametrize("channels", [1, 2])
def test_mel_picture_shows_a_tone_at_its_height(channels: int) -> None:
    log_mel = mel.log_mel(tone(2000, 2).repeat(channels, 1), VocoderConfig())
    image = picture.mel_picture(log_mel, 2.0, title="a tone")
    height = picture.TOP + channels * (picture.MEL_HEIGHT + picture.GAP)
    assert image.size == (picture.WIDTH, height - picture.GAP + picture.BOTTOM)
    rows = lightness(np.asarray(image)[PANEL]).mean(1)
    low, high = mel.hz_to_mel(40), mel.hz_to_mel(16_000)
    place = 1 - (mel.hz_to_mel(2000) - low) / (high - low)
    assert abs(int(rows.argmax()) + 6 - place * picture.MEL_HEIGHT) < 4
    assert rows.max() > 150
    assert np.median(rows) < 60


def test_one_panel_without_a_channel_axis() -> None:
    log_mel = mel.log_mel(tone(500, 2)[0], VocoderConfig())
    one = picture.mel_picture(log_mel, 2.0)
    assert np.array_equal(np.asarray(one), np.asarray(picture.mel_picture(log_mel[None], 2.0)))


def test_silence_is_dark() -> None:
    log_mel = mel.log_mel(torch.zeros(2, 44_100), VocoderConfig())
    assert lightness(np.asarray(picture.mel_picture(log_mel, 1.0))[PANEL]).max() < 60


def test_region_marks_its_seconds_only() -> None:
    log_mel = mel.log_mel(tone(500, 2)[0], VocoderConfig())
    plain = np.asarray(picture.mel_picture(log_mel, 2.0)).astype(int)
    marked = np.asarray(picture.mel_picture(log_mel, 2.0, regions=[(0.5, 1.0)])).astype(int)
    columns = np.abs(marked - plain).sum((0, 2)).nonzero()[0]
    width = picture.WIDTH - picture.LEFT - picture.RIGHT
    assert columns[0] == pytest.approx(picture.LEFT + width / 4, abs=1)
    assert columns[-1] == pytest.approx(picture.LEFT + width / 2, abs=1)


@pytest.mark.parametrize("regions", [[(-5, 99)], [(1.9, 1.9)], [(0, 0.1), (1, 3)]])
def test_region_beyond_the_clip_is_cut(regions: list[tuple[float, float]]) -> None:
    log_mel = mel.log_mel(tone(500, 2)[0], VocoderConfig())
    assert picture.mel_picture(log_mel, 2.0, regions=regions).width == picture.WIDTH


@pytest.mark.parametrize("seconds", [0.02, 0.9, 5.0, 59.9, 240.0, 7200.0])
@pytest.mark.parametrize("frames", [1, 50, 3000])
def test_any_length_can_be_drawn(seconds: float, frames: int) -> None:
    assert picture.mel_picture(torch.zeros(2, 128, frames), seconds).width == picture.WIDTH


def test_long_or_foreign_title_fits() -> None:
    image = picture.mel_picture(torch.zeros(128, 9), 1.0, title="lá, \u6b4c\n" * 200)
    assert lightness(np.asarray(image)[: picture.TOP - 2, -8:]).max() < 30


def test_bitmap_font_of_old_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = getattr(image_font, "load_default_imagefont", None)
    if whole is None:
        pytest.skip("this Pillow has the bitmap font only")
    monkeypatch.setattr(image_font, "load_default", lambda: whole())
    image = picture.mel_picture(torch.zeros(128, 9), 1.0, title="lá, \u6b4c")
    assert lightness(np.asarray(image)[: picture.TOP - 2]).max() > 100


@pytest.mark.parametrize(
    ("log_mel", "seconds", "message"),
    [
        (torch.zeros(1, 2, 128, 9), 1.0, r"\(1, 2, 128, 9\).*without a batch axis"),
        (torch.zeros(2, 128, 0), 1.0, "not empty"),
        (torch.zeros(2, 128, 9), 0.0, "over 0 s cannot be drawn"),
        (torch.full((2, 128, 9), float("nan")), 1.0, "NaN"),
    ],
)
def test_what_cannot_be_drawn(log_mel: torch.Tensor, seconds: float, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        picture.mel_picture(log_mel, seconds)


def test_png_is_written_whole(tmp_path: Path) -> None:
    image = picture.mel_picture(torch.zeros(2, 128, 9), 1.0)
    path = picture.save_png(image, tmp_path / "new" / "mel.png")
    with pil_image.open(path) as found:
        assert np.array_equal(np.asarray(found), np.asarray(image))
    assert [entry.name for entry in path.parent.iterdir()] == ["mel.png"]


def test_png_on_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="is a folder"):
        picture.save_png(picture.mel_picture(torch.zeros(128, 9), 1.0), tmp_path)


def test_edit_picture_shows_what_changed_and_where() -> None:
    """A tone that becomes louder in the middle and another that goes away at the end."""
    seconds, config = 3.0, VocoderConfig()
    before = tone(1000, seconds)[0] + tone(6000, seconds)[0]
    after = before.clone()
    after[44_100:88_200] += 3 * tone(1000, seconds)[0][44_100:88_200]
    after[88_200:] = 0.01 * after[88_200:]
    mels = [mel.log_mel(wave, config) for wave in (before.repeat(2, 1), after.repeat(2, 1))]
    image = picture.edit_picture(*mels, seconds, [(1.0, 2.0)], "louder, then softer")
    height = picture.TOP + 3 * (picture.MEL_HEIGHT + picture.GAP) - picture.GAP + picture.BOTTOM
    assert image.size == (picture.WIDTH, height)
    top = picture.TOP + 2 * (picture.MEL_HEIGHT + picture.GAP) + 30
    change = np.asarray(image)[top : top + picture.MEL_HEIGHT - 40, 60:980].astype(float)
    first, middle, last = np.split(change[:, : change.shape[1] // 3 * 3], 3, axis=1)
    assert np.abs(first[:, :-20] - np.array(picture.BACKGROUND)).max() < 3
    red_over_blue = [(part[..., 0] - part[..., 2])[:, 20:-20] for part in (middle, last)]
    assert red_over_blue[0].max() > 50
    assert red_over_blue[1].min() < -50
    assert red_over_blue[1].max() < 60  # nothing grew at the end
    same = picture.edit_picture(mels[0], mels[0][:1].expand(2, -1, -1), seconds)
    assert (
        np.abs(np.asarray(same)[top : top + 200, 60:980] - np.array(picture.BACKGROUND)).max() < 9
    )


def test_edit_picture_needs_two_of_one_size() -> None:
    with pytest.raises(SettingError, match="must be the same"):
        picture.edit_picture(torch.zeros(2, 128, 10), torch.zeros(2, 128, 11), 1.0)
