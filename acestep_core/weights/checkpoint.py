"""Finding, recognising and reading checkpoints: strict, by key names, from the memory map.

    folder of four, single file, bare component files -> Checkpoint -> load_part(...)

A checkpoint is four parts, each a file and a key prefix. What a file holds is told from its
keys alone; sizes come from config.json, from the single file's metadata entry
"acestep_config", or are the released ones. Every tensor is copied once, in the dtype that is
kept; tensors that inference never reads are not touched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from ..config import GRIFFIN_LIM, VOCODER, ModelConfig
from .card import Card, card_from
from .flaws import flaw_of
from .keys import TEXT_ENCODER, TRANSFORMER, KeyMap, dcae_keys, vocoder_keys
from .weight_norm import Halves, folded, half_of

PARTS = ("transformer", "dcae", "vocoder", "text_encoder")
FOLDERS = {
    "transformer": "ace_step_transformer",
    "dcae": "music_dcae_f8c8",
    "vocoder": "music_vocoder",
    "text_encoder": "umt5-base",
}
FILES = {
    "transformer": "diffusion_pytorch_model.safetensors",
    "dcae": "diffusion_pytorch_model.safetensors",
    "vocoder": "diffusion_pytorch_model.safetensors",
    "text_encoder": "model.safetensors",
}
PREFIXES = {
    "transformer": ("model.diffusion_model.", ""),
    "dcae": ("vae.dcae.", "dcae.", ""),
    "vocoder": ("vae.vocoder.", "vocoder.", ""),
    "text_encoder": ("text_encoders.umt5base.transformer.", ""),
}
# Keys that tell a part, tried behind each prefix; all of one group must be there.
MARKS: dict[str, tuple[str, ...]] = {
    "transformer": ("genre_embedder.weight", "lyric_embs.weight"),
    "dcae": ("decoder.conv_in.weight", "encoder.down_blocks.0.0.conv1.weight"),
    "vocoder": ("backbone.channel_layers.0.0.bias",),
    "text_encoder": (
        "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
        "shared.weight",
    ),
}
TOKENIZER_KEY = "text_encoders.spiece_model"
TOKENIZER_JSON_KEY = "text_encoders.tokenizer_json"  # our own single files
CONFIG_ENTRY = "acestep_config"
NAME_ENTRY = "acestep_name"
CARD_ENTRY = "acestep_card"
SOUND_ENTRY = "acestep_sound"  # "griffin_lim" where the vocoder is not good enough
# Biases may not have moved from zero; the speaker's input is always zero; a training begins with a
# last layer of zeros.
_MAY_BE_ZERO = re.compile(
    r"(\.bias|_bias\.weight|\.offset\.weight|\.positions\.weight|^speaker\.weight"
    r"|^final(_modulation)?\.weight)$"
)
CPU = torch.device("cpu")
VERSION_1_5 = "lyric_encoder.layers.0.input_layernorm.weight"


class CheckpointError(Exception):
    """A file that cannot be used: says which, what is wrong with it, and the likely cause."""


class TensorFile(Protocol):
    """An open safetensors file."""

    def keys(self) -> list[str]: ...
    def get_tensor(self, name: str) -> Tensor: ...
    def get_slice(self, name: str) -> Any: ...
    def metadata(self) -> dict[str, str] | None: ...


@contextmanager
def opened(path: Path) -> Iterator[TensorFile]:
    """The file's tensors, read lazily; anything that is not whole safetensors is refused."""
    from safetensors import SafetensorError, safe_open

    head = _head(path)
    # Byte 9 opens the header of safetensors; its length before it may begin with any byte.
    if head[8:] != b"{" and head[:1] in (b"P", b"\x80"):
        raise CheckpointError(
            f"{path} is a pickled file. Pickles can run code, so only .safetensors is loaded;"
            " get the .safetensors version of this model."
        )
    try:
        file = safe_open(str(path), framework="pt")
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{path} is not a whole safetensors file ({error})."
            " A download that broke off is the usual cause: delete it and fetch it again."
        ) from error
    with file as tensors:
        yield tensors


