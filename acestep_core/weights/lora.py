"""LoRA adapters: read strictly, added to a model that shares everything else.

    file -> Adapter -> with_adapters(model, [Applied(adapter, weight)]) -> another Model

The given model is never changed, so dropping the new one undoes the adapter to the last
bit. An adapter's strength is weight x 1, as the original and ComfyUI load it; the scale it
was trained with (alpha / rank) is an option.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..networks.transformer import Transformer
from ..settings import SettingError, checked
from .checkpoint import CheckpointError, Target, TensorFile, names_in, opened, put
from .keys import TRANSFORMER
from .model import Added, Model

FILE = "pytorch_lora_weights.safetensors"
# Prefixes that trainers and hosts put before the module path.
PREFIXES = ("base_model.model.", "diffusion_model.", "transformer.")
ENDINGS = {
    ".lora_A.weight": "down",
    ".lora_B.weight": "up",
    ".lora_A.default.weight": "down",
    ".lora_B.default.weight": "up",
    ".lora_down.weight": "down",
    ".lora_up.weight": "up",
    ".alpha": "alpha",
}
METADATA = "lora_adapter_metadata"
_VERSION_1_5 = re.compile(r"(^|\.)layers\.\d+\.(self_attn|cross_attn|mlp)\.\w+_proj")


@dataclass(frozen=True)
class Pair:
    """One module's low-rank change: up @ down."""

    down: Tensor  # (rank, in)
    up: Tensor  # (out, rank)
    alpha: float | None = None

    @property
    def rank(self) -> int:
        return self.down.shape[0]


@dataclass(frozen=True)
class Adapter:
    name: str
    pairs: Mapping[str, Pair]  # by our module name
    alpha: float | None = None  # of the whole file, where it says so
    rank_stabilised: bool = False

    def training_scale(self, pair: Pair) -> float | None:
        """alpha / rank (or / sqrt(rank)); None where the file does not say."""
        alpha = pair.alpha if pair.alpha is not None else self.alpha
        if alpha is None:
            return None
        return alpha / (math.sqrt(pair.rank) if self.rank_stabilised else pair.rank)


@dataclass(frozen=True)
class Applied:
    adapter: Adapter
    weight: float = 1.0
    training_scale: bool = False

    def __post_init__(self) -> None:
        checked(f"Weight of LoRA {self.adapter.name}", self.weight, -3, 3)

    def factor(self, pair: Pair) -> float:
        if not self.training_scale:
            return self.weight
        scale = self.adapter.training_scale(pair)
        if scale is None:
            raise SettingError(
                f"LoRA {self.adapter.name} does not say the alpha it was trained with."
                " Switch the training scale off and set the weight by ear."
            )
        return self.weight * scale


def read_adapter(path: Path | str) -> Adapter:
    """Read an adapter file, or the folder that holds one."""
    place = Path(path).expanduser()
    place = place / FILE if place.is_dir() else place
    with opened(place) as file:
        metadata = {**_config_beside(place), **_about(file.metadata() or {}, place)}
        pairs = _pairs(file, place)
    alpha = metadata.get("lora_alpha")
    if alpha is not None and not isinstance(alpha, (int, float)):
        raise CheckpointError(f"LoRA {place} says its alpha is {alpha!r}; it must be a number.")
    # Every adapter is saved under the same file name; its folder tells them apart.
    name = place.parent.name if place.name == FILE else place.stem
    return Adapter(
        name, pairs, None if alpha is None else float(alpha), bool(metadata.get("use_rslora"))
    )


def _pairs(file: TensorFile, place: Path) -> dict[str, Pair]:
    found: dict[str, dict[str, Tensor]] = {}
    unknown: list[str] = []
    for key in names_in(file):
        module, role = _module_of(key)
        if module is None or role is None:
            unknown.append(key)
        else:
            found.setdefault(module, {})[role] = file.get_tensor(key)
    if unknown or not found:
        raise CheckpointError(_complaint(place, unknown))
    broken = [name for name, parts in found.items() if not {"down", "up"} <= set(parts)]
    if broken:
        raise CheckpointError(f"LoRA {place} is incomplete: {broken[0]} lacks one of its halves.")
    return {name: _pair(name, parts, place) for name, parts in found.items()}


