"""Networks before the first step: torch's defaults, except where those would not train.

Gains, offsets and modulation rows live in embeddings, whose default is noise; UMT5 does not
divide by the root of the head width, so its queries start smaller.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from acestep_core.config import ModelConfig
from acestep_core.weights.model import NETWORKS

Rules = dict[str, float]

# Ending of a name -> the value it starts with.
CONSTANTS: dict[str, Rules] = {
    "dcae": {"gain.weight": 1.0, "offset.weight": 0.0},
    "vocoder": {"gain.weight": 0.2},  # layer scale; 1e-6 as published learns nothing for hours
    "text_encoder": {
        "attention_norm.weight": 1.0,
        "feed_norm.weight": 1.0,
        "norm.weight": 1.0,
        "positions.weight": 0.0,
    },
    "transformer": {
        "modulation.weight": 0.0,
        "final.weight": 0.0,
        "final.bias": 0.0,
        "time_blocks.bias": 0.0,
        "content_bias.weight": 0.0,
        "position_bias.weight": 0.0,
    },
}
GATE = 0.1  # of a transformer block's two branches at the start
MEAN_MEL = -4.0  # of the vocoder's input


def fresh(part: str, config: ModelConfig, seed: int = 0) -> nn.Module:
    """The network of a part with weights to start from."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = NETWORKS[part](getattr(config, part))
        with torch.no_grad():
            for name, parameter in network.named_parameters():
                _start(part, name, parameter)
    # As weights are laid when they are read: a run that goes on computes what one would that
    # never stopped.
    return network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


def _start(part: str, name: str, weight: Tensor) -> None:
    for ending, value in CONSTANTS[part].items():
        if name.endswith(ending):
            weight.fill_(value)
    {"transformer": _transformer, "text_encoder": _text, "vocoder": _vocoder}.get(
        part, lambda name, weight: None
    )(name, weight)


def _transformer(name: str, weight: Tensor) -> None:
    if name.startswith("blocks.") and name.endswith("modulation.weight"):
        weight[2].fill_(GATE)
        weight[5].fill_(GATE)
    elif name.endswith("cross_attention.out.weight"):
        weight.mul_(GATE)  # cross-attention has no gate
    elif name == "time_blocks.weight":
        weight.normal_(std=0.02)


def _text(name: str, weight: Tensor) -> None:
    if name.endswith("query.weight"):
        weight.normal_(std=1 / math.sqrt(weight.shape[1] * 16))
    elif name.startswith("blocks.") and weight.shape[0] > 1 and "positions" not in name:
        weight.normal_(std=1 / math.sqrt(weight.shape[1]))


def _vocoder(name: str, weight: Tensor) -> None:
    """Filters of the head at a norm that keeps the level of the signal from end to end."""
    if not name.startswith("head.") or weight.ndim < 2:
        return
    gain = 0.2 if "conv_out" in name else 0.5 if ".plain." in name else 1.5
    # A transposed filter's inputs are its first axis.
    axes = (0, 2, 3) if ".ups." in name else (1, 2, 3)
    weight.div_(torch.linalg.vector_norm(weight, dim=axes, keepdim=True)).mul_(gain)


def centred(network: nn.Module) -> None:
    """Let the vocoder's stem take the mean of the mel away."""
    with torch.no_grad():
        conv = network.get_submodule("backbone.entries.0.conv")
        assert isinstance(conv, nn.Conv2d)
        assert conv.bias is not None
        conv.bias.copy_(-MEAN_MEL * conv.weight.sum((1, 2, 3)))
