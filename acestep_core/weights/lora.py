"""LoRA adapters: read strictly, added to a model that shares everything else.

    file -> Adapter -> with_adapters(model, [Applied(adapter, weight)]) -> another Model

The given model is never changed, so dropping the new one undoes the adapter to the last
bit. An alpha that the file gives a module is applied (alpha / rank), as ComfyUI does. The
official files have none and count as they are; the alpha that their metadata or config.json
may tell is an option, for the original and ComfyUI leave it out.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..networks.transformer import TOGETHER, Transformer
from ..settings import SettingError, setting
from .checkpoint import CheckpointError, Target, TensorFile, names_in, opened, put
from .flaws import is_finite
from .model import Added, Model
from .spellings import ALPHA, DIFFERENCE, DOWN, KINDS, UP, complaint, spelled

FILE = "pytorch_lora_weights.safetensors"
METADATA = "lora_adapter_metadata"


@dataclass(frozen=True)
class Pair:
    """A low-rank change of one parameter: up @ down, in its shape."""

    down: Tensor  # (rank, in); of a convolution also (rank, in, *kernel)
    up: Tensor  # (out, rank), or with ones behind
    alpha: float | None = None

    @property
    def kind(self) -> str:
        return f"LoRA of rank {self.rank}"

    @property
    def rank(self) -> int:
        return self.down.shape[0]

    def unfit(self, shape: torch.Size) -> str | None:
        """What of the change does not fit a parameter of this shape."""
        made = (self.up.shape[0], self.down[0].numel())
        is_whole = self.up.ndim > 1 and self.up[0].numel() == self.rank
        if is_whole and made == (shape[0], shape[1:].numel()):
            return None
        return f"{made} at rank {self.rank}"

    def change(self, shape: torch.Size) -> Tensor:
        return (self.up.float().flatten(1) @ self.down.float().flatten(1)).reshape(shape)


@dataclass(frozen=True)
class Difference:
    """What is added to a parameter, number by number."""

    value: Tensor
    kind = "difference"

    def unfit(self, shape: torch.Size) -> str | None:
        # Convolutions have other axes of length one in files than here.
        given, own = ([size for size in one if size != 1] for one in (self.value.shape, shape))
        return None if given == own else f"{tuple(self.value.shape)}"

    def change(self, shape: torch.Size) -> Tensor:
        return self.value.float().reshape(shape)


@dataclass(frozen=True)
class Foreign:
    """A change that only a host's own code can make: LoHa, LoKr, OFT, DoRA and their like."""

    kind: str
    parts: Mapping[str, Tensor]  # by the endings that spellings.py lists
    alpha: float | None = None


Change = Pair | Difference | Foreign


@dataclass(frozen=True)
class Adapter:
    name: str
    changes: Mapping[str, Change]  # by our parameter's name
    alpha: float | None = None  # of the whole file, where it says so
    rank_stabilised: bool = False
    unread: int = 0  # tensors for parts that inference never reads

    def training_scale(self, pair: Pair) -> float | None:
        """alpha / rank (or / sqrt(rank)) by what the whole file says; None where it does not."""
        if self.alpha is None:
            return None
        return self.alpha / (math.sqrt(pair.rank) if self.rank_stabilised else pair.rank)

    def about(self) -> str:
        """What it changes, in words."""
        counts = Counter(change.kind for change in self.changes.values())
        words = "; ".join(f"{count} x {kind}" for kind, count in sorted(counts.items()))
        alone = f"; {self.unread} tensors left out, which inference does not use"
        return words + (alone if self.unread else "")


