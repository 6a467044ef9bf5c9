"""UMT5 encoder output, plain and with ERG."""

from __future__ import annotations

from pathlib import Path

import torch

from acestep_core.networks.layers import ERG_FACTOR

from .outcome import LIMITS, Outcome, compare
from .recipe import network
from .record import load
from .where import HERE, Where

TEMPERS = {"hidden": 1.0, "hidden_erg": ERG_FACTOR}


def cases(directory: Path) -> list[str]:
    return [
        f"text_encoder.{name}" for name in load(directory, "text_encoder").tensors if name != "ids"
    ]


def check(directory: Path, case: str, where: Where = HERE) -> Outcome:
    record = load(directory, "text_encoder")
    name = case.removeprefix("text_encoder.")
    ids = where.placed(record.tensors["ids"])
    with torch.inference_mode():
        encoder = network("text_encoder", record, where)
        result = encoder(ids, torch.ones_like(ids), where.dtype, TEMPERS[name])
    return compare(where.compared(result), record.tensors[name], LIMITS["text_encoder"])
