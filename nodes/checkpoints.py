"""The entries of the loader's list, and what each stands for.

    auto, single files, folders, known places, small model, download -> path of a checkpoint

An entry is a place below ComfyUI's model folders, spelled the same on every system, so that
a workflow finds the same model elsewhere; "auto" finds it anywhere. Where there is none, auto
takes the small demonstration model that comes with the pack, and the report says so.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from ..acestep_core.lyrics import Vocabulary, VocabularyError
from ..acestep_core.weights import small
from ..acestep_core.weights.checkpoint import FILES, FOLDERS, CheckpointError
from ..acestep_core.weights.download import (
    SINGLE_FILE,
    download,
    download_vocabulary,
    is_complete,
)
from ..acestep_core.weights.download import known_places as places_of_core
from . import host

AUTO, DOWNLOAD, SMALL = "auto", "download", "small model (demonstration)"
# What tells a folder of four parts in a list of files.
MARK = f"{FOLDERS['transformer']}/{FILES['transformer']}"

Place = Callable[[], Path]


def choices() -> list[str]:
    return [AUTO, *_entries(), DOWNLOAD]


def chosen(entry: str) -> Path:
    """The checkpoint an entry stands for; "download" fetches what is missing."""
    if entry == DOWNLOAD:
        return _downloaded()
    entries = _entries()
    if entry != AUTO and entry not in entries:
        raise CheckpointError(f"{entry} is no longer there. Refresh the page and choose again.")
    place = first_found() if entry == AUTO else entries[entry]()
    if place is None:
        folder = (host.model_folders() or [Path("models") / host.FOLDER])[0].name
        raise CheckpointError(
            f"No ACE-Step v1 checkpoint was found. Put {SINGLE_FILE} into models/checkpoints or"
            f" the released folder into models/{folder}, or choose download (8.3 GB)."
        )
    return place


def fingerprint(entry: str) -> str:
    """Changes when another file would be loaded."""
    place = first_found() if entry == AUTO else _entries().get(entry, lambda: None)()
    file = place / MARK if place is not None and place.is_dir() else place
    return host.mark_of(entry, file)


def _entries() -> dict[str, Place]:
    """Label -> how its path is found."""
    found: dict[str, Place] = {}
    for folder in ("checkpoints", "diffusion_models"):
        for name in host.model_files(folder):
            found[f"{folder}/{name}"] = partial(host.path_of, folder, name)
    for name in host.model_files(host.FOLDER):
        if name.endswith(MARK):
            label = f"{host.FOLDER}/{name.removesuffix(MARK)}".rstrip("/")
            found[label] = partial(_folder_of, name)
        elif Path(name).parent.name not in FOLDERS.values():
            found[f"{host.FOLDER}/{name}"] = partial(host.path_of, host.FOLDER, name)
    for place in _known_places():
        found.setdefault(_label(place), partial(Path, place))
    if small.is_here():
        found[SMALL] = lambda: small.FOLDER
    return found


def _folder_of(name: str) -> Path:
    return host.path_of(host.FOLDER, name).parents[1]


def first_found() -> Path | None:
    """The first complete ACE-Step v1, by its place or name; the small model comes last."""
    for label, place in _entries().items():
        is_other = label.startswith(("checkpoints/", "diffusion_models/"))
        if is_other and not Path(label).name.lower().startswith("ace_step_v1"):
            continue
        path = place()
        if is_complete(path):
            return path
    return None


def _known_places() -> list[Path]:
    """Downloads of the original project, of the hub and of other packs."""
    ours = host.model_folders()
    models = host.models_folder()
    others = [models / "TTS"] if models else []
    return [
        place
        for place in places_of_core(others)
        if is_complete(place) and not any(folder in place.parents for folder in ours)
    ]


def _label(place: Path) -> str:
    """Short and without a user's name: it is saved in workflows."""
    for base, name in ((host.models_folder(), "models"), (Path.home(), "~")):
        if base and base in place.parents:
            return f"{name}/{place.relative_to(base).as_posix()}"
    return f"elsewhere/{place.name}"


def _downloaded() -> Path:
    folder = next(iter(host.model_folders()), None)
    place = download(folder)
    try:
        Vocabulary.find(place, host.vocabulary_places()).path()
    except VocabularyError:
        download_vocabulary(place)
    return place


def adapters() -> dict[str, Place]:
    """LoRA files: label -> how the path is found."""
    ours = [name for name in host.model_files(host.FOLDER) if "lora" in name.lower()]
    named = [("loras", name) for name in host.model_files("loras")]
    named += [(host.FOLDER, name) for name in ours]
    return {f"{folder}/{name}": partial(host.path_of, folder, name) for folder, name in named}


def adapter(entry: str) -> Path:
    found = adapters()
    if entry not in found:
        raise CheckpointError(f"{entry} is no longer there. Refresh the page and choose again.")
    return found[entry]()
