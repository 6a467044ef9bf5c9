"""The side of a peer: answers one question a line until its input ends.

    {"ask": "prepare", "work": "decode", ...} -> {"ok": true}
    {"ask": "run"}                            -> {"seconds": 1.2, "peak": bytes beyond the weights}
    {"ask": "save", "to": "x.npy"}            -> {"ok": true}
    anything that fails                       -> {"error": "Kind: first line"}

Made for environments that hold torch and numpy beside the peer: nothing of the pack is imported.
"""

from __future__ import annotations

import ctypes
import gc
import json
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from bench.measure import Memory, anonymous

Work = Callable[[], torch.Tensor]


@dataclass(frozen=True)
class Asked:
    """What to make ready. `seconds` of music, `tags` + `lyrics` tokens, weights in `folder`."""

    work: str  # step, decode, load
    folder: Path
    dtype: torch.dtype
    seconds: float = 0.0
    frames: int = 0
    tags: int = 0
    lyrics: int = 0

    @classmethod
    def of(cls, said: dict[str, Any]) -> Asked:
        dtype = getattr(torch, said.pop("dtype"))
        return cls(folder=Path(said.pop("folder")), dtype=dtype, **said)

    def drawn(self, *shape: int, seed: int) -> torch.Tensor:
        """The same numbers in every peer."""
        return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(self.dtype)

    @property
    def latent(self) -> torch.Tensor:
        """(1, 8, 16, frames)"""
        return self.drawn(1, 8, 16, self.frames, seed=1)

    @property
    def tag_states(self) -> torch.Tensor:
        """(1, tags, 768)"""
        return self.drawn(1, self.tags, 768, seed=2)

    @property
    def lyric_ids(self) -> torch.Tensor:
        """(1, lyrics)"""
        draw = torch.Generator().manual_seed(3)
        return torch.randint(3, 6000, (1, self.lyrics), generator=draw)


class Peer(Protocol):
    def step(self, asked: Asked) -> Work:
        """Two branches at sigma 0.7 -> velocities (2, 8, 16, T): with the tags, without them."""
        ...

    def decode(self, asked: Asked) -> Work:
        """A latent -> wave (2, N) at 44.1 kHz."""
        ...

    def load(self, asked: Asked) -> None:
        """Transformer, decoder and vocoder from their files."""
        ...


SIGMA = 0.7  # of the step; timesteps are 1000 times that


def trimmed() -> int:
    """Bytes held now, after what loading has freed was given back: kept by the allocator, it
    would hide what the work takes."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    return anonymous()


ANSWER = "\x1e"  # begins one, so that whatever else a program prints is none


def work_of(peer: Peer, asked: Asked) -> Work:
    """What a run does; for `load` its result is nothing to compare."""
    if asked.work != "load":
        return getattr(peer, asked.work)(asked)

    def load() -> torch.Tensor:
        peer.load(asked)
        return torch.zeros(1)

    return load


def serve(peer: Peer) -> None:
    work: Work | None = None
    out, held = torch.zeros(0), 0
    for line in sys.stdin:
        said = json.loads(line)
        try:
            match said.pop("ask"):
                case "prepare":
                    work, out = None, torch.zeros(0)
                    gc.collect()
                    asked = Asked.of(said)
                    with torch.inference_mode():
                        work = work_of(peer, asked)
                    held = trimmed()
                    answer: dict[str, Any] = {"ok": True}
                case "run":
                    assert work is not None, "nothing was prepared"
                    out = torch.zeros(0)
                    with torch.inference_mode(), Memory() as memory:
                        began = time.perf_counter()
                        out = work()
                        took = time.perf_counter() - began
                    answer = {"seconds": took, "peak": memory.peak - held}
                case "save":
                    np.save(said["to"], out.float().numpy())
                    answer = {"ok": True}
                case other:
                    answer = {"error": f"nobody answers {other!r}"}
        except Exception as error:
            traceback.print_exc(file=sys.stderr)
            first = (str(error).splitlines() or [""])[0]
            answer = {"error": f"{type(error).__name__}: {first}"}
        print(ANSWER + json.dumps(answer), flush=True)
