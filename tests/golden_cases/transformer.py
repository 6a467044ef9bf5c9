"""Condition encoder and denoiser: whole outputs, and activations of case b."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from acestep_core.networks.layers import rms, rows
from acestep_core.networks.lyric_encoder import relative_positions
from acestep_core.networks.transformer import EPS, Transformer
from acestep_core.types import Branch

from .outcome import LIMITS, Outcome, compare
from .recipe import network
from .record import Record, load
from .where import HERE, Where

INPUTS = ("lyric_ids", "lyric_mask", "text_mask", "t", "text", "x")
COMPUTED = ("text", "x")  # inputs in the network's dtype


def cases(directory: Path) -> list[str]:
    names = load(directory, "transformer").tensors
    return [f"transformer.{name}" for name in names if name.split(".")[1] not in INPUTS]


def check(directory: Path, case: str, where: Where = HERE) -> Outcome:
    record = load(directory, "transformer")
    name, _, what = case.removeprefix("transformer.").partition(".")
    with torch.inference_mode():
        result = produced(record, name, where)[what]
    return compare(where.compared(result), record.tensors[f"{name}.{what}"], LIMITS["transformer"])


def produced(record: Record, name: str, where: Where) -> dict[str, Tensor]:
    """Everything that is recorded of a case, computed."""
    model = network("transformer", record, where)
    assert isinstance(model, Transformer)
    given = {key: where.placed(record.tensors[f"{name}.{key}"]) for key in INPUTS}
    given |= {key: where.cast(given[key]) for key in COMPUTED}
    context, mask = model.encode(
        given["text"], given["text_mask"], given["lyric_ids"], given["lyric_mask"]
    )
    branch = Branch(context, mask)
    results = {"condition": context, "condition_mask": mask}
    results["velocity"] = model(given["x"], given["t"], branch)
    results |= _lyric_activations(model, given)
    return results | _activations(model, given, branch)


def _lyric_activations(model: Transformer, given: dict[str, Tensor]) -> dict[str, Tensor]:
    encoder = model.lyric_encoder
    x = encoder.embed(given["lyric_ids"], given["text"].dtype)
    positions = relative_positions(x.shape[1], x.shape[-1], x)
    first = encoder.layers[0](x, given["lyric_mask"], positions, 1.0)
    encoded = encoder(given["lyric_ids"], given["lyric_mask"], given["text"].dtype)
    # The record holds the embedding before the layers' input is scaled by sqrt(width).
    return {"lyric_embed": x, "lyric_after_block0": first, "lyric_encoded": encoded}


def _activations(model: Transformer, given: dict[str, Tensor], branch: Branch) -> dict[str, Tensor]:
    time = model.embed_time(given["t"], given["x"].dtype)
    flat = model.time_blocks(F.silu(time))
    x = patched = model.embed_frames(given["x"])
    rotary = model._rotary(x.shape[1], x)
    assert branch.mask is not None
    mask = branch.mask[:, None, None].bool()
    results = {"timestep_embedding": time, "modulation": flat, "after_patch_embed": patched}
    for index, (block, pair) in enumerate(
        zip(model.blocks, model.attend(branch.context), strict=True)
    ):
        if index == 0:
            results |= _first_block(block, x, flat, (rotary, (pair, mask, None)))
        x = block(x, flat.unflatten(1, (6, -1)), rotary, (pair, mask, None))
        results[f"after_block{index}"] = x
    return results


def _first_block(block, x: Tensor, flat: Tensor, inputs: tuple) -> dict[str, Tensor]:
    rotary, condition = inputs
    modulation = rows(block.modulation, x) + flat.unflatten(1, (6, -1))
    shift1, scale1, gate1, shift2, scale2, _ = modulation.chunk(6, 1)
    attended = block.self_attention(rms(x, EPS) * (1 + scale1) + shift1, rotary)
    x = gate1 * attended + x
    crossed = block.cross_attention(x, rotary, condition)
    x = crossed + x
    fed = block.feed_forward(rms(x, EPS) * (1 + scale2) + shift2)
    return {
        "block0_self_attention": attended,
        "block0_cross_attention": crossed,
        "block0_feed_forward": fed,
    }
