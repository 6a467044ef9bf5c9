"""Every clip's latent, made once by the trained autoencoder.

    clips -> mel -> latent -> latents-0000.npy (clips, 8, 16, T) float16, one file per shard

The folder's name holds a digest of the autoencoder's weights: a better autoencoder makes new
latents and never mixes with old ones.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from acestep_core.atomic import replaced

from .autoencoder import COURSE, RoundTrip
from .data import Clip, Clips
from .places import made
from .stage import Job, finished

log = logging.getLogger(__name__)


def folder_of(job: Job) -> Path:
    weights = finished(job, COURSE.name, "dcae").read_bytes()
    digest = hashlib.sha256(weights).hexdigest()[:12]
    return made(job.places.work / "latents" / digest)


class Latents:
    """Latents of the clips, encoded where they are missing."""

    def __init__(self, job: Job) -> None:
        self.clips = Clips(job.places.data)
        self.folder = folder_of(job)
        shards = sorted({clip.shard for clip in self.clips.all})
        missing = [shard for shard in shards if not self._path(shard).is_file()]
        if missing:
            trip = RoundTrip(job)
            for shard in missing:
                self._encode(trip, shard)
        self.shards = {shard: np.load(self._path(shard), mmap_mode="r") for shard in shards}

    def _path(self, shard: int) -> Path:
        return self.folder / f"latents-{shard:04}.npy"

    def _encode(self, trip: RoundTrip, shard: int) -> None:
        clips = [clip for clip in self.clips.all if clip.shard == shard]
        latents = torch.stack([trip.latent(self.clips.mel(clip)) for clip in clips])
        with replaced(self._path(shard)) as temporary, temporary.open("wb") as file:
            np.save(file, latents.numpy().astype(np.float16))
        log.info("latents of shard %d", shard)

    def of(self, clip: Clip) -> Tensor:
        """(8, 16, T) float32."""
        return torch.from_numpy(self.shards[clip.shard][clip.row].astype(np.float32))

    def frames(self, clip: Clip) -> int:
        return self.shards[clip.shard].shape[-1]
