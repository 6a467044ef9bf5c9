"""Files that appear whole or not at all, and places that are checked before the work.

    check_place(path) -> work -> with replaced(path) as temporary: write

Everything is written under a temporary name in the same folder and renamed at the end, so an
interrupted run leaves neither half a file nor a lost older one. What a killed run leaves under its
temporary name is removed when the folder is next written to.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TEMPORARY = re.compile(r"\.acestep-[0-9a-f]{16}\.part")
JUST_MADE = 5.0  # seconds in which a file may not have its lock yet

_swept: set[Path] = set()


class FileError(ValueError):
    """A file that cannot be read or written: says which, why, and what to do."""


def check_place(path: str | Path) -> Path:
    """The path, if a file of any kind can be written there; its folder is made if missing."""
    path = Path(path)
    try:
        if "\0" in str(path):
            raise FileError(f"{str(path)!r} holds a null character. Choose another name.")
        if os.path.isdir(path):
            raise FileError(f"{path} is a folder. Add a file name to it.")
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            raise FileError(f"{path} is a device or a pipe. Choose another name.")
        if path.exists():
            # Opened without a change: a file that is protected or in use says so now.
            os.close(os.open(path, os.O_WRONLY))
        # Really tried: permissions promise too much to root and on network drives.
        sweep(path.parent)
        with temporary(path.parent) as probe:
            probe.touch()
    except OSError as error:
        raise FileError(
            f"{path} cannot be written ({reason(error)}). Choose another folder or name."
        ) from error
    return path


@contextmanager
def replaced(path: str | Path) -> Iterator[Path]:
    """A temporary path that becomes `path` when the block ends well, and vanishes otherwise."""
    path = Path(path)
    try:
        with temporary(path.parent) as place:
            yield place
            os.replace(place, path)
    except OSError as error:  # PyAV's errors of the disk are of this kind as well
        raise FileError(f"{path} could not be written ({reason(error)}).") from error


@contextmanager
def temporary(folder: Path) -> Iterator[Path]:
    """A place to write to in that folder; what was not renamed is gone afterwards."""
    # Absolute: in a relative one FFmpeg takes "take:" of "take: 2/song.flac" for a protocol.
    path = Path(os.path.abspath(folder)) / f".acestep-{secrets.token_hex(8)}.part"
    try:
        with _held(path):
            yield path
    finally:  # an interrupt too must not leave the file behind
        with suppress(OSError):
            path.unlink()


def sweep(folder: Path, again: bool = False) -> None:
    """Remove what killed runs left in a folder, once in the life of a process, or again."""
    folder = Path(os.path.abspath(folder))
    if folder in _swept and not again:
        return
    _swept.add(folder)
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if TEMPORARY.fullmatch(entry.name) and _is_left(Path(entry.path)):
                with suppress(OSError):
                    os.unlink(entry.path)


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """The file with a lock that ends with this process, however that ends. Windows needs none: it
    does not delete what somebody writes to."""
    if os.name == "nt":
        yield
        return
    import fcntl

    with path.open("ab") as file:
        with suppress(OSError):  # some network drives know no locks
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def _is_left(path: Path) -> bool:
    try:
        if time.time() - path.stat().st_mtime < JUST_MADE:
            return False
        if os.name == "nt":
            return True
        import fcntl

        with path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def state_of(path: str | Path) -> tuple[int, ...] | None:
    """Another one when somebody has written the file; None where there is none."""
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
