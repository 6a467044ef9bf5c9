"""Discriminators for the vocoder's second half of training; never shipped.

    periods       the wave folded into rows of 2, 3, 5, 7 and 11 samples, as an image
    resolutions   magnitudes at three window sizes, as images

Each answers with a map of how real every place looks, and with its inner features.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .spectra import magnitude

PERIODS = (2, 3, 5, 7, 11)
WINDOWS = (2048, 1024, 512)
WIDTH = 16  # channels of the first layers
SLOPE = 0.1

Answer = tuple[Tensor, list[Tensor]]  # map, features


class Stack(nn.Module):
    """Strided 2-D convolutions, the answer last."""

    def __init__(self, layers: list[nn.Conv2d], last: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.answer = nn.Conv2d(last, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Answer:
        seen = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), SLOPE)
            seen.append(x)
        return self.answer(x), seen


class Opponents(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        width = WIDTH
        steps = [(1, width), (width, 2 * width), (2 * width, 4 * width), (4 * width, 4 * width)]
        self.periods = nn.ModuleList(
            Stack([nn.Conv2d(a, b, (5, 1), (3, 1), padding=(2, 0)) for a, b in steps], 4 * width)
            for _ in PERIODS
        )
        self.windows = nn.ModuleList(
            Stack([nn.Conv2d(a, b, (9, 3), (2, 1), padding=(4, 1)) for a, b in steps], 4 * width)
            for _ in WINDOWS
        )

    def forward(self, wave: Tensor) -> list[Answer]:
        """wave (B, N) -> one answer of each."""
        answers = []
        for period, stack in zip(PERIODS, self.periods, strict=True):
            rest = -wave.shape[-1] % period
            folded = F.pad(wave[:, None], (0, rest), mode="reflect").unflatten(-1, (-1, period))
            answers.append(stack(folded))
        for size, stack in zip(WINDOWS, self.windows, strict=True):
            answers.append(stack(magnitude(wave, size).log()[:, None]))
        return answers


def told_apart(real: list[Answer], made: list[Answer]) -> Tensor:
    """The opponents' loss: 1 for real, 0 for made."""
    parts = [
        (1 - a).square().mean() + b.square().mean()
        for (a, _), (b, _) in zip(real, made, strict=True)
    ]
    return torch.stack(parts).mean()


def fooled(made: list[Answer]) -> Tensor:
    """The vocoder's loss: made taken for real."""
    return torch.stack([(1 - answer).square().mean() for answer, _ in made]).mean()


def alike(real: list[Answer], made: list[Answer]) -> Tensor:
    """Distance of the inner features, relative to their size."""
    parts = [
        (a.detach() - b).abs().mean() / a.detach().abs().mean().clamp(min=1e-4)
        for (_, seen), (_, other) in zip(real, made, strict=True)
        for a, b in zip(seen, other, strict=True)
    ]
    return torch.stack(parts).mean()
