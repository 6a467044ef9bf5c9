"""The picture of a song while it is sampled: its estimate as a mel spectrogram, without sound.

    x, velocity -> x - sigma v -> 10 s of it -> autoencoder -> log-mel -> picture

It may take a twentieth of the time and no memory that another network needs; each picture
shows the next 10 s.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from torch import Tensor

from ..acestep_core.config import frames_of, seconds_of
from ..acestep_core.picture import mel_picture
from ..acestep_core.pipeline import ACEStep
from ..acestep_core.schedule import Step
from ..acestep_core.types import Latent
from . import host

SHARE = 0.05  # of the run's time, at most
WINDOW = frames_of(10.0)  # latent frames
FIRST = 0.5  # what the first picture is expected to take, in evaluations of the model


class MelPreview:
    def __init__(self, model: ACEStep, clock: Callable[[], float] = time.perf_counter) -> None:
        self._model, self._clock, self._began = model, clock, clock()
        self._seen, self._start, self._spent, self._cost = 0, 0, 0.0, 0.0

    def __call__(self, step: Step, x: Tensor, velocity: Tensor) -> Any:
        """A picture, or None where it is not yet time for one."""
        self._seen += 1
        now = self._clock()
        passed = now - self._began
        cost = self._cost or FIRST * (passed - self._spent) / self._seen
        if self._spent + cost > SHARE * passed or not host.has_room(self._model.model.dcae):
            return None
        image = self._drawn(x - step.sigma * velocity)
        self._cost = self._clock() - now
        self._spent += self._cost
        return image

    def _drawn(self, estimate: Tensor) -> Any:
        """The next window of the first clip."""
        frames = estimate.shape[-1]
        start = self._start if self._start < frames else 0
        self._start = start + WINDOW
        part = Latent(estimate[:1, ..., start : start + WINDOW])
        mel = self._model.codec.decode_mel(part)[0].mean(0)
        title = f"from {seconds_of(start):.1f} s of {seconds_of(frames):.1f} s"
        return mel_picture(mel, part.seconds, title)
