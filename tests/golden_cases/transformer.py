"""Condition encoder and denoiser: whole outputs, and activations of case b."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from acestep_core.networks.lyric_encoder import relative_positions
from acestep_core.networks.transformer import Condition, Modulation, Tables, Transformer, normed
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
    tables = model.tables(given["x"].shape[-1], branch)
    time = model.embed_time(given["t"], tables.frequency, given["x"].dtype)
    modulations = model.modulate(time, tables)
    x = patched = model.embed_frames(given["x"])
    results = {"timestep_embedding": time, "after_patch_embed": patched}
    results["modulation"] = model.time_blocks(F.silu(time))
    for index, (block, pair) in enumerate(
        zip(model.blocks, model.attend(branch.context), strict=True)
    ):
        condition = (pair, tables.mask, tables.rotary)
        if index == 0:
            results |= _first_block(block, x, modulations[0], tables, condition)
        x = block(x, modulations[index], tables, condition)
        results[f"after_block{index}"] = x
    return results


def _first_block(
    block, x: Tensor, modulation: Modulation, tables: Tables, condition: Condition
) -> dict[str, Tensor]:
    shift1, scale1, gate1, shift2, scale2, _ = modulation
    attended = block.self_attention(normed(x, tables.floor, shift1, scale1), tables.rotary)
    x = gate1 * attended + x
    crossed = block.cross_attention(x, condition)
    x = crossed + x
    fed = block.feed_forward(normed(x, tables.floor, shift2, scale2))
    return {
        "block0_self_attention": attended,
        "block0_cross_attention": crossed,
        "block0_feed_forward": fed,
    }
