"""The picture of a song while it is sampled: its estimate as a mel spectrogram, without sound.

    x, velocity -> x - sigma v -> some seconds of it -> autoencoder -> log-mel -> picture

It may take a twentieth of the time, no more memory than a step does, and none that another
network needs. What a picture costs is known only when one was drawn: the first shows a second,
each further one up to twice as much, ten seconds at most.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ..acestep_core.config import LATENT_HEIGHT, MEL_PER_FRAME, frames_of, seconds_of
from ..acestep_core.networks.memory import attention_bytes
from ..acestep_core.pictures.sound import mel_picture
from ..acestep_core.pipeline import ACEStep
from ..acestep_core.sampling.schedule import Step
from ..acestep_core.sound.tiles import WHOLE
from ..acestep_core.types import Latent
from . import host

SHARE = 0.05  # of the run's time, at most
WINDOW = frames_of(10.0)  # latent frames, at most
LEAST = frames_of(1.0)  # of the first picture
GROWTH = 2
START = 0.25  # seconds that loading and warming up may add to the first picture
# A frame of the autoencoder in float32 beside one of a guided step in 16 bits: about the same
# work, at no less than an eighth of the speed.
SLOWER = 8
# Of the autoencoder's finest level, in the memory that is asked for a frame: seven were measured,
# and steps that take less than half of what is forecast for them.
BUFFERS = 16

Clock = Callable[[], float]
Draw = Callable[[Tensor, int, int], Any]  # estimate, first frame, frames -> picture


class Budget:
    """When the next picture may be drawn, and how long a part of the song it may show."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._began = clock, clock()
        self._seen, self._spent, self._size = 0, 0.0, 0
        self._known, self._cost = LEAST, 0.0  # frames of a picture, and the seconds it took

    def frames(self, canvas: int, most: int) -> int:
        """For one more evaluation of the model: frames to draw of so many; 0 is not yet."""
        self._seen += 1
        passed = self._clock() - self._began
        size = min(GROWTH * self._size or LEAST, most)
        # A shorter picture may take as long: part of what one takes is for no frame of its own.
        expected = self._cost * max(1, size / self._known)
        if not self._size:
            evaluation = (passed - self._spent) / self._seen
            expected = START + SLOWER * evaluation * size / canvas
        return size if self._spent + expected <= SHARE * passed else 0

    def pay(self, frames: int, seconds: float) -> None:
        self._spent += seconds
        self._size = max(self._size, frames)
        if frames >= self._known or seconds > self._cost:
            self._known, self._cost = max(frames, LEAST), seconds


class MelPreview:
    """`branches`: how many of guidance's a step works on at once."""

    def __init__(
        self,
        model: ACEStep,
        branches: int = 1,
        clock: Clock = time.perf_counter,
        draw: Draw | None = None,
    ) -> None:
        self._model, self._branches, self._clock = model, branches, clock
        self._draw = draw or partial(drawn, model)
        self._budget, self._start = Budget(clock), 0

    def __call__(self, step: Step, x: Tensor, velocity: Tensor) -> Any:
        """A picture, or None where it is not yet time for one."""
        canvas = x.shape[-1]
        if canvas - self._start < LEAST:
            self._start = 0
        start = self._start
        most = min(fitting(self._model, x, self._branches), canvas - start)
        frames = self._budget.frames(canvas, most) if most else 0
        if not frames or not host.has_room(self._model.model.dcae):
            return None
        now = self._clock()
        image = self._draw(x - step.sigma * velocity, start, frames)
        self._budget.pay(frames, self._clock() - now)
        self._start = start + frames
        return image


def fitting(model: ACEStep, x: Tensor, branches: int) -> int:
    """Frames that the autoencoder can draw in the memory that a step takes of x (B, 8, 16, T)."""
    config, dtype = model.model.config, model.model.transformer.dtype
    # Without words: their keys and values are made once, before the steps.
    step = attention_bytes(x.shape[-1], 0, config.transformer.inner_dim, dtype)
    finest = LATENT_HEIGHT * MEL_PER_FRAME**2 * config.dcae.decoder_block_out_channels[0]
    each = BUFFERS * finest * torch.finfo(model.model.dcae.dtype).bits // 8
    return min(WINDOW, len(x) * branches * step // each)


def drawn(model: ACEStep, estimate: Tensor, start: int, frames: int) -> Any:
    """Picture of so many frames of the first clip of an estimate (B, 8, 16, T)."""
    part = Latent(estimate[:1, ..., start : start + frames])
    mel = model.codec.decode_mel(part, WHOLE)[0].mean(0)
    title = f"from {seconds_of(start):.1f} s of {seconds_of(estimate.shape[-1]):.1f} s"
    return mel_picture(mel, part.seconds, title)
