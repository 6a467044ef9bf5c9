"""What a file is, in a few lines: checkpoint, adapter, or latents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..records.latents import KEY, read_latent
from ..weights import small
from ..weights.checkpoint import PARTS, CheckpointError, names_in, opened, recognise
from ..weights.lora import FILE, Pair, read_adapter
from ..weights.spellings import spelled


def describe(paths: Sequence[Path]) -> Iterator[str]:
    paths = [
        small.FOLDER if str(path) == small.FOLDER.name and not path.exists() else path
        for path in paths
    ]  # known by that name wherever one stands
    if len(paths) == 1 and _holds(paths[0], lambda keys: KEY in keys):
        latent = read_latent(paths[0])
        size = f"{latent.frames} frames, {latent.seconds:.3f} s"
        yield f"{paths[0]}: {len(latent.z)} latent(s) of {size}"
    elif len(paths) == 1 and _is_adapter(paths[0]):
        yield from _adapter(paths[0])
    else:
        yield from _checkpoint(paths)


def _holds(path: Path, test: Callable[[set[str]], bool]) -> bool:
    if not path.is_file() or path.suffix != ".safetensors":
        return False
    with opened(path) as file:
        return test(set(names_in(file)))


def _is_adapter(path: Path) -> bool:
    place = path / FILE if path.is_dir() else path
    return _holds(place, lambda keys: any(spelled(key) for key in keys))


def _adapter(path: Path) -> Iterator[str]:
    adapter = read_adapter(path)
    pairs = [change for change in adapter.changes.values() if isinstance(change, Pair)]
    own = {pair.alpha / pair.rank for pair in pairs if pair.alpha is not None}
    told = {adapter.training_scale(pair) for pair in pairs if pair.alpha is None} - {None}
    yield f"{path}: LoRA {adapter.name} for ACE-Step v1"
    yield f"  {adapter.about()}"
    if own:
        yield f"  alpha / rank of its modules, always applied: {_numbers(own)}"
    yield f"  training scale of the whole file, an option: {_numbers(told) or 'not stated'}"


def _numbers(values: set[Any]) -> str:
    return ", ".join(f"{value:g}" for value in sorted(values))


def _checkpoint(paths: Sequence[Path]) -> Iterator[str]:
    checkpoint = recognise(*paths)
    yield f"{checkpoint.name}: ACE-Step v1, {checkpoint.layout}"
    for part in PARTS:
        if part not in checkpoint.parts:
            yield f"  {part:13} missing"
            continue
        stored = checkpoint.parts[part]
        with opened(stored.path) as file:
            keys = [key for key in names_in(file) if key.startswith(stored.prefix)]
            slices = [file.get_slice(key) for key in keys]
            numbers = sum(_size(s.get_shape()) for s in slices)
            dtypes = ", ".join(sorted({s.get_dtype() for s in slices}))
        yield f"  {part:13} {len(keys)} tensors, {numbers / 1e6:.1f} M numbers, {dtypes}"
        yield f"  {'':13} {stored.path}"
    yield f"  tokenizer     {checkpoint.tokenizer or 'missing'}"
    if checkpoint.is_demo:
        yield "  This is a demonstration model."
    if missing := checkpoint.missing():
        raise CheckpointError(f"{checkpoint.name} is incomplete: {', '.join(missing)} missing.")


def _size(shape: Sequence[int]) -> int:
    total = 1
    for length in shape:
        total *= length
    return total
