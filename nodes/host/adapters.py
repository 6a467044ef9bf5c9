"""What ComfyUI's patchers add to a weight: its own adapter code, whatever the kind.

Change -> LoRAAdapter, ("diff", ...), or the class that knows the kind -> a patch
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ...acestep_core.weights.checkpoint import CheckpointError
from ...acestep_core.weights.lora import Adapter, Change, Difference, Foreign, Pair
from ...acestep_core.weights.spellings import DORA


def patch_of(adapter: Adapter, name: str, change: Change, shape: torch.Size) -> Any:
    """What a patcher adds to the parameter of that name and shape."""
    if isinstance(change, Difference):
        return "diff", (change.value.reshape(shape),)
    if isinstance(change, Foreign):
        return _checked(adapter, name, change, shape)
    return _low_rank(change)


def _low_rank(pair: Pair) -> Any:
    from comfy.weight_adapter import LoRAAdapter

    # Its alpha is in the strength already.
    return LoRAAdapter(set(), (pair.up, pair.down, None, None, None, None))


def _checked(adapter: Adapter, name: str, change: Foreign, shape: torch.Size) -> Any:
    """ComfyUI's adapter, once it is sure to fit: it would only log that it does not."""
    patch = _foreign(name, change, change.alpha)
    # On shapes alone. An alpha of zero asks for no comparison of values, which have none there.
    trial = _foreign(name, change, None if change.alpha is None else 0.0)
    if patch is None or trial is None or not _fits(trial, change, shape):
        raise CheckpointError(
            f"LoRA {adapter.name} does not fit this model: its {change.kind} for {name} does not"
            f" make a change of {tuple(shape)}. It is incomplete, or was made for other sizes."
        )
    return patch


def _foreign(name: str, change: Foreign, alpha: float | None) -> Any:
    from comfy import weight_adapter

    named = {f"{name}.{part}": tensor for part, tensor in change.parts.items()}
    for kind in weight_adapter.adapters:
        try:
            made = kind.load(name, named, alpha, change.parts.get(DORA), set())
        except KeyError:  # one of its tensors is missing
            return None
        if made is not None:
            return made
    return None


def _fits(patch: Any, change: Foreign, shape: torch.Size) -> bool:
    """Whether ComfyUI's code gets as far as adding something of this shape."""
    shapes: list[torch.Size] = []

    def seen(made: Tensor) -> Tensor:
        shapes.append(made.shape)
        return made

    try:
        patch.calculate_weight(torch.empty(shape, device="meta"), "", 1.0, 1.0, None, seen)
        scale = change.parts.get(DORA)
        whole = shape if scale is None else torch.broadcast_shapes(scale.shape, shape)
    except (RuntimeError, IndexError, AttributeError, TypeError, UnboundLocalError):
        return False
    return shapes == [shape] and whole == shape