def _pair(name: str, parts: Mapping[str, Tensor], place: Path) -> Pair:
    down, up, alpha = parts["down"], parts["up"], parts.get("alpha", torch.ones(1))
    if down.ndim != 2 or up.ndim != 2 or alpha.numel() != 1:
        shapes = ", ".join(f"{role} {tuple(part.shape)}" for role, part in parts.items())
        raise CheckpointError(
            f"LoRA {place} does not fit: {name} has {shapes}; two matrices are expected."
        )
    return Pair(down, up, float(alpha) if "alpha" in parts else None)


def _module_of(key: str) -> tuple[str | None, str | None]:
    """(our module name, role) of an adapter key; (None, None) for anything else."""
    for ending, role in ENDINGS.items():
        if not key.endswith(ending):
            continue
        path = key.removesuffix(ending)
        for prefix in PREFIXES:
            path = path.removeprefix(prefix)
        try:
            name = TRANSFORMER.ours(f"{path}.weight")
        except KeyError:
            return None, None
        return (None, None) if name is None else (name.removesuffix(".weight"), role)
    return None, None


def _complaint(place: Path, unknown: Sequence[str]) -> str:
    if any(_VERSION_1_5.search(key) for key in unknown):
        return f"LoRA {place} was made for ACE-Step 1.5, which is another model."
    shown = ", ".join(unknown[:3]) or "nothing"
    return f"LoRA {place} was not made for ACE-Step v1: it changes {shown}."


def _about(metadata: Mapping[str, str], place: Path) -> dict[str, Any]:
    """lora_alpha, r, use_rslora as newer trainers write them into the file."""
    try:
        about = json.loads(metadata.get(METADATA, "{}"))
    except json.JSONDecodeError as error:
        raise CheckpointError(f"The metadata of {place} is not valid JSON: {error}.") from error
    if not isinstance(about, dict):
        return {}
    # Some trainers nest it by component, as "transformer.lora_alpha".
    return {key.rpartition(".")[2]: value for key, value in about.items()}


def _config_beside(place: Path) -> dict[str, Any]:
    config = place.parent / "config.json"
    if place.name != FILE or not config.is_file():
        return {}
    try:
        values = json.loads(config.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise CheckpointError(f"{config} is not valid JSON: {error}.") from error
    return values if isinstance(values, dict) else {}


def with_adapters(model: Model, applied: Sequence[Applied]) -> Model:
    """A model whose transformer has these adapters added; all other weights are shared."""
    old = model.transformer.module
    new = merged(old, deltas(old, applied))
    added = tuple(Added(a.adapter.name, a.weight, a.training_scale) for a in applied)
    part = replace(model.transformer, module=new)
    return replace(model, transformer=part, adapters=(*model.adapters, *added))


def merged(old: Transformer, changes: Mapping[str, Tensor]) -> Transformer:
    """A transformer with the changes added to its weights; unchanged parameters are shared."""
    with torch.device("meta"):
        new = Transformer(old.config)
    for name, parameter in old.named_parameters():
        path, _, leaf = name.rpartition(".")
        if leaf == "weight" and path in changes:
            weight = parameter.float() + changes[path].to(parameter.device)
            put(new, name, weight, Target(parameter.dtype, parameter.device))
        else:
            setattr(new.get_submodule(path), leaf, parameter)
    return new.eval()


def deltas(network: nn.Module, applied: Sequence[Applied]) -> dict[str, Tensor]:
    """Module name -> float32 change of its weight, summed over the adapters."""
    changes: dict[str, Tensor] = {}
    for item in applied:
        for name, pair in item.adapter.pairs.items():
            fits(network, item.adapter, name, pair)
            change = item.factor(pair) * (pair.up.float() @ pair.down.float())
            changes[name] = changes[name] + change if name in changes else change
    return changes


def fits(network: nn.Module, adapter: Adapter, name: str, pair: Pair) -> None:
    """Raise unless the pair has the shape of the module it changes."""
    try:
        weight = network.get_submodule(name).get_parameter("weight")
    except AttributeError:
        weight = torch.empty(0)
    shape = (pair.up.shape[0], pair.down.shape[1])
    if tuple(weight.shape) != shape or pair.up.shape[1] != pair.rank:
        raise CheckpointError(
            f"LoRA {adapter.name} does not fit this model: {name} is {tuple(weight.shape)},"
            f" the adapter changes {shape} at rank {pair.rank}. It was made for other sizes."
        )
