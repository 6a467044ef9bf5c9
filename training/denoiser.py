"""The denoiser's stage: noise -> latents, under tags, by flow matching.

    latent z, noise e, time s  -> x = (1 - s) z + s e -> network -> velocity, compared with e - z

The original's recipe: times are logit-normal and shifted by 3; tags are dropped in 15 % of the
items (states zero), lyrics in 15 % (ids and mask zero). From step 7362 on, every second item (for
1700 steps three of four) has its time shifted by 16: without them a network this small never
learned where beats lie, which is decided where there is almost nothing but noise. The speaker
vector, which the original drops in half of them, is always zero here. The tag encoder is trained
along. All clips are instrumental: lyrics are the section [inst], and in some items any tokens at
all, so that the network learns to leave lyrics alone.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from acestep_core.networks.transformer import Transformer
from acestep_core.networks.umt5 import TextEncoder
from acestep_core.types import Branch

from . import prompts, text
from .autoencoder import one_of
from .data import LONG, Clip
from .kept import kept
from .latents import Latents
from .probe import usable
from .stage import Course, Job, Run, begun, drawing, mixed_precision, teach, trained

COURSE = Course("denoiser", steps=20_000, rate=1e-3, mean=0.997, measure_every=500)
BATCH = 8  # clips of 10 s; of the long ones as many as fill the same frames
LONG_SHARE = 0.15  # of the steps
SHIFT = 3.0
NOISIER = 16.0  # where a beat begins or does not
DROP_TAGS, DROP_LYRICS, ANY_LYRICS = 0.15, 0.15, 0.15
INSTRUMENTAL = (261, 259, 6688, 2)  # the tokens of the lyrics "[inst]"
MEASURED = 32


@dataclass(frozen=True)
class Conditions:
    ids: Tensor  # (B, S) of the tags
    mask: Tensor  # (B, S)
    heard: Tensor  # (B,) 0 where the tags are dropped
    lyrics: Tensor  # (B, L)
    lyric_mask: Tensor  # (B, L)


def shifted(uniform: Tensor, shift: float = SHIFT) -> Tensor:
    return shift * uniform / (1 + (shift - 1) * uniform)


def times(count: int, draw: torch.Generator) -> Tensor:
    """Logit-normal times in 0..1, shifted towards noise; every second one much more so."""
    uniform = torch.randn(count, generator=draw).sigmoid()
    return torch.where(torch.arange(count) % 2 == 0, shifted(uniform), shifted(uniform, NOISIER))


class Denoising:
    def __init__(self, job: Job) -> None:
        self.job, self.latents, self.groups = job, Latents(job), usable(job.places)
        self.tokenize = text.tokenizer_of(job)
        self.network = cast(Transformer, begun(job, COURSE.name, "transformer"))
        self.encoder = cast(TextEncoder, self._encoder())
        self.parts: Mapping[str, nn.Module] = {
            "transformer": self.network,
            "text_encoder": self.encoder,
        }
        self.companions: Mapping[str, nn.Module] = {}
        self.opponents: Mapping[str, nn.Module] = {}
        clips = self.latents.clips.training
        self.long = [clip for clip in clips if self.latents.frames(clip) == LONG]
        self.short = [clip for clip in clips if self.latents.frames(clip) != LONG]

    def _encoder(self) -> nn.Module:
        if kept(self.job.places, COURSE.name, "text_encoder"):
            return begun(self.job, COURSE.name, "text_encoder")
        return trained(self.job, text.COURSE.name, "text_encoder").requires_grad_(True)

    def loss(self, step: int, draw: torch.Generator) -> dict[str, Tensor]:
        is_long = bool(torch.rand((), generator=draw) < LONG_SHARE) and bool(self.long)
        batch = self.job.batch or BATCH
        batch, clips = (max(batch // 3, 1), self.long) if is_long else (batch, self.short)
        chosen = [one_of(clips, draw) for _ in range(batch)]
        z = torch.stack([self.latents.of(clip) for clip in chosen]).to(self.job.device)
        words = random.Random(draw.initial_seed())
        said = [prompts.drawn(clip.tags, clip.bpm, self.groups, words)[0] for clip in chosen]
        conditions = self._conditions(said, draw)
        return {"loss": self._error(z, times(batch, draw), conditions, draw)}

    def _conditions(self, texts: list[str], draw: torch.Generator) -> Conditions:
        """With the drop-outs of training."""
        count = len(texts)
        ids, mask = text.batch_of(texts, self.tokenize, self.job.device)
        heard = torch.rand(count, generator=draw) >= DROP_TAGS
        chance = torch.rand(count, generator=draw)
        lyrics = torch.tensor([INSTRUMENTAL] * count)
        vocabulary = self.job.config.transformer.lyric_encoder_vocab_size
        other = torch.randint(vocabulary, lyrics.shape, generator=draw)
        lyrics[chance > 1 - ANY_LYRICS] = other[chance > 1 - ANY_LYRICS]
        lyric_mask = torch.ones_like(lyrics)
        lyrics[chance < DROP_LYRICS] = 0
        lyric_mask[chance < DROP_LYRICS] = 0
        device = self.job.device
        return Conditions(
            ids, mask, heard.float().to(device), lyrics.to(device), lyric_mask.to(device)
        )

    def _error(self, z: Tensor, sigma: Tensor, given: Conditions, draw: torch.Generator) -> Tensor:
        """Squared error of the velocity, mean over everything."""
        noise = torch.randn(z.shape, generator=draw).to(z.device)
        sigma = sigma.to(z.device)
        level = sigma[:, None, None, None]
        x = (1 - level) * z + level * noise
        # Plain attention: torch's fused one has a slow gradient in bfloat16 on CPUs, 0.75 s a step
        # against 0.59.
        with mixed_precision(self.job.device), sdpa_kernel(SDPBackend.MATH):
            states = self.encoder(given.ids, given.mask, torch.float32)
            states = states * given.heard[:, None, None]
            # A lyric with every token masked has no slope (0/0); hiding it here is the same.
            seen = torch.ones_like(given.lyric_mask)
            context, mask = self.network.encode(states, given.mask, given.lyrics, seen)
            mask = torch.cat((mask[:, : -seen.shape[1]], given.lyric_mask.float()), 1)
            velocity = self.network(x, 1000 * sigma, Branch(context, mask))
        return (velocity.float() - (noise - z)).square().mean()

    @torch.no_grad()
    def measure(self) -> dict[str, float]:
        """Error on held-out clips with their own tags, none, and another clip's."""
        clips = [c for c in self.latents.clips.held_out if self.latents.frames(c) != LONG]
        clips, totals = clips[:MEASURED], {"own": 0.0, "none": 0.0, "other": 0.0}
        starts = range(0, len(clips), 8)
        for start in starts:
            batch = clips[start : start + 8]
            z = torch.stack([self.latents.of(clip) for clip in batch]).to(self.job.device)
            for kind in totals:
                draw = drawing(7, start)
                sigma = shifted((torch.arange(len(batch)) + 0.5) / len(batch))
                given = self._plain(batch, kind)
                totals[kind] += float(self._error(z, sigma, given, draw)) / len(starts)
        return {f"held_out_{kind}": value for kind, value in totals.items()}

    def _plain(self, clips: list[Clip], kind: str) -> Conditions:
        tags = [clip.tags for clip in clips]
        tags = tags[1:] + tags[:1] if kind == "other" else tags
        texts = [prompts.full(one, self.groups) for one in tags]
        ids, mask = text.batch_of(texts, self.tokenize, self.job.device)
        lyrics = torch.tensor([INSTRUMENTAL] * len(clips), device=self.job.device)
        heard = torch.full((len(clips),), float(kind != "none"), device=self.job.device)
        return Conditions(ids, mask, heard, lyrics, torch.ones_like(lyrics))


def run(job: Job) -> Run:
    return teach(Denoising(job), COURSE, job)
