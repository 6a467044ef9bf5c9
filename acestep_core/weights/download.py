"""Fetching the released files, only when asked: resumed, verified, in a folder in plain sight.

    download(folder) -> folder with the four parts      about 8.3 GB
    download_vocabulary(folder) -> vocab.json           0.4 MB, pinned by SHA-256

An existing download in any known place is found first. Nothing here runs on import.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import urllib.request
from collections.abc import Iterable, Iterator
from http.client import HTTPException
from pathlib import Path

from ..atomic import replaced
from ..lyrics.vocabulary import FILE_NAME, SHA256, URL, default_folder, is_genuine
from .checkpoint import FILES, FOLDERS, PARTS, CheckpointError

log = logging.getLogger(__name__)

REPOSITORY = "ACE-Step/ACE-Step-v1-3.5B"
REVISION = "82cd0d7b6322bd28cd4e830fe675ddb6180ce36c"
SINGLE_FILE = "ace_step_v1_3.5b.safetensors"
FOLDER_NAME = "ACE-Step-v1-3.5B"
# Bytes of the large files; the rest of the published total is the tokenizer.
SIZES = {
    "ace_step_transformer/diffusion_pytorch_model.safetensors": 6_611_422_728,
    "music_dcae_f8c8/diffusion_pytorch_model.safetensors": 313_646_516,
    "music_vocoder/diffusion_pytorch_model.safetensors": 206_350_988,
    "umt5-base/model.safetensors": 1_127_460_248,
}
TOKENIZER = "umt5-base/tokenizer.json"
# SHA-256 of the published files.
HASHES = {
    "ace_step_transformer/config.json": (
        "4d78beb6afb4c7f3705256b44faaf60f3e1e2d78f4015ca87740f3695d7f5447"
    ),
    "music_dcae_f8c8/config.json": (
        "b14a49a8c52a52c2c8050098af1a946810a8a1a0b6e50abc75ba81371383cf04"
    ),
    "music_vocoder/config.json": (
        "39ddc4c417e01dc3be1862fcf315887358dd61b7f91c3cc8227f65072984bb55"
    ),
    "umt5-base/config.json": "afae5da9a35e2b293cee66536f03fc2581cfc3f3d5707d3a262b552748de1572",
    "ace_step_transformer/diffusion_pytorch_model.safetensors": (
        "e810f16728d8a2e0d1b9c3a907aac8c9a427ce38edbd890cb3dce5ff92da5aad"
    ),
    "music_dcae_f8c8/diffusion_pytorch_model.safetensors": (
        "2b0cb469307ac50659d1880db2a99bae47d0df335cbb36853964662d4b80e8ee"
    ),
    "music_vocoder/diffusion_pytorch_model.safetensors": (
        "c92c9b46e28ab7b37b777780cf4308ad7ddac869636bb77aa61599358c4bc1c0"
    ),
    "umt5-base/model.safetensors": (
        "779cec0d210b2123e21d0a9cd8128f02b4d412627355028965a8be0b241cc3b6"
    ),
    TOKENIZER: "20a46ac256746594ed7e1e3ef733b83fbc5a6f0922aa7480eda961743de080ef",
}


def known_places(extra: Iterable[Path] = ()) -> Iterator[Path]:
    """Where a checkpoint may already lie, most explicit first."""
    if named := os.environ.get("ACESTEP_MODEL"):
        yield Path(named).expanduser()
    for folder in (*extra, default_folder()):
        yield folder / FOLDER_NAME
        yield folder / SINGLE_FILE
        yield folder
    # The original's own cache, and the hub's.
    yield Path.home() / ".cache/ace-step/checkpoints"
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache/huggingface")
    hub = Path(os.environ.get("HF_HUB_CACHE") or home / "hub")
    snapshots = hub / f"models--{REPOSITORY.replace('/', '--')}" / "snapshots"
    if snapshots.is_dir():
        yield from sorted(p for p in snapshots.iterdir() if p.is_dir())


def is_complete(place: Path) -> bool:
    """Whether a single file, or a folder with all four parts and the tokenizer, is there."""
    if place.is_file():
        return place.suffix == ".safetensors"
    parts = all((place / FOLDERS[part] / FILES[part]).is_file() for part in PARTS)
    return parts and (place / TOKENIZER).is_file()


def found(extra: Iterable[Path] = ()) -> Path | None:
    """The first complete checkpoint among the known places."""
    return next((place for place in known_places(extra) if is_complete(place)), None)


def found_elsewhere() -> Path | None:
    """A complete checkpoint that lies where `download` would not put it."""
    place = found()
    return None if place == default_folder() / FOLDER_NAME else place


def found_or_explained(extra: Iterable[Path] = ()) -> Path:
    """found(), or an error that lists the places and the command."""
    extra = tuple(extra)
    if place := found(extra):
        return place
    looked = "".join(f"\n  {place}" for place in known_places(extra))
    raise CheckpointError(
        f"No ACE-Step v1 checkpoint was found. Looked at:{looked}\n"
        "Get it with `python -m acestep_core download` (8.3 GB), or give --model PATH."
    )


def download(folder: Path | None = None) -> Path:
    """Fetch the whole checkpoint into `folder`; files that are there are verified, not fetched."""
    from huggingface_hub import hf_hub_download

    target = _made((folder or default_folder()) / FOLDER_NAME)
    missing = [name for name in HASHES if not _is_verified(target / name, name)]
    _check_space(target, missing)
    for name in missing:
        log.info("Fetching %s into %s", name, target)
        try:
            hf_hub_download(REPOSITORY, name, revision=REVISION, local_dir=target)
        except Exception as error:  # each version of the package has its own network errors
            raise CheckpointError(
                f"{name} could not be fetched ({error}). What has arrived is kept:"
                " try again, and it goes on from there."
            ) from error
        if not _is_verified(target / name, name):
            (target / name).unlink(missing_ok=True)
            raise CheckpointError(
                f"{name} arrived damaged (its SHA-256 is not the published one) and was removed."
                " Run the same command again."
            )
    return target


def _is_verified(path: Path, name: str) -> bool:
    """Whether the file is there and whole; the hash is kept beside it, by size and time."""
    if not path.is_file():
        return False
    stamp = path.with_name(path.name + ".sha256")
    state = f"{path.stat().st_size} {path.stat().st_mtime_ns} {HASHES[name]}"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == state:
        return True
    if sha256(path) != HASHES[name]:
        return False
    stamp.write_text(state, encoding="utf-8")
    return True


def _check_space(target: Path, missing: list[str]) -> None:
    need = sum(SIZES.get(name, 0) for name in missing)
    free = shutil.disk_usage(target).free
    if free < need:
        raise CheckpointError(
            f"The files still to fetch need {need / 1e9:.1f} GB; {target} has"
            f" {free / 1e9:.1f} GB free. Free some space or choose another folder with --folder."
        )


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CheckpointError(
            f"The folder {folder} cannot be made ({error.strerror or error})."
            " Choose another one with --folder."
        ) from error
    return folder


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(1 << 22):
            digest.update(piece)
    return digest.hexdigest()


def download_vocabulary(folder: Path | None = None, timeout: float = 60) -> Path:
    """Fetch the lyric vocabulary; what arrives is only kept if its hash is the known one."""
    target = (folder or default_folder()) / FILE_NAME
    if target.is_file() and is_genuine(target.read_bytes()):
        return target
    _made(target.parent)
    try:
        with urllib.request.urlopen(URL, timeout=timeout) as answer:
            content = answer.read(4_000_000)
    except (OSError, HTTPException) as error:
        raise CheckpointError(
            f"The lyric vocabulary could not be fetched from {URL} ({error})."
            f" Fetch it by other means and put it at {target}."
        ) from error
    if not is_genuine(content):
        raise CheckpointError(
            f"What {URL} answered is not the lyric vocabulary (SHA-256 {SHA256} was expected);"
            " nothing was kept."
        )
    with replaced(target) as place:
        place.write_bytes(content)
    return target