@dataclass(frozen=True)
class Applied:
    adapter: Adapter
    weight: float = 1.0
    training_scale: bool = False  # of the whole file, for pairs without an alpha of their own

    def __post_init__(self) -> None:
        setting("Applied.weight").check(self.weight, f"Weight of LoRA {self.adapter.name}")

    def factor(self, change: Change) -> float:
        if not isinstance(change, Pair):
            return self.weight
        if change.alpha is not None:
            return self.weight * change.alpha / change.rank
        if not self.training_scale:
            return self.weight
        scale = self.adapter.training_scale(change)
        if scale is None:
            raise SettingError(
                f"LoRA {self.adapter.name} does not say the alpha it was trained with."
                " Switch the training scale off and set the weight by ear."
            )
        return self.weight * scale


# --- reading -----------------------------------------------------------------------------


def read_adapter(path: Path | str) -> Adapter:
    """Read an adapter file, or the folder that holds one."""
    place = file_of(path)
    with opened(place) as file:
        metadata = {**_config_beside(place), **_about(file.metadata() or {}, place)}
        found, unread = _parts(file, place)
    alpha = metadata.get("lora_alpha")
    if alpha is not None and not isinstance(alpha, (int, float)):
        raise CheckpointError(f"LoRA {place} says its alpha is {alpha!r}; it must be a number.")
    # Every adapter is saved under the same file name; its folder tells them apart.
    name = place.parent.name if place.name == FILE else place.stem
    return Adapter(
        name,
        {parameter: _change(parameter, parts, place) for parameter, parts in found.items()},
        None if alpha is None else float(alpha),
        bool(metadata.get("use_rslora")),
        unread,
    )


def _parts(file: TensorFile, place: Path) -> tuple[dict[str, dict[str, Tensor]], int]:
    """Our parameter -> part -> tensor, and how many tensors nobody would read."""
    found: dict[str, dict[str, Tensor]] = {}
    unknown: list[str] = []
    unread = 0
    for key in names_in(file):
        one = spelled(key)
        if one is None:
            unknown.append(key)
        elif one.parameter is None:
            unread += 1
        elif one.part in found.get(one.parameter, {}):
            raise CheckpointError(f"LoRA {place} changes {one.parameter} twice: {key} repeats it.")
        else:
            found.setdefault(one.parameter, {})[one.part] = _sound(file, key, place)
    if unknown or not (found or unread):
        raise CheckpointError(complaint(place, unknown))
    if not found:
        raise CheckpointError(
            f"LoRA {place} changes only parts of ACE-Step v1 that inference does not use."
        )
    return found, unread


def _sound(file: TensorFile, key: str, place: Path) -> Tensor:
    tensor = file.get_tensor(key)
    if not is_finite(tensor):
        raise CheckpointError(
            f"LoRA {place} is broken: {key} holds NaN or infinite values. Its training diverged,"
            " or the file is damaged."
        )
    return tensor


def _change(name: str, parts: Mapping[str, Tensor], place: Path) -> Change:
    alpha = parts.get(ALPHA)
    if alpha is not None and alpha.numel() != 1:
        raise CheckpointError(
            f"LoRA {place} does not fit: {name} has an alpha of {tuple(alpha.shape)}; one number"
            " is expected."
        )
    number = None if alpha is None else float(alpha)
    kinds = [kind for kind, marks in KINDS.items() if set(marks) & set(parts)]
    if kinds:
        own = {part: tensor for part, tensor in parts.items() if part != ALPHA}
        return Foreign(kinds[0], own, number)
    if DIFFERENCE in parts:
        if {UP, DOWN} & set(parts):
            raise CheckpointError(f"LoRA {place} changes {name} twice, in two ways.")
        return Difference(parts[DIFFERENCE])
    if not {UP, DOWN} <= set(parts):
        raise CheckpointError(f"LoRA {place} is incomplete: {name} lacks one of its halves.")
    return _pair(name, parts[DOWN], parts[UP], number, place)


def _pair(name: str, down: Tensor, up: Tensor, alpha: float | None, place: Path) -> Pair:
    if down.ndim < 2 or up.ndim < 2 or not down.shape[0]:
        raise CheckpointError(
            f"LoRA {place} does not fit: {name} has down {tuple(down.shape)},"
            f" up {tuple(up.shape)}; two matrices are expected."
        )
    return Pair(down, up, alpha)


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


