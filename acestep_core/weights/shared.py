"""The weights of a loaded model side by side in one piece of memory, for several processes.

    networks -> gathered -> piece of memory + Places -> Weights -> another process -> fill(network)

On a processor weights are wider than in their files, and laid out otherwise: the pages of the
files, which a system shares by itself, are not what networks compute with.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

import torch
from torch import Tensor, nn

from .checkpoint import Target, hang
from .model import Added, Fill

ALIGNED = 64  # bytes, as torch aligns what it allots


@dataclass(frozen=True)
class Place:
    """Where a weight lies in the piece, and how."""

    start: int  # bytes
    dtype: torch.dtype
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    size: int  # bytes

    def of(self, piece: Tensor) -> Tensor:
        """The weight in a piece (N,) of bytes: the same memory."""
        flat = piece[self.start : self.start + self.size].view(self.dtype)
        return flat.as_strided(self.shape, self.strides)


Places = Mapping[str, Mapping[str, Place]]  # by part, and by its parameters' names


@dataclass(frozen=True)
class Weights:
    """What another process needs to compute with the weights of this one; nobody writes to them."""

    places: Places
    opened: Callable[[], Tensor]  # the piece (N,) of bytes, in the process that asks
    adapters: tuple[Added, ...] = ()  # that are in them

    def filling(self) -> Fill:
        """Gives networks made on the meta device their weights; on the processor no byte of them
        is copied."""
        piece = self.opened()

        def fill(network: nn.Module, part: str, target: Target) -> None:
            places = self.places[part]
            wanted = {name: tuple(one.shape) for name, one in network.named_parameters()}
            held = {name: place.shape for name, place in places.items()}
            assert held == wanted, "the weights are of the same checkpoint"
            for name, place in places.items():
                hang(network, name, place.of(piece).to(target.device, target.dtype))
            network.eval()

        return fill


class Piece(Protocol):
    """A kind of memory that other processes can read."""

    def room(self, size: int) -> Tensor:
        """(size,) bytes of it, to be written once."""
        ...

    def opener(self) -> Callable[[], Tensor]:
        """How another process gets at them, once they are written."""
        ...


def gathered(
    networks: Mapping[str, nn.Module], piece: Piece, adapters: tuple[Added, ...] = ()
) -> Weights:
    """Move the weights of networks, by part, into a piece; they themselves read them there. What
    lies side by side does so there as well."""
    places: dict[str, dict[str, Place]] = {}
    starts: dict[int, int] = {}  # of blocks of memory, which may hold several weights
    size = 0
    for part, network in networks.items():
        own = places[part] = {}
        for name, weight in network.named_parameters():
            block = weight.untyped_storage()
            if block.data_ptr() not in starts:
                starts[block.data_ptr()] = size
                size += -(-block.nbytes() // ALIGNED) * ALIGNED
            start = starts[block.data_ptr()] + int(weight.storage_offset()) * weight.itemsize
            shape, strides = tuple(weight.shape), weight.stride()
            own[name] = Place(start, weight.dtype, shape, strides, weight.nbytes)
    room = piece.room(size)
    for part, own in places.items():
        for name, place in own.items():
            weight = networks[part].get_parameter(name)
            hang(networks[part], name, place.of(room).copy_(weight))
            del weight  # so that it is free before the next one takes its room
    return Weights(places, piece.opener(), adapters)


@dataclass(frozen=True)
class Mapped:
    """Opens a file's bytes; pages that somebody writes to become his own."""

    path: str
    size: int

    def __call__(self) -> Tensor:
        return torch.from_file(self.path, shared=False, size=self.size, dtype=torch.uint8)


class InMemory:
    """Memory of this process that others find under /proc while it lives: a file without a disk or
    a name, of which nothing is left behind however the process ends. Linux alone has that."""

    is_known = sys.platform == "linux" and hasattr(os, "memfd_create")

    def __enter__(self) -> InMemory:
        self._file, self._size = os.memfd_create("acestep weights"), 0
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)

    @property
    def _path(self) -> str:
        return f"/proc/{os.getpid()}/fd/{self._file}"

    def room(self, size: int) -> Tensor:
        os.truncate(self._file, size)
        self._size = size
        return torch.from_file(self._path, shared=True, size=size, dtype=torch.uint8)

    def opener(self) -> Mapped:
        return Mapped(self._path, self._size)