def _head(path: Path) -> bytes:
    if not path.is_file():
        state = "is not a file" if path.exists() else "does not exist"
        raise CheckpointError(f"{path} {state}. Check the name and the folder.")
    try:
        with path.open("rb") as stream:
            return stream.read(9)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror or error}).") from error


def names_in(file: TensorFile) -> list[str]:
    """Its tensors' names; safetensors' handle has keys() but is no mapping."""
    return file.keys()


@dataclass(frozen=True)
class Stored:
    """Where one part lies: a file, and what its keys begin with."""

    path: Path
    prefix: str


@dataclass(frozen=True)
class Checkpoint:
    """What was recognised, before any weight is read."""

    name: str
    layout: str  # "folder", "single file" or "components"
    parts: Mapping[str, Stored]
    config: ModelConfig = field(default_factory=ModelConfig)
    tokenizer: Path | None = None  # a folder's tokenizer.json, or the file with spiece bytes
    is_demo: bool = False  # says of itself that it only demonstrates
    sound: str = VOCODER  # or GRIFFIN_LIM: what makes its log-mels sound
    card: Card = field(default_factory=Card)

    def missing(self) -> list[str]:
        return [part for part in PARTS if part not in self.parts]

    def require(self, *parts: str) -> None:
        """Raise unless all these parts are there, naming what is missing and where it belongs."""
        absent = [part for part in parts if part not in self.parts]
        if absent:
            places = ", ".join(f"{part} ({FOLDERS[part]}/{FILES[part]})" for part in absent)
            raise CheckpointError(
                f"{self.name} has no {places}. Add it, or run"
                " `python -m acestep_core download` for the whole checkpoint."
            )


def key_map(part: str, config: ModelConfig) -> KeyMap:
    if part == "dcae":
        return dcae_keys(config.dcae.encoder_layers_per_block)
    if part == "vocoder":
        sizes = config.vocoder
        return vocoder_keys(len(sizes.upsample_rates), len(sizes.resblock_kernel_sizes))
    return {"transformer": TRANSFORMER, "text_encoder": TEXT_ENCODER}[part]


def recognise(*paths: Path | str) -> Checkpoint:
    """What the folder, the single file or the component files hold."""
    places = [Path(p).expanduser() for p in paths]
    if len(places) == 1 and places[0].is_dir():
        return _folder(places[0])
    found, config, tokenizer, demo, sound, card = {}, {}, None, False, VOCODER, Card()
    for place in places:
        with opened(place) as file:
            keys, metadata = set(names_in(file)), file.metadata() or {}
        _refuse_version_1_5(place, keys)
        parts = parts_of(keys)
        if not parts:
            raise CheckpointError(
                f"{place} is no part of an ACE-Step v1 checkpoint; its first keys are"
                f" {', '.join(sorted(keys)[:3])}."
            )
        found.update({part: Stored(place, prefix) for part, prefix in parts.items()})
        config.update(_json(metadata.get(CONFIG_ENTRY), place) or _beside(place, parts))
        demo = demo or "demo" in metadata.get(NAME_ENTRY, "").lower()
        sound = _sound(metadata.get(SOUND_ENTRY, sound), place)
        if CARD_ENTRY in metadata:
            card = card_of(_json(metadata[CARD_ENTRY], place), place)
        inside = keys & {TOKENIZER_KEY, TOKENIZER_JSON_KEY}
        tokenizer = place if inside else tokenizer or _tokenizer_beside(place)
    layout = "single file" if len(places) == 1 and len(found) > 1 else "components"
    sizes = _sizes(config, places[0])
    return Checkpoint(places[0].name, layout, found, sizes, tokenizer, demo, sound, card)


def parts_of(keys: set[str]) -> dict[str, str]:
    """Part -> key prefix, for every part whose marks are among the keys."""
    return {
        part: prefix
        for part in PARTS
        for prefix in reversed(PREFIXES[part])
        if all(prefix + mark in keys for mark in MARKS[part])
    }


