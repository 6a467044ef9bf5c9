"""Weight norm in checkpoints: three spellings, folded into plain weights while loading.

weight_g, weight_v                              as first published
parametrizations.weight.original0, .original1   as newer torch and ComfyUI save it
weight                                          folded already
"""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

ENDINGS = {
    ".weight_g": "gain",
    ".weight_v": "direction",
    ".parametrizations.weight.original0": "gain",
    ".parametrizations.weight.original1": "direction",
}


def half_of(key: str) -> tuple[str, str | None]:
    """A half's key -> (key of the folded weight, "gain" or "direction"); others -> (key, None)."""
    for ending, role in ENDINGS.items():
        if key.endswith(ending):
            return key.removesuffix(ending) + ".weight", role
    return key, None


def folded(gain: Tensor, direction: Tensor) -> Tensor:
    """g v / |v| in float32; the norm runs over all axes but the first."""
    v = direction.float()
    norm = v.flatten(1).norm(dim=1).reshape(-1, *(1 for _ in v.shape[1:]))
    return gain.float() * v / norm


@dataclass
class Halves:
    """Holds the first half of a weight until the other one comes by."""

    waiting: dict[str, dict[str, Tensor]] = field(default_factory=dict)

    def add(self, key: str, role: str, tensor: Tensor) -> tuple[Tensor, Tensor] | None:
        """(gain, direction) once both are there."""
        halves = self.waiting.setdefault(key, {})
        halves[role] = tensor
        if len(halves) < 2:
            return None
        del self.waiting[key]
        return halves["gain"], halves["direction"]
