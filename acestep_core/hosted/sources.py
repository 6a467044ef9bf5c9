"""The audio of a request, as a checked file that Open Audio finds.

    uploaded part, data: URI, https URL -> input/acestep_api/HASH.ext  \\
    name in input/, /view URL of this server -> the file that is there  -> decoded once -> Source

A name is followed only to a real file inside its folder. What comes from outside is stored under
the hash of its bytes, so the same file is kept once and no name is the sender's.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from ..atomic import temporary
from .errors import RequestError, shown
from .fetch import Network, copy_to
from .media import Sound, checked, extension_of
from .settings import Settings

FOLDER = "acestep_api"  # below input/
LONGEST_NAME = 400
KIND = re.compile(r"^(?P<name>.+) \[(?P<kind>input|output|temp)\]$", re.DOTALL)
DATA = re.compile(r"data:(?P<kind>[^,;]*)(?:;[^,;]*)*?;base64,", re.IGNORECASE)
MOST_DATA = 64 * 2**20  # bytes of a data: URI once decoded


@dataclass(frozen=True)
class Source:
    """A file that may be worked on."""

    name: str  # as a loader takes it: "song.flac [input]"
    path: Path
    sound: Sound


@dataclass(frozen=True)
class Sources:
    """Where audio may come from."""

    folders: Mapping[str, Path]  # input, output, temp
    settings: Settings = field(default_factory=Settings)
    network: Network = field(default_factory=Network)

    def is_elsewhere(self, text: str, server: str = "") -> bool:
        """Whether it has to be fetched; `server` is this server's own address."""
        return "://" in text[:16] and not _is_own(text, server)

    def of(self, text: str) -> Source:
        """The source that a parameter names, which is here already."""
        if text[:5].lower() == "data:":
            return self._of_data(text)
        if "://" in text[:16]:
            return self._of_view(text)
        return self._there(*name_and_kind(text))

    def of_upload(self, blocks: Iterator[bytes]) -> Source:
        """A file that arrives in pieces."""
        with self.incoming() as path:
            with path.open("wb") as out:
                for block in blocks:
                    out.write(block)
            return self.kept(path)

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """A place to write to, gone afterwards unless it was kept."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with temporary(self.folder) as path:
            yield path

    @property
    def folder(self) -> Path:
        """Of what came from outside."""
        return self.folders["input"] / FOLDER

    def kept(self, path: Path, name: str = "") -> Source:
        """Check an incoming file, and give it its name: its bytes' hash where it has no other."""
        if not path.stat().st_size:
            raise RequestError("The file is empty (0 bytes).")
        extension, sound, known = extension_of(path), checked(path), bool(name)
        if not known:
            with path.open("rb") as file:
                name = _digest(file.read) + extension
        place = path.with_name(name)
        # The same bytes once more are left as they lie: a run may be reading them.
        if known or not place.is_file() or place.stat().st_size != path.stat().st_size:
            os.replace(path, place)
        return Source(f"{FOLDER}/{name} [input]", place, sound)

    def _of_data(self, text: str) -> Source:
        head = DATA.match(text)
        if not head:
            raise RequestError("The data: URI has to be of the form data:audio/wav;base64,...")
        if not head["kind"].lower().startswith(("audio/", "video/", "application/")):
            raise RequestError(f"The data: URI holds {shown(head['kind'])}, not audio.")
        if (len(text) - head.end()) * 3 // 4 > MOST_DATA:
            limit = MOST_DATA // 2**20
            raise RequestError(
                f"The data: URI holds more than {limit} MiB. Upload the file instead.", status=413
            )
        try:
            content = base64.b64decode(text[head.end() :], validate=True)
        except (binascii.Error, ValueError):
            raise RequestError("The data: URI is not base64.") from None
        return self.of_upload(iter([content]))

    async def fetch(self, text: str, path: Path) -> None:
        """Write to `path`, an incoming place, what an URL of elsewhere holds."""
        if not self.settings.urls:
            raise RequestError(
                "Audio by URL is switched off on this server. Upload the file, or switch it on"
                " with ACESTEP_API_URLS=1."
            )
        await copy_to(path, text, self.settings.limits, self.network)

    def _of_view(self, text: str) -> Source:
        """An answer of this server, given back to it: read from its folder, not fetched."""
        try:
            fields = parse_qs(urlsplit(text).query, max_num_fields=8)
        except ValueError:
            raise RequestError("The URL has too many fields.") from None
        name, subfolder, kind = (
            fields.get(one, [usual])[0]
            for one, usual in (("filename", ""), ("subfolder", ""), ("type", "output"))
        )
        if kind not in self.folders:
            raise RequestError(f"The URL names the folder {shown(kind)}; there is none.")
        return self._there(f"{subfolder}/{name}" if subfolder else name, kind)

    def _there(self, name: str, kind: str) -> Source:
        path = inside(self.folders[kind], name)
        extension_of(path)
        return Source(f"{name} [{kind}]", path, checked(path))


def _is_own(text: str, server: str) -> bool:
    try:
        parts, own = urlsplit(text), urlsplit(server)
    except ValueError:
        return False
    return bool(own.netloc) and parts.netloc == own.netloc and parts.path in ("/view", "/api/view")


def name_and_kind(text: str) -> tuple[str, str]:
    """ "song.flac [temp]" as the name and which of ComfyUI's folders it is in, "input" unsaid."""
    found = KIND.match(text)
    return (found["name"], found["kind"]) if found else (text, "input")


def place_of(folders: Mapping[str, Path], text: str) -> Path:
    """The sound file that is named so in one of ComfyUI's folders; RequestError for any other."""
    name, kind = name_and_kind(text)
    path = inside(folders[kind], name)
    extension_of(path)
    return path


def inside(folder: Path, name: str) -> Path:
    """The file of that name below the folder, links followed; RequestError for any other."""
    is_odd = not name or len(name) > LONGEST_NAME or any(ord(char) < 32 for char in name)
    parts = name.split("/")
    if is_odd or "\\" in name or ":" in name or any(part in ("", ".", "..") for part in parts):
        raise RequestError(
            f"{shown(name)} is not a name in ComfyUI's input folder; it must be such as"
            " song.flac or folder/song.flac, without .. and not from the root."
        )
    root = folder.resolve()
    try:
        path = (root / name).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        raise RequestError(f"{shown(name)} is not in ComfyUI's {folder.name} folder.") from None
    if not path.is_relative_to(root) or not path.is_file():
        raise RequestError(f"{shown(name)} is not a file in ComfyUI's {folder.name} folder.")
    return path


def _digest(read: Callable[[int], bytes]) -> str:
    found = hashlib.sha256()
    while block := read(2**20):
        found.update(block)
    return found.hexdigest()[:32]