def _folder(folder: Path) -> Checkpoint:
    parts, config = {}, {}
    for part in PARTS:
        path = folder / FOLDERS[part] / FILES[part]
        if not path.is_file():
            continue
        with opened(path) as file:
            keys = set(names_in(file))
        _refuse_version_1_5(path, keys)
        if part not in parts_of(keys):
            raise CheckpointError(
                f"{path} should hold the {part}, but its keys are another model's"
                f" ({', '.join(sorted(keys)[:3])} ...)."
            )
        parts[part] = Stored(path, parts_of(keys)[part])
        config.update(_beside(path, {part: ""}))
    if not parts:
        raise CheckpointError(
            f"{folder} holds no ACE-Step checkpoint: none of {', '.join(FOLDERS.values())}"
            " is in it. Choose the folder that contains these four."
        )
    about = _json(_read(folder / "model.json"), folder / "model.json")
    return Checkpoint(
        about.get("name", folder.name),
        "folder",
        parts,
        _sizes(config, folder),
        _tokenizer_beside(folder / FOLDERS["text_encoder"] / "model"),
        bool(about.get("demo", False)),
        _sound(about.get("sound", VOCODER), folder / "model.json"),
        card_of(about, folder / "model.json"),
    )


def card_of(said: Mapping[str, Any], place: Path) -> Card:
    try:
        return card_from(said)
    except (TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{place} says of its model what cannot be: {error}") from error


def _sound(said: object, place: Path) -> str:
    if said not in (VOCODER, GRIFFIN_LIM):
        raise CheckpointError(
            f"{place} wants to be sounded by {said!r}; known are {VOCODER} and {GRIFFIN_LIM}."
        )
    return str(said)


def _refuse_version_1_5(path: Path, keys: set[str]) -> None:
    if any(key.endswith(VERSION_1_5) for key in keys):
        raise CheckpointError(
            f"{path} is an ACE-Step 1.5 checkpoint, which is another model."
            " This pack is for version 1 (ace_step_v1_3.5b)."
        )


def _beside(path: Path, parts: Mapping[str, str]) -> dict[str, Any]:
    """The config.json next to a component file."""
    text = _read(path.parent / "config.json")
    if text is None or len(parts) != 1:
        return {}
    return {next(iter(parts)): _json(text, path.parent / "config.json")}


def _tokenizer_beside(path: Path) -> Path | None:
    candidate = path.parent / "tokenizer.json"
    return candidate if candidate.is_file() else None


def _sizes(config: Mapping[str, Any], place: Path) -> ModelConfig:
    try:
        return ModelConfig.from_dict(config)
    except ValueError as error:
        raise CheckpointError(
            f"The configuration of {place} is not that of ACE-Step v1: {error}."
        ) from error


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8-sig") if path.is_file() else None
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path} cannot be read as text: {error}.") from error


def _json(text: str | None, path: Path) -> dict[str, Any]:
    if not text:
        return {}
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise CheckpointError(f"The configuration in {path} is not valid JSON: {error}.") from error
    if not isinstance(values, dict):
        raise CheckpointError(f"The configuration in {path} must be a JSON object.")
    return values


# --- reading weights ---------------------------------------------------------------------


@dataclass(frozen=True)
class Target:
    """What a tensor becomes: dtype and device that are kept."""

    dtype: torch.dtype
    device: torch.device = CPU


def load_part(module: nn.Module, part: str, checkpoint: Checkpoint, target: Target) -> nn.Module:
    """Fill a module made on the meta device; every tensor of it must be in the file, once."""
    checkpoint.require(part)
    stored, keys = checkpoint.parts[part], key_map(part, checkpoint.config)
    with opened(stored.path) as file:
        names = [k[len(stored.prefix) :] for k in names_in(file) if k.startswith(stored.prefix)]
        if stored.prefix == "":
            names = [name for name in names if not _is_of_another_part(name, part)]
        _fill(module, _Source(file, stored, names), keys, target)
    return module.eval().requires_grad_(False)


