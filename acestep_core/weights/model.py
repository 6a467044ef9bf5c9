"""A loaded model: four networks, each with the place it runs at, and a tokenizer.

    Checkpoint -> load(...) -> Model -> with model.transformer.use() as network: ...

A `Part` knows how its network gets to the compute device. The core has two kinds, resident
and visiting (offloaded between uses); a host brings its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

import torch
from torch import nn

from ..conditions.tags import TagTokenizer
from ..config import VOCODER, ModelConfig
from ..networks.dcae import DCAE
from ..networks.layers import PLAIN, Ops
from ..networks.memory import Part, Resident, Visiting
from ..networks.transformer import Transformer
from ..networks.umt5 import TextEncoder
from ..networks.vocoder import Vocoder
from ..settings import SettingError
from .card import Card
from .checkpoint import PARTS, Checkpoint, CheckpointError, Target, load_part
from .tokenizer import tokenizer_of

# Gives a network made on the meta device, one of PARTS, its weights.
Fill = Callable[[nn.Module, str, Target], None]

NETWORKS: Mapping[str, Callable[..., nn.Module]] = {
    "transformer": Transformer,
    "dcae": DCAE,
    "vocoder": Vocoder,
    "text_encoder": TextEncoder,
}


@dataclass(frozen=True)
class Added:
    """An adapter that was added to a model."""

    name: str
    weight: float = 1.0
    training_scale: bool = False


@dataclass(frozen=True)
class Model:
    """Everything that is loaded. Frozen: an adapter makes another Model that shares weights."""

    name: str
    config: ModelConfig
    transformer: Part[Transformer]
    dcae: Part[DCAE]
    vocoder: Part[Vocoder]
    text_encoder: Part[TextEncoder]
    tokenizer: TagTokenizer
    is_demo: bool = False
    layout: str = "folder"
    sound: str = VOCODER  # what makes its log-mels sound
    adapters: tuple[Added, ...] = ()
    card: Card = field(default_factory=Card)

    @property
    def bytes_kept(self) -> int:
        parts = (self.transformer, self.dcae, self.vocoder, self.text_encoder)
        return sum(p.numel() * p.element_size() for part in parts for p in part.module.parameters())


@dataclass(frozen=True)
class Precision:
    """The dtype each network computes in; the codec is audibly safer in float32."""

    transformer: torch.dtype = torch.bfloat16
    text_encoder: torch.dtype = torch.bfloat16
    dcae: torch.dtype = torch.float32
    vocoder: torch.dtype = torch.float32

    @classmethod
    def full(cls) -> Precision:
        return cls(torch.float32, torch.float32)

    def checked(self, device: torch.device, label: str) -> Precision:
        """Itself, if that device can compute the codec so; `label` is the setting's name."""
        if device.type == "cpu" and torch.float16 in (self.dcae, self.vocoder):
            raise SettingError(
                f"{label} is float16, which needs a GPU. Choose float32, or bfloat16, which is"
                " faster."
            )
        return self


@dataclass(frozen=True)
class Placing:
    """How a Part is made from a network: where it is kept and where it computes."""

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    offload: bool = False
    ops: Ops = PLAIN

    def part(self, name: str, module: nn.Module, dtype: torch.dtype) -> Part[nn.Module]:
        """The Part of a filled network; `name` is one of PARTS."""
        if self.offload and self.device.type != "cpu":
            return Visiting(module, dtype, self.device)
        return Resident(module, dtype, self.device)

    def target(self, name: str, dtype: torch.dtype) -> Target:
        """The dtype and device that weights are kept in, for a part computing in `dtype`."""
        return Target(dtype, torch.device("cpu") if self.offload else self.device)


def build(part: str, config: ModelConfig, ops: Ops = PLAIN) -> nn.Module:
    """The network without weights, on the meta device."""
    with torch.device("meta"):
        return NETWORKS[part](getattr(config, part), ops)


def _built(part: str, checkpoint: Checkpoint, ops: Ops) -> nn.Module:
    try:
        return build(part, checkpoint.config, ops)
    except (ArithmeticError, AssertionError, LookupError, RuntimeError, ValueError) as error:
        raise CheckpointError(
            f"The configuration of {checkpoint.name} describes no {part} that can be built"
            f" ({str(error)[:120]})."
        ) from error


def load(
    checkpoint: Checkpoint,
    precision: Precision | None = None,
    placing: Placing | None = None,
    fill: Fill | None = None,
) -> Model:
    """Read all four networks and the tokenizer of a checkpoint; the weights may come from
    elsewhere than from its files."""
    checkpoint.require(*PARTS)
    tokenizer = tokenizer_of(checkpoint)  # first: it is small, and may be missing
    precision, placing = precision or default_precision(placing), placing or Placing()
    made: dict[str, Part[nn.Module]] = {}
    for name in PARTS:
        dtype = getattr(precision, name)
        module, target = _built(name, checkpoint, placing.ops), placing.target(name, dtype)
        if fill:
            fill(module, name, target)
        else:
            load_part(module, name, checkpoint, target)
        made[name] = placing.part(name, module, dtype)
    return Model(
        checkpoint.name,
        checkpoint.config,
        cast("Part[Transformer]", made["transformer"]),
        cast("Part[DCAE]", made["dcae"]),
        cast("Part[Vocoder]", made["vocoder"]),
        cast("Part[TextEncoder]", made["text_encoder"]),
        tokenizer,
        checkpoint.is_demo,
        checkpoint.layout,
        checkpoint.sound,
        card=checkpoint.card,
    )


# Names of dtypes that a user gives, and the networks that each is for.
COMPUTED = ("float32", "bfloat16", "float16")
PARTS_OF = {"dtype": ("transformer", "text_encoder"), "codec_dtype": ("dcae", "vocoder")}


def named_precision(
    placing: Placing, names: Mapping[str, str], label: str = "--codec-dtype"
) -> Precision:
    """What the names under the keys of PARTS_OF say; else, as for auto, what the device has.
    `label` is what errors call the codec's."""
    precision = default_precision(placing)
    for key, parts in PARTS_OF.items():
        name = names.get(key)
        if name in COMPUTED:
            precision = replace(precision, **dict.fromkeys(parts, getattr(torch, str(name))))
    return precision.checked(placing.device, label)


def default_precision(placing: Placing | None) -> Precision:
    """16-bit where the device computes it well, else float32."""
    device = placing.device if placing else torch.device("cpu")
    if device.type == "cuda" and torch.cuda.is_bf16_supported():
        return Precision()
    return Precision.full()
