"""Kinds of nodes: inputs in their order, which of them are widgets, outputs, what is saved.

INPUT_TYPES, RETURN_NAMES -> Kind      ComfyUI's own nodes, which are not at hand, as a table
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from scripts.locales import nodes as ours

WIDGETS = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}
OPTIONAL = 7  # how pages save the shape of a socket that may be left free


@dataclass(frozen=True)
class Input:
    name: str
    type: str
    is_optional: bool
    is_widget: bool
    default: Any
    has_control: bool  # a seed's "what happens afterwards", which is saved behind it


@dataclass(frozen=True)
class Kind:
    title: str
    inputs: tuple[Input, ...]
    outputs: tuple[tuple[str, str], ...]  # name, type
    saved_after: tuple[str, ...] = ()  # values of widgets that the page adds

    @property
    def widgets(self) -> tuple[Input, ...]:
        return tuple(one for one in self.inputs if one.is_widget)

    @property
    def sockets(self) -> tuple[Input, ...]:
        return tuple(one for one in self.inputs if not one.is_widget)

    def input(self, name: str) -> Input:
        for one in self.inputs:
            if one.name == name:
                return one
        raise SystemExit(f"{self.title} has no input {name}.")

    def slot_of(self, output: str) -> int:
        names = [name for name, _ in self.outputs]
        if output not in names:
            raise SystemExit(f"{self.title} has no output {output}.")
        return names.index(output)


@cache
def kind_of(name: str) -> Kind:
    if name in COMFY:
        return COMFY[name]
    node = ours()[name]
    groups = node.INPUT_TYPES()
    inputs = (
        _input(given, *groups[group][given], is_optional=group == "optional")
        for group in ("required", "optional")
        for given in groups.get(group, {})
    )
    types = (kind if isinstance(kind, str) else "COMBO" for kind in node.RETURN_TYPES)
    return Kind(node.TITLE, tuple(inputs), tuple(zip(node.RETURN_NAMES, types, strict=True)))


def _input(name: str, kind: Any, options: Mapping[str, Any], is_optional: bool) -> Input:
    type_ = "COMBO" if isinstance(kind, list) else kind
    is_widget = type_ in WIDGETS and not options.get("forceInput")
    default = options.get("default", kind[0] if isinstance(kind, list) and kind else None)
    has_control = bool(options.get("control_after_generate"))
    return Input(name, type_, is_optional, is_widget, default, has_control)


def _socket(name: str, type_: str) -> Input:
    return Input(name, type_, False, False, None, False)


def _widget(name: str, type_: str, default: Any, has_control: bool = False) -> Input:
    return Input(name, type_, False, True, default, has_control)


# A test compares these with what the hosts say of them.
COMFY = {
    "LoadAudio": Kind(
        "LoadAudio", (_widget("audio", "COMBO", ""),), (("AUDIO", "AUDIO"),), ("", "")
    ),
    "CheckpointLoaderSimple": Kind(
        "Load Checkpoint",
        (_widget("ckpt_name", "COMBO", ""),),
        (("MODEL", "MODEL"), ("CLIP", "CLIP"), ("VAE", "VAE")),
    ),
    "ModelSamplingSD3": Kind(
        "ModelSamplingSD3",
        (_socket("model", "MODEL"), _widget("shift", "FLOAT", 3.0)),
        (("MODEL", "MODEL"),),
    ),
    "ConditioningZeroOut": Kind(
        "ConditioningZeroOut",
        (_socket("conditioning", "CONDITIONING"),),
        (("CONDITIONING", "CONDITIONING"),),
    ),
    "EmptyAceStepLatentAudio": Kind(
        "EmptyAceStepLatentAudio",
        (_widget("seconds", "FLOAT", 120.0), _widget("batch_size", "INT", 1)),
        (("LATENT", "LATENT"),),
    ),
    "PreviewImage": Kind("Preview Image", (_socket("images", "IMAGE"),), ()),
    "KSampler": Kind(
        "KSampler",
        (
            _socket("model", "MODEL"),
            _widget("seed", "INT", 0, has_control=True),
            _widget("steps", "INT", 20),
            _widget("cfg", "FLOAT", 8.0),
            _widget("sampler_name", "COMBO", "euler"),
            _widget("scheduler", "COMBO", "simple"),
            _socket("positive", "CONDITIONING"),
            _socket("negative", "CONDITIONING"),
            _socket("latent_image", "LATENT"),
            _widget("denoise", "FLOAT", 1.0),
        ),
        (("LATENT", "LATENT"),),
    ),
}