def _is_of_another_part(name: str, part: str) -> bool:
    others = (prefix for other in PARTS if other != part for prefix in PREFIXES[other] if prefix)
    return name.startswith(tuple(others))


@dataclass(frozen=True)
class _Source:
    file: TensorFile
    stored: Stored
    names: list[str]

    def tensor(self, name: str) -> Tensor:
        return self.file.get_tensor(self.stored.prefix + name)

    def unfit(self, name: str, shape: tuple[int, ...]) -> str | None:
        """What is wrong with a tensor that should be floating point of this shape."""
        found = self.file.get_slice(self.stored.prefix + name)
        if tuple(found.get_shape()) != shape:
            return f"{name} has shape {tuple(found.get_shape())}, expected {shape}"
        if not found.get_dtype().startswith(("F", "BF")):
            return f"{name} holds {found.get_dtype()} numbers, expected floating point"
        return None


def _fill(module: nn.Module, source: _Source, keys: KeyMap, target: Target) -> None:
    wanted = {name: tuple(p.shape) for name, p in module.named_parameters()}
    halves, unfit, unknown, problems, flaws = Halves(), set(), [], [], []
    for name in source.names:
        whole, role = half_of(name)
        try:
            ours = keys.ours(whole)
        except KeyError:
            ours = ""
        if ours not in wanted:
            unknown += [] if ours is None else [name]
            continue
        shape = keys.file_shape(ours, wanted[ours])
        if role == "gain":
            shape = (shape[0], *(1 for _ in shape[1:]))
        if problem := source.unfit(name, shape):
            problems.append(problem)
            unfit.add(ours)
            continue
        tensor = source.tensor(name)
        if role is not None:
            both = halves.add(whole, role, tensor)
            if both is None:
                continue
            tensor = folded(*both)
        put(module, ours, tensor.reshape(wanted[ours]), target)
        if flaw := flaw_of(tensor, bool(_MAY_BE_ZERO.search(ours))):
            flaws.append(f"{name} {flaw}")
        del wanted[ours]
    problems += [
        f"{keys.theirs(name)} {keys.file_shape(name, shape)} is missing"
        for name, shape in wanted.items()
        if name not in unfit
    ]
    problems += [f"{name} is not a tensor of this model" for name in unknown]
    if problems:
        raise CheckpointError(_complaint(source.stored, problems))
    if flaws:
        raise CheckpointError(_damage(source.stored, flaws))


def put(module: nn.Module, name: str, tensor: Tensor, target: Target) -> None:
    """Make the tensor the parameter of that name, copied out of the memory map; the weights of
    convolutions with the channels of a tap side by side, as they are read."""
    layout = torch.channels_last if tensor.ndim == 4 else torch.preserve_format
    hang(module, name, tensor.to(target.device, target.dtype, copy=True, memory_format=layout))


def hang(module: nn.Module, name: str, tensor: Tensor) -> None:
    """Make the tensor itself the parameter of that name."""
    path, _, leaf = name.rpartition(".")
    setattr(module.get_submodule(path), leaf, nn.Parameter(tensor, requires_grad=False))


def _shown(stored: Stored, problems: list[str]) -> str:
    more = f"; and {len(problems) - 4} more" if len(problems) > 4 else ""
    return "; ".join(stored.prefix + p for p in problems[:4]) + more


def _damage(stored: Stored, flaws: list[str]) -> str:
    return (
        f"{stored.path} is damaged: {_shown(stored, flaws)}. A download that was resumed wrongly"
        " leaves zeros: delete it and fetch it again. A training that diverged leaves NaN."
    )


def _complaint(stored: Stored, problems: list[str]) -> str:
    return (
        f"{stored.path} does not fit: {_shown(stored, problems)}. Either the file is damaged,"
        " or it is a model of other sizes whose config.json is not beside it."
    )
