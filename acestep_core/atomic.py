"""Files that appear whole or not at all, and places that are checked before the work.

    check_place(path) -> work -> with replaced(path) as temporary: write

Everything is written under a temporary name in the same folder and renamed at the end, so an
interrupted run leaves neither half a file nor a lost older one.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


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
        probe = _temporary_beside(path)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise FileError(
            f"{path} cannot be written ({reason(error)}). Choose another folder or name."
        ) from error
    return path


@contextmanager
def replaced(path: str | Path) -> Iterator[Path]:
    """A temporary path that becomes `path` when the block ends well, and vanishes otherwise."""
    path = Path(path)
    temporary = _temporary_beside(path)
    try:
        yield temporary
        os.replace(temporary, path)
    except BaseException as error:  # an interrupt too must not leave the file behind
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):  # PyAV's errors of the disk are of this kind as well
            raise FileError(f"{path} could not be written ({reason(error)}).") from error
        raise


def _temporary_beside(path: Path) -> Path:
    # Absolute: in a relative one FFmpeg takes "take:" of "take: 2/song.flac" for a protocol.
    return Path(os.path.abspath(path.parent)) / f".acestep-{secrets.token_hex(8)}.part"


def reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
