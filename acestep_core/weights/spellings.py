"""How adapter files spell what they change, as far as ComfyUI's loader reads it.

    key -> prefix, path, ending -> (our parameter, what the tensor is)

A path is a module's, with dots or (kohya) with underscores, or that of a parameter that belongs
to no layer. Parts keep the endings of LyCORIS, which hosts look for, whatever the file says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .keys import TRANSFORMER, KeyMap

DOWN, UP, MIDDLE = "lora_down.weight", "lora_up.weight", "lora_mid.weight"
ALPHA, DORA = "alpha", "dora_scale"
DIFFERENCE, BIAS_DIFFERENCE = "diff", "diff_b"

# Prefixes that trainers and hosts put before the module's path; behind those of the second line
# its dots are underscores.
DOTTED = ("base_model.model.", "diffusion_model.", "transformer.")
FLAT = ("lora_unet_", "lora_transformer_", "lycoris_")
HALVES = (
    (".lora_A.weight", ".lora_B.weight"),
    (".lora_A.default.weight", ".lora_B.default.weight"),
    (".lora_A", ".lora_B"),
    (".lora_down.weight", ".lora_up.weight"),
    (".lora.down.weight", ".lora.up.weight"),
    ("_lora.down.weight", "_lora.up.weight"),
    (".lora_linear_layer.down.weight", ".lora_linear_layer.up.weight"),
)
# The kinds of change by the parts that tell them; a LoRA with one of the last two is that.
KINDS = {
    "LoHa": tuple(f"hada_{name}" for name in ("w1_a", "w1_b", "w2_a", "w2_b", "t1", "t2")),
    "LoKr": tuple(f"lokr_{name}" for name in ("w1", "w2", "w1_a", "w1_b", "w2_a", "w2_b", "t2")),
    "OFT": ("oft_blocks", "rescale"),
    "GLoRA": tuple(f"{name}.weight" for name in ("a1", "a2", "b1", "b2")),
    "LoCon with a middle": (MIDDLE,),
    "DoRA": (DORA,),
}
ENDINGS = {
    **{down: DOWN for down, _ in HALVES},
    **{up: UP for _, up in HALVES},
    **{f".{part}": part for parts in KINDS.values() for part in parts},
    **{f".{part}": part for part in (ALPHA, DIFFERENCE, BIAS_DIFFERENCE)},
    ".w_norm": DIFFERENCE,
    ".b_norm": BIAS_DIFFERENCE,
}
_VERSION_1_5 = re.compile(r"(^|\.)layers\.\d+\.(self_attn|cross_attn|mlp)\.\w+_proj")
_TEXT_ENCODER = re.compile(r"(lora_te|text_encoders?[._]|.*umt5)")
_UNDERSCORED = KeyMap(
    {theirs.replace(".", "_"): ours for theirs, ours in TRANSFORMER.modules.items()},
    dropped=tuple(path.replace(".", "_") for path in TRANSFORMER.dropped),
)


@dataclass(frozen=True)
class Spelled:
    parameter: str | None  # ours; None where inference never reads it
    part: str


def spelled(key: str) -> Spelled | None:
    """What a key of an adapter file stands for; None for an unknown one."""
    for ending, part in ENDINGS.items():
        if key.endswith(ending):
            try:
                parameter = _parameter(key.removesuffix(ending))
            except KeyError:
                continue
            return _of_bias(parameter) if part == BIAS_DIFFERENCE else Spelled(parameter, part)
    return None


def _of_bias(weight: str | None) -> Spelled:
    return Spelled(weight and f"{weight.removesuffix('.weight')}.bias", DIFFERENCE)


def _parameter(path: str) -> str | None:
    for prefix in FLAT:
        if path.startswith(prefix):
            return _UNDERSCORED.ours(f"{path.removeprefix(prefix)}.weight")
    for prefix in DOTTED:
        path = path.removeprefix(prefix)
    try:
        return TRANSFORMER.ours(f"{path}.weight")
    except KeyError:
        return TRANSFORMER.ours(path)


def complaint(place: object, unknown: Sequence[str]) -> str:
    """Why a file with keys that are not understood cannot be used."""
    shown = ", ".join(unknown[:3]) or "nothing"
    if any(_VERSION_1_5.search(key) for key in unknown):
        return f"LoRA {place} was made for ACE-Step 1.5, which is another model."
    if any(_TEXT_ENCODER.match(key) for key in unknown):
        return (
            f"LoRA {place} changes the text encoder ({shown}), which is used here as it was"
            " released. Train or export it for the transformer alone."
        )
    if ours := [key for key in unknown if _is_ours(key)]:
        return (
            f"LoRA {place} is for ACE-Step v1, but {ours[0]} is a kind of change that is not"
            " read here. Export it as a plain LoRA."
        )
    return f"LoRA {place} was not made for ACE-Step v1: it changes {shown}."


def _is_ours(key: str) -> bool:
    """Whether a module of ours is in the key, whatever is said about it."""
    words = key.split(".")
    for count in range(len(words), 0, -1):
        try:
            return _parameter(".".join(words[:count])) is not None
        except KeyError:
            continue
    return False