def read_named(one: Added) -> Applied:
    """The adapter that lies where the name says, ready to be added."""
    adapter = read_adapter(one.name)
    refuse_foreign(adapter)
    return Applied(adapter, one.weight, one.training_scale)


def file_of(path: Path | str) -> Path:
    """The adapter's file, where its folder was named."""
    place = Path(path).expanduser()
    return place / FILE if place.is_dir() else place


# --- adding ------------------------------------------------------------------------------


def refuse_foreign(adapter: Adapter) -> None:
    """Raise for what only a host can add, by its true name."""
    kinds = sorted({c.kind for c in adapter.changes.values() if isinstance(c, Foreign)})
    if kinds:
        raise CheckpointError(
            f"LoRA {adapter.name} is for ACE-Step v1 and of the kind {', '.join(kinds)}, which"
            " ComfyUI's code alone adds: use Load LoRA in ComfyUI, or export a plain LoRA."
        )


def with_adapters(model: Model, applied: Sequence[Applied]) -> Model:
    """A model whose transformer has these adapters added; all other weights are shared."""
    old = model.transformer.module
    new = merged(old, deltas(old, applied))
    part = model.transformer.of(new)
    return replace(model, transformer=part, adapters=(*model.adapters, *added(applied)))


def added(applied: Iterable[Applied]) -> tuple[Added, ...]:
    return tuple(Added(a.adapter.name, a.weight, a.training_scale) for a in applied)


def merged(old: Transformer, changes: Mapping[str, Tensor]) -> Transformer:
    """A transformer with the changes added to its weights; unchanged parameters are shared, but
    for those that lie beside a changed one: whether the old one has run decides nothing."""
    with torch.device("meta"):
        new = Transformer(old.config)
    own = set(_with_neighbours(changes))
    for name, parameter in old.named_parameters():
        target = Target(parameter.dtype, parameter.device)
        if name in changes:
            put(new, name, parameter.float() + changes[name].to(parameter.device), target)
        elif name in own:
            put(new, name, parameter, target)
        else:
            path, _, leaf = name.rpartition(".")
            setattr(new.get_submodule(path), leaf, parameter)
    return new.eval()


def _with_neighbours(names: Iterable[str]) -> Iterator[str]:
    """Parameters, and those that one product needs beside them."""
    for name in names:
        yield name
        for layer in TOGETHER:
            block, found, _ = name.partition(layer)
            if found:
                yield from (
                    f"{block}{one}.{part}" for one in TOGETHER for part in ("weight", "bias")
                )


def deltas(network: nn.Module, applied: Sequence[Applied]) -> dict[str, Tensor]:
    """Parameter -> float32 change of it, summed over the adapters."""
    changes: dict[str, Tensor] = {}
    for item in applied:
        refuse_foreign(item.adapter)
        for name, one in item.adapter.changes.items():
            assert not isinstance(one, Foreign)
            shape = fits(network, item.adapter, name, one)
            change = item.factor(one) * one.change(shape)
            changes[name] = changes[name] + change if name in changes else change
    return changes


def fits(network: nn.Module, adapter: Adapter, name: str, change: Change) -> torch.Size:
    """The shape of the parameter a change is for; raises unless the change has it."""
    path, _, leaf = name.rpartition(".")
    try:
        shape = network.get_submodule(path).get_parameter(leaf).shape
    except AttributeError:
        shape = torch.Size([0])
    unfit = "" if isinstance(change, Foreign) else change.unfit(shape)
    if unfit or not shape.numel():
        raise CheckpointError(
            f"LoRA {adapter.name} does not fit this model: {path} is {tuple(shape)},"
            f" the adapter changes {unfit}. It was made for other sizes."
        )
    return shape
