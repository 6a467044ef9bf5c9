"""The picture of a song while it is sampled: its estimate as a mel spectrogram, without sound.

    x, velocity -> x - sigma v -> some seconds of it -> autoencoder -> log-mel -> picture

It may take a twentieth of the time, no more memory than a step does, and none that another
network needs. What a picture costs is known only when one was drawn: the first shows a second,
each further one up to twice as much, ten seconds at most.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..acestep_core.config import LATENT_HEIGHT, MEL_PER_FRAME, frames_of, seconds_of
from ..acestep_core.networks.memory import attention_bytes
from ..acestep_core.pictures.sound import mel_picture
from ..acestep_core.pipeline import ACEStep
from ..acestep_core.sampling.schedule import Step
from ..acestep_core.sound.codec import WHOLE
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


class Budget:
    """When the next picture may be drawn, and how long a part of the song it may show."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._began = clock, clock()
        self._seen, self._spent, self._size, self._rate = 0, 0.0, 0, 0.0

    def frames(self, canvas: int, most: int) -> int:
        """For one more evaluation of the model: frames to draw of so many; 0 is not yet."""
        self._seen += 1
        passed = self._clock() - self._began
        size = min(GROWTH * self._size or LEAST, most)
        expected = self._rate * size
        if not self._size:
            evaluation = (passed - self._spent) / self._seen
            expected = START + SLOWER * evaluation * size / canvas
        return size if self._spent + expected <= SHARE * passed else 0

    def pay(self, frames: int, seconds: float) -> None:
        self._spent += seconds
        self._size = max(self._size, frames)
        # What a picture takes however short it is must not count for each frame of a long one.
        self._rate = seconds / max(frames, LEAST)


class MelPreview:
    """`branches`: how many of guidance's a step works on at once."""

    def __init__(self, model: ACEStep, clock: Clock = time.perf_counter, branches: int = 1) -> None:
        self._model, self._clock, self._branches = model, clock, branches
        self._budget, self._start = Budget(clock), 0

    def __call__(self, step: Step, x: Tensor, velocity: Tensor) -> Any:
        """A picture, or None where it is not yet time for one."""
        canvas = x.shape[-1]
        if canvas - self._start < LEAST:
            self._start = 0
        most = min(self._fitting(x), canvas - self._start)
        frames = self._budget.frames(canvas, most) if most else 0
        if not frames or not host.has_room(self._model.model.dcae):
            return None
        now = self._clock()
        image = self._drawn(x - step.sigma * velocity, frames)
        self._budget.pay(frames, self._clock() - now)
        return image

    def _fitting(self, x: Tensor) -> int:
        """Frames that the autoencoder can draw in the memory a step takes."""
        model, config = self._model.model, self._model.model.config
        width, dtype = config.transformer.inner_dim, model.transformer.dtype
        # Without words: their keys and values are made once, before the steps.
        step = len(x) * self._branches * attention_bytes(x.shape[-1], 0, width, dtype)
        finest = LATENT_HEIGHT * MEL_PER_FRAME**2 * config.dcae.decoder_block_out_channels[0]
        each = BUFFERS * finest * torch.finfo(model.dcae.dtype).bits // 8
        return min(WINDOW, step // each)

    def _drawn(self, estimate: Tensor, frames: int) -> Any:
        """The next part of the first clip."""
        start, total = self._start, estimate.shape[-1]
        self._start = start + frames
        part = Latent(estimate[:1, ..., start : start + frames])
        mel = self._model.codec.decode_mel(part, WHOLE)[0].mean(0)
        title = f"from {seconds_of(start):.1f} s of {seconds_of(total):.1f} s"
        return mel_picture(mel, part.seconds, title)
