"""Pictures of sound: mel spectrograms with axes, as PIL images.

    log-mel (128, M) or (2, 128, M) -> loudness below the peak -> colours -> panels
    log-mels before and after an edit -> both, and how many dB louder or quieter -> panels
    panels -> title, axes, regions -> image

Stereo is two panels, left above right, but one in an edit's picture. Regions, pairs of seconds,
are tinted in every panel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ..atomic import check_place, replaced
from ..config import VocoderConfig
from ..settings import SettingError
from ..sound.mel import hz_to_mel

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

Regions = Sequence[tuple[float, float]]

WIDTH = 1000  # pixels of a whole picture
LEFT, RIGHT, TOP, BOTTOM, GAP = 56, 14, 32, 30, 10  # pixels around and between the panels
MEL_HEIGHT = 256  # pixels of one panel
FONT_SIZE = 12

BACKGROUND, INK, FAINT = (17, 17, 27), (205, 208, 220), (62, 64, 82)
REGION = (94, 234, 212)

QUIETER, LOUDER = (74, 156, 255), (255, 140, 66)
MOST_CHANGE = 20.0  # dB louder or quieter that is drawn in full colour

RANGE_DB = 80.0  # from the loudest point down to black
DB = 20 / math.log(10)  # one unit of a natural logarithm of magnitude, in decibels
QUIETEST_PEAK = -2.0  # log-mel; without it the rounding of digital silence would glow
TICKS_HZ = (100, 500, 1000, 2000, 4000, 8000, 15_000)
TICK_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600)
MOST_TICKS = 13

# Night blue to pale gold; lightness rises evenly, so that it reads in grey as well.
COLOURS = np.array(
    [
        (9, 8, 20),
        (32, 20, 68),
        (70, 24, 106),
        (112, 33, 122),
        (156, 46, 120),
        (202, 68, 102),
        (236, 106, 80),
        (250, 160, 90),
        (253, 212, 138),
        (254, 248, 214),
    ],
    dtype=np.float64,
)


@dataclass(frozen=True)
class Panel:
    pixels: np.ndarray  # (height, width, 3) uint8
    marks: tuple[tuple[float, str], ...]  # place from the top, 0 to 1, and label
    name: str = ""


def mel_picture(
    log_mel: Tensor,
    seconds: float,
    title: str = "",
    regions: Regions = (),
    config: VocoderConfig | None = None,
) -> Image:
    """A mel spectrogram (n_mels, M) or (channels, n_mels, M) that lasts so many seconds."""
    mel = _pixels_of(_checked_mel(log_mel, seconds))
    level = _level(mel, float(mel.max()))
    marks = _pitch_marks(config or VocoderConfig())
    panels = [Panel(coloured(channel.numpy()), marks) for channel in level]
    return _framed(panels, seconds, title, regions)


def bare_picture(log_mel: Tensor, seconds: float, regions: Regions = ()) -> Image:
    """The panels of a mel spectrogram (n_mels, M) or (channels, n_mels, M) and nothing around
    them: column x of `width` is the time x / width * seconds, as a mask over it is read."""
    from PIL import Image

    mel = _pixels_of(_checked_mel(log_mel, seconds), WIDTH)
    level = _level(mel, float(mel.max()))
    panels = [_tinted(coloured(channel.numpy()), seconds, regions) for channel in level]
    return Image.fromarray(np.concatenate(panels))


def edit_picture(
    before: Tensor,
    after: Tensor,
    seconds: float,
    regions: Regions = (),
    title: str = "",
    config: VocoderConfig | None = None,
) -> Image:
    """What an edit changed: the mel spectrogram (channels, n_mels, M) before, after, and between.

    In the third panel orange is louder than before and blue quieter.
    """
    mels = [_checked_mel(log_mel, seconds) for log_mel in (before, after)]
    if mels[0].shape != mels[1].shape:
        raise SettingError(
            f"The mel spectrograms before and after have the shapes {tuple(mels[0].shape)} and "
            f"{tuple(mels[1].shape)}; they must be the same. Pad the shorter with silence."
        )
    mels = [_pixels_of(mel.exp().mean(0, keepdim=True).log()) for mel in mels]
    peak = max(float(mel.max()) for mel in mels)
    levels = [_level(mel, peak)[0].numpy() for mel in mels]
    marks = _pitch_marks(config or VocoderConfig())
    panels = [
        Panel(coloured(levels[0]), marks, "before"),
        Panel(coloured(levels[1]), marks, "after"),
        Panel(_change_pixels(levels[1] - levels[0]), marks, "louder / quieter"),
    ]
    return _framed(panels, seconds, title, regions)


def _pixels_of(mel: Tensor, width: int = WIDTH - LEFT - RIGHT) -> Tensor:
    """(channels, n_mels, M) in the size of a panel, low pitches at the bottom."""
    size = (MEL_HEIGHT, width)
    mel = interpolate(mel[None], size, mode="bilinear", align_corners=False, antialias=True)[0]
    return mel.flip(1)


def _level(mel: Tensor, peak: float) -> Tensor:
    """0 to 1 from RANGE_DB below the peak up to it."""
    return (1 + (mel - max(peak, QUIETEST_PEAK)) * DB / RANGE_DB).clamp(0, 1)


def _pitch_marks(config: VocoderConfig) -> tuple[tuple[float, str], ...]:
    low, high = hz_to_mel(config.f_min), hz_to_mel(config.f_max)
    return tuple(
        (1 - (hz_to_mel(hz) - low) / (high - low), f"{hz / 1000:g} kHz" if hz >= 1000 else f"{hz}")
        for hz in TICKS_HZ
        if config.f_min <= hz <= config.f_max
    )


def _change_pixels(change: np.ndarray) -> np.ndarray:
    """Differences of levels (height, width) as a panel: no colour where nothing changed."""
    share = np.clip(change[..., None] * RANGE_DB / MOST_CHANGE, -1, 1)
    colour = np.where(share > 0, np.array(LOUDER), np.array(QUIETER))
    ground = np.array(BACKGROUND)
    return np.rint(ground + np.abs(share) * (colour - ground)).astype(np.uint8)


def save_png(image: Image, path: str | Path) -> Path:
    """Write a picture, whole or not at all, and return where."""
    path = check_place(path)
    with replaced(path) as temporary:
        image.save(temporary, format="PNG")
    return path


def coloured(level: np.ndarray) -> np.ndarray:
    """Levels (...,) from 0 to 1 -> colours (..., 3) uint8."""
    places = np.linspace(0, 1, len(COLOURS))
    channels = [np.interp(level, places, COLOURS[:, channel]) for channel in range(3)]
    return np.rint(np.stack(channels, axis=-1)).astype(np.uint8)


def _checked_mel(mel: Tensor, seconds: float) -> Tensor:
    """(channels, n_mels, M) float32 on the CPU, or the reason why there is nothing to draw."""
    mel = mel.detach().float().cpu()
    mel = mel[None] if mel.ndim == 2 else mel
    if mel.ndim != 3 or mel.numel() == 0 or not 0 < seconds < math.inf:
        raise SettingError(
            f"A mel spectrogram of the shape {tuple(mel.shape)} over {seconds:g} s cannot be "
            "drawn. Give one clip, without a batch axis, that is not empty."
        )
    if not torch.isfinite(mel).all():
        raise SettingError(
            "The mel spectrogram holds NaN or infinite values and cannot be drawn. "
            "What made it failed; make it again."
        )
    return mel


def _framed(panels: list[Panel], seconds: float, title: str, regions: Regions) -> Image:
    """The panels below one another, with a title, axes and regions."""
    from PIL import Image, ImageDraw

    heights = [len(panel.pixels) for panel in panels]
    height = TOP + sum(heights) + GAP * (len(panels) - 1) + BOTTOM
    image = Image.new("RGB", (WIDTH, height), BACKGROUND)
    draw = ImageDraw.Draw(image)
    top = TOP
    for panel in panels:
        pixels = _tinted(panel.pixels, seconds, regions)
        image.paste(Image.fromarray(pixels), (LEFT, top))
        _draw_level_axis(draw, panel, top)
        _write(draw, (LEFT + 6, top + 8), panel.name, INK, "lt")
        top += len(pixels) + GAP
    _draw_time_axis(draw, seconds, top - GAP)
    _write(draw, (LEFT, TOP // 2), _shortened(title), INK, "lm")
    return image


def _tinted(pixels: np.ndarray, seconds: float, regions: Regions) -> np.ndarray:
    """A copy of the panel with the regions lightened and their two ends drawn."""
    pixels = pixels.copy()
    last = pixels.shape[1] - 1
    for start, end in regions:
        first, final = (round(min(max(at / seconds, 0), 1) * last) for at in (start, end))
        inside = pixels[:, first : final + 1]
        pixels[:, first : final + 1] = (0.86 * inside + 0.14 * np.array(REGION)).astype(np.uint8)
        pixels[:, [first, final]] = REGION
        pixels[:4, first : final + 1] = REGION
    return pixels


def _draw_level_axis(draw: ImageDraw, panel: Panel, top: int) -> None:
    height = len(panel.pixels)
    for place, label in panel.marks:
        y = top + min(round(place * height), height - 1)
        draw.line([(LEFT - 5, y), (LEFT - 1, y)], fill=INK)
        _write(draw, (LEFT - 8, y), label, INK, "rm")
    draw.rectangle([LEFT - 1, top - 1, WIDTH - RIGHT, top + height], outline=FAINT)


def _draw_time_axis(draw: ImageDraw, seconds: float, y: int) -> None:
    step = next((step for step in TICK_SECONDS if seconds / step <= MOST_TICKS), seconds / 10)
    width = WIDTH - LEFT - RIGHT
    for index in range(int(seconds / step * (1 + 1e-9)) + 1):
        x = LEFT + round(index * step / seconds * (width - 1))
        draw.line([(x, y), (x, y + 5)], fill=INK)
        _write(draw, (min(x, WIDTH - RIGHT - 6), y + 8), f"{index * step:g} s", INK, "mt")


def _shortened(title: str) -> str:
    """One line that fits; half a font size is more than a letter's usual width."""
    line = " ".join(title.split())
    most = (WIDTH - LEFT - RIGHT) * 2 // FONT_SIZE
    return line if len(line) <= most else line[: most - 3] + "..."


def _font() -> FreeTypeFont | ImageFont:
    from PIL import ImageFont

    try:
        return ImageFont.load_default(FONT_SIZE)
    except TypeError:  # before Pillow 10.1 there is only the bitmap font
        return ImageFont.load_default()


def _write(
    draw: ImageDraw, at: tuple[int, int], text: str, colour: tuple[int, int, int], anchor: str
) -> None:
    """Text at a point; anchor as in Pillow: l, m, r across, then t, m down."""
    from PIL import ImageFont

    font = _font()
    if isinstance(font, ImageFont.ImageFont):
        # The bitmap font knows no anchors and no letters beyond Latin-1; a letter is 6 x 11.
        text = text.encode("latin-1", "replace").decode("latin-1")
        back = {"l": 0, "m": 0.5, "r": 1}[anchor[0]] * 6 * len(text)
        up = {"t": 0, "m": 0.5}[anchor[1]] * 11
        draw.text((at[0] - back, at[1] - up), text, fill=colour, font=font)
    else:
        draw.text(at, text, fill=colour, font=font, anchor=anchor)
