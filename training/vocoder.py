"""The vocoder's stage: log-mel -> waveform, spectral losses first, then opponents.

    wave with context -> (its gain drawn) -> log-mel -> backbone -> segment -> head -> wave

The backbone sees more mel frames than the head, so that its reach meets true context. In the
last part of the steps the mel comes from the trained autoencoder: that is what it will get.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from acestep_core.config import HOP
from acestep_core.networks.dcae import DCAE
from acestep_core.networks.vocoder import Vocoder
from acestep_core.sound.griffin_lim import griffin_lim
from acestep_core.sound.mel import log_mel

from . import autoencoder, opponents, spectra
from .autoencoder import log_mel_of, normal, one_of
from .data import Clips
from .kept import kept
from .stage import Course, Job, Run, begun, mixed_precision, teach, trained

COURSE = Course("vocoder", steps=20_000, rate=1e-3, betas=(0.8, 0.99), measure_every=500)
ADVERSARIAL = Course(
    "vocoder_adversarial", steps=20_000, rate=2e-4, betas=(0.8, 0.99), measure_every=500
)
SEGMENT, CONTEXT = 64, 32  # mel frames of the head's segment; more on each side for the backbone
DECODED_SHARE = 0.25  # of the steps, at the end, on the autoencoder's mel
QUIETEST = 0.3  # gain that a segment may be lowered to
MEASURED, MEASURED_FRAMES = 16, 128
RAMP = 500  # steps in which the opponents' word gains its weight

log = logging.getLogger(__name__)


class Sounding:
    """Segments of clips and the spectral losses."""

    def __init__(self, job: Job, course: Course = COURSE) -> None:
        self.job, self.clips = job, Clips(job.places.data)
        self.config = job.config.vocoder
        self.network = cast(Vocoder, begun(job, course.name, "vocoder"))
        self.parts: Mapping[str, nn.Module] = {"vocoder": self.network}
        self.companions: Mapping[str, nn.Module] = {}
        self.opponents: Mapping[str, nn.Module] = {}
        self.steps = job.steps or course.steps
        self.codec = self._codec()

    def _codec(self) -> DCAE | None:
        try:
            return cast(DCAE, trained(self.job, autoencoder.COURSE.name, "dcae"))
        except FileNotFoundError:
            log.warning("No autoencoder yet: the last steps will use the clips' own mel.")
            return None

    def loss(self, step: int, draw: torch.Generator) -> dict[str, Tensor]:
        made, real = self._made(step, draw)
        losses = self._spectral(made, real)
        return {"loss": losses["resolution"] + 0.5 * losses["mel"], **losses}

    def _spectral(self, made: Tensor, real: Tensor) -> dict[str, Tensor]:
        return {
            "resolution": spectra.multi_resolution(made, real),
            "mel": spectra.mel_error(made, real, self.config),
        }

    def _made(self, step: int, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        """Waves (B, N) of the network and of the clips."""
        batch = self.job.batch or 2
        pairs = [self._segment(step, draw) for _ in range(batch)]
        mel = torch.stack([mel for mel, _ in pairs]).to(self.job.device)
        real = torch.stack([wave for _, wave in pairs]).to(self.job.device)
        with mixed_precision(self.job.device):
            made = self.sound(mel)
        return made.float(), real

    def sound(self, mel: Tensor) -> Tensor:
        """Log-mel (B, 128, M) -> (B, 512 (M - 2 CONTEXT)): context is for the backbone alone."""
        states = self.network.backbone(mel)[..., CONTEXT:-CONTEXT]
        return self.network.head(states)[:, 0]

    def _segment(self, step: int, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        """(log-mel (128, M) with context, wave of the middle)."""
        clip = one_of(self.clips.training, draw)
        # One frame more on each side: the mel there sees mirrored samples.
        wide = SEGMENT + 2 * CONTEXT + 2
        last = self.clips.frames(clip) * 8 - wide
        start, side = (int(torch.randint(n, (), generator=draw)) for n in (last + 1, 2))
        gain = QUIETEST + (1 - QUIETEST) * float(torch.rand((), generator=draw))
        wave = gain * self.clips.wave(clip, start * HOP, wide * HOP)
        mel = log_mel(wave, self.config)[..., 1:-1]
        if self.codec is not None and step >= (1 - DECODED_SHARE) * self.steps:
            mel = self._decoded(self.codec, mel)
        middle = (CONTEXT + 1) * HOP
        return mel[side], wave[side, middle : middle + SEGMENT * HOP]

    @torch.no_grad()
    def _decoded(self, codec: DCAE, mel: Tensor) -> Tensor:
        """Log-mel (2, 128, M) through the autoencoder."""
        seen = normal(mel)[None].to(self.job.device)
        return log_mel_of(codec.decoder(codec.encoder(seen)))[0].cpu()

    @torch.no_grad()
    def measure(self) -> dict[str, float]:
        """Distances on held-out segments, beside those of Griffin-Lim from the same mel."""
        totals: dict[str, float] = {}
        clips = self.clips.held_out[:MEASURED]
        for clip in clips:
            real = self.clips.wave(clip, 0, MEASURED_FRAMES * HOP)[:1]
            mel = log_mel(real, self.config)
            made = self.network(mel.to(self.job.device))[:, 0].cpu()
            for name, wave in (("held_out", made), ("griffin_lim", self._reference(mel))):
                for figure, value in spectra.figures(wave, real, self.config).items():
                    key = f"{name}_{figure}"
                    totals[key] = totals.get(key, 0.0) + value / len(clips)
        return totals

    def _reference(self, mel: Tensor) -> Tensor:
        return griffin_lim(mel, self.config)


class Opposed(Sounding):
    """The same with opponents; starts from the spectral stage's vocoder."""

    def __init__(self, job: Job) -> None:
        super().__init__(job, ADVERSARIAL)
        if not kept(job.places, ADVERSARIAL.name, "vocoder"):
            first = trained(job, COURSE.name, "vocoder")
            self.network.load_state_dict(first.state_dict())
        self.against = opponents.Opponents().to(job.device)
        self.opponents: Mapping[str, nn.Module] = {"opponents": self.against}
        settings = {"lr": 2e-4, "betas": ADVERSARIAL.betas}
        self.optimizer = torch.optim.AdamW(self.against.parameters(), **settings)
        self.first_step: int | None = None

    def loss(self, step: int, draw: torch.Generator) -> dict[str, Tensor]:
        # The autoencoder's mel from the first step on: the spectral stage ended with it.
        made, real = self._made(self.steps, draw)
        opposing = opponents.told_apart(self.against(real), self.against(made.detach()))
        self.optimizer.zero_grad(set_to_none=True)
        opposing.backward()
        self.optimizer.step()
        self.first_step = step if self.first_step is None else self.first_step
        weight = min(1.0, (step - self.first_step) / RAMP)
        for_real, for_made = self.against(real), self.against(made)
        spectral = self._spectral(made, real)
        fooled, alike = opponents.fooled(for_made), opponents.alike(for_real, for_made)
        total = spectral["resolution"] + 0.5 * spectral["mel"] + weight * (0.1 * fooled + alike)
        opposing = opposing.detach()
        return {"loss": total, **spectral, "fooled": fooled, "alike": alike, "opposing": opposing}


def run(job: Job) -> Run:
    return teach(Sounding(job), COURSE, job)


def run_adversarial(job: Job) -> Run:
    return teach(Opposed(job), ADVERSARIAL, job)
