"""The autoencoder's stage: log-mel -> latent -> log-mel.

Loss: absolute error of the log-mel and of its differences in time and frequency, and a small
penalty that keeps every latent channel at mean 0 and deviation 1 under the released scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from acestep_core.config import MEL_PER_FRAME
from acestep_core.networks.dcae import DCAE
from acestep_core.sound.codec import MEL_HIGH, MEL_LOW, SCALE, SHIFT

from .data import Clip, Clips
from .stage import Course, Job, Run, begun, mixed_precision, teach, trained

COURSE = Course("autoencoder", steps=10_000, rate=2e-3)
SHORT_CROP, LONG_CROP = 64, 128  # mel frames; the attention looks at all of them
SHORT_SHARE = 0.6  # of the steps
MEASURED, MEASURED_FRAMES = 32, 256  # held-out clips, mel frames of each
UNIT = (MEL_HIGH - MEL_LOW) / 2  # log-mel per unit that the network sees


def normal(mel: Tensor) -> Tensor:
    """Log-mel as the network sees it, mostly in -1..1."""
    return (mel - MEL_LOW) / UNIT - 1


def log_mel_of(seen: Tensor) -> Tensor:
    return (seen + 1) * UNIT + MEL_LOW


def differences(a: Tensor, b: Tensor) -> Tensor:
    """Absolute error of the slopes in both axes."""
    error = a - b
    return error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()


def unevenness(z: Tensor) -> Tensor:
    """How far the channels of (B, 8, 16, T) are from mean 0 and deviation 1."""
    deviation, mean = torch.std_mean(z.float(), (0, 2, 3))
    return (mean.square() + (deviation - 1).square()).mean()


class Autoencoding:
    def __init__(self, job: Job) -> None:
        self.job, self.clips = job, Clips(job.places.data)
        self.network = cast(DCAE, begun(job, COURSE.name, "dcae"))
        self.parts: Mapping[str, nn.Module] = {"dcae": self.network}
        self.companions: Mapping[str, nn.Module] = {}
        self.opponents: Mapping[str, nn.Module] = {}
        self.steps = job.steps or COURSE.steps

    def loss(self, step: int, draw: torch.Generator) -> dict[str, Tensor]:
        is_short = step < SHORT_SHARE * self.steps
        length = SHORT_CROP if is_short else LONG_CROP
        batch = (self.job.batch or 8) * SHORT_CROP // length
        mel = torch.stack([self._crop(length, draw) for _ in range(max(batch, 1))])
        seen = normal(mel).to(self.job.device)
        with mixed_precision(self.job.device):
            latent = self.network.encoder(seen)
            made = self.network.decoder(latent)
        error = UNIT * (made.float() - seen).abs().mean()
        slopes = UNIT * differences(made.float(), seen)
        penalty = unevenness((latent.float() - SHIFT) * SCALE)
        return {"loss": error + 0.25 * slopes + 0.02 * penalty, "l1": error, "penalty": penalty}

    def _crop(self, length: int, draw: torch.Generator) -> Tensor:
        clip = one_of(self.clips.training, draw)
        last = self.clips.frames(clip) * MEL_PER_FRAME - length
        return self.clips.mel(clip, int(torch.randint(last + 1, (), generator=draw)), length)

    @torch.no_grad()
    def measure(self) -> dict[str, float]:
        errors = []
        for clip in self.clips.held_out[:MEASURED]:
            mel = self.clips.mel(clip, 0, MEASURED_FRAMES)[None].to(self.job.device)
            with mixed_precision(self.job.device):
                made = self.network.decoder(self.network.encoder(normal(mel)))
            errors.append(float((log_mel_of(made.float()) - mel).abs().mean()))
        return {"held_out_l1": sum(errors) / len(errors)}


def one_of(clips: list[Clip], draw: torch.Generator) -> Clip:
    return clips[int(torch.randint(len(clips), (), generator=draw))]


def run(job: Job) -> Run:
    return teach(Autoencoding(job), COURSE, job)


class RoundTrip:
    """Clips through the trained autoencoder: to latents and back, whole."""

    def __init__(self, job: Job) -> None:
        self.network = cast(DCAE, trained(job, COURSE.name, "dcae"))
        self.device = job.device

    @torch.no_grad()
    def latent(self, mel: Tensor) -> Tensor:
        """Log-mel (2, 128, 8T) -> scaled latent (8, 16, T)."""
        raw = self.network.encoder(normal(mel)[None].to(self.device))
        return ((raw - SHIFT) * SCALE)[0].cpu()

    @torch.no_grad()
    def mel(self, latent: Tensor) -> Tensor:
        """Scaled latent (8, 16, T) -> log-mel (2, 128, 8T)."""
        raw = latent[None].to(self.device) / SCALE + SHIFT
        return log_mel_of(self.network.decoder(raw))[0].cpu()
