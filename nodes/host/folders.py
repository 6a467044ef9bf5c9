"""ComfyUI's folders; every list is empty without it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ...acestep_core.lyrics.vocabulary import COMFYUI_PATH
from ...acestep_core.weights.checkpoint import CheckpointError
from .found import IN_COMFYUI, management, paths

FOLDER = "acestep"  # below ComfyUI's models
KINDS = ("input", "output", "temp")  # of its folders of sounds and pictures


def register_folder() -> None:
    """Make models/acestep known, beside what the user's extra_model_paths.yaml says."""
    if IN_COMFYUI:
        place = os.path.join(paths().models_dir, FOLDER)
        paths().add_model_folder_path(FOLDER, place)
        # A new folder knows no extension, which means that every file is listed.
        paths().folder_names_and_paths[FOLDER][1].add(".safetensors")


def model_files(folder: str) -> list[str]:
    """The .safetensors files below a model folder, relative, with forward slashes."""
    if not IN_COMFYUI:
        return []
    try:
        names = paths().get_filename_list(folder)
    except (KeyError, OSError):  # a folder that went away must not break the list of nodes
        return []
    return [name.replace("\\", "/") for name in names if name.endswith(".safetensors")]


def path_of(folder: str, name: str) -> Path:
    """Where a file that model_files() listed lies."""
    path = paths().get_full_path(folder, name)
    if path is None:
        raise CheckpointError(
            f"{folder}/{name} is no longer there. Refresh the page, choose again."
        )
    return Path(path)


def model_folders() -> list[Path]:
    """The folders of models/acestep; a download goes into the first."""
    return [Path(path) for path in paths().get_folder_paths(FOLDER)] if IN_COMFYUI else []


def models_folder() -> Path | None:
    """ComfyUI's folder of all models."""
    return Path(paths().models_dir) if IN_COMFYUI else None


def vocabulary_places() -> list[Path]:
    """Where the lyric vocabulary may lie: ComfyUI has a copy of its own."""
    if not IN_COMFYUI:
        return []
    return [Path(management().__file__).parents[1] / COMFYUI_PATH, *model_folders()]


def output_place(prefix: str, kind: str = "output") -> tuple[Path, str, str, int]:
    """(folder, subfolder, start of the name, counter) for the files of one run."""
    if not IN_COMFYUI:
        folder = Path(kind)
        folder.mkdir(exist_ok=True)
        return folder, "", Path(prefix).name, len(list(folder.iterdir())) + 1
    base = getattr(paths(), f"get_{kind}_directory")()
    folder, name, counter, subfolder, _ = paths().get_save_image_path(prefix, base)
    return Path(folder), subfolder, name, counter


def sound_folders() -> dict[str, Path]:
    """Where a file may lie that is named as ComfyUI's loader names it: "song.flac [temp]"."""
    if not IN_COMFYUI:
        return {kind: Path(kind) for kind in KINDS}
    return {kind: Path(getattr(paths(), f"get_{kind}_directory")()) for kind in KINDS}


def input_folder() -> Path | None:
    """Where users put the files that nodes read."""
    return Path(paths().get_input_directory()) if IN_COMFYUI else None


def input_file(name: str) -> Path | None:
    """A file that a page chose, as ComfyUI writes its name, where it is there."""
    if not IN_COMFYUI or not paths().exists_annotated_filepath(name):
        return None
    return Path(paths().get_annotated_filepath(name))


def user_file(name: str) -> Path | None:
    """A file of the pack's own in ComfyUI's user folder."""
    return Path(paths().get_user_directory()) / name if IN_COMFYUI else None


def mark_of(label: str, file: Path | None) -> str:
    """Changes with a file, and names no folder: ComfyUI saves what IS_CHANGED says."""
    changed = file.stat().st_mtime_ns if file is not None and file.is_file() else 0
    return hashlib.sha256(f"{file or label} {changed}".encode()).hexdigest()[:32]


def is_metadata_wanted() -> bool:
    if not IN_COMFYUI:
        return True
    from comfy.cli_args import args

    return not args.disable_metadata
