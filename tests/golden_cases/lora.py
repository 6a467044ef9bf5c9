"""The denoiser's output under an adapter file, at several weights."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file

from acestep_core.networks.transformer import Transformer
from acestep_core.types import Branch
from acestep_core.weights.lora import FILE, Applied, deltas, merged, read_adapter

from .outcome import LIMITS, Outcome, compare
from .recipe import network
from .record import Record, load
from .where import HERE, Where


def cases(directory: Path) -> list[str]:
    names = load(directory, "lora").tensors
    return [f"lora.{name}" for name in names if name.startswith("velocity@")]


def check(directory: Path, case: str, where: Where = HERE) -> Outcome:
    record = load(directory, "lora")
    given, weight = record.tensors, float(case.rpartition("@")[2])
    with torch.inference_mode():
        model = _adapted(directory, record, weight, where)
        context, mask = model.encode(
            where.cast(given["text"]),
            where.placed(given["text_mask"]),
            where.placed(given["lyric_ids"]),
            where.placed(given["lyric_mask"]),
        )
        result = model(where.cast(given["x"]), where.placed(given["t"]), Branch(context, mask))
    return compare(where.compared(result), given[case.removeprefix("lora.")], LIMITS["lora"])


def _adapted(directory: Path, record: Record, weight: float, where: Where) -> Transformer:
    """The recorded transformer with the recorded adapter, which is read from a file."""
    base = network("transformer", load(directory, "transformer"), where)
    assert isinstance(base, Transformer)
    tensors = {
        k.removeprefix("lora/"): t for k, t in record.tensors.items() if k.startswith("lora/")
    }
    with tempfile.TemporaryDirectory() as folder:
        save_file(tensors, f"{folder}/{FILE}")
        adapter = read_adapter(folder)
    return merged(base, deltas(base, [Applied(adapter, weight)]))
