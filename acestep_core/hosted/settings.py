"""What whoever runs the server may set: a file in ComfyUI's user folder, and the environment.

    acesuite_api.json, then ACESTEP_API_* -> Settings

The file is no setting of the page on purpose: whoever reaches the server can change those. The
token comes from the environment alone, so that it is not copied along with a folder.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from .fetch import Limits

log = logging.getLogger(__name__)

FILE = "acesuite_api.json"
TOKEN, URLS, MEGABYTES, ADDRESS = (
    "ACESTEP_API_TOKEN",
    "ACESTEP_API_URLS",
    "ACESTEP_API_MAX_MB",
    "ACESTEP_API_PUBLIC_URL",
)
YES, NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")


@dataclass(frozen=True)
class Settings:
    token: str = field(default="", repr=False)  # empty: everybody may ask
    urls: bool = False  # audio from https URLs
    url_ports: tuple[int, ...] = (443,)
    most_megabytes: int = 640  # of an upload: an hour of 16 bits in stereo at 44.1 kHz
    public_url: str = ""  # what answers begin their URLs with; empty: the request's own Host

    @property
    def most_bytes(self) -> int:
        return self.most_megabytes * 2**20

    @property
    def limits(self) -> Limits:
        usual = Limits(ports=self.url_ports)
        return replace(usual, most_bytes=min(usual.most_bytes, self.most_bytes))


def read_settings(path: Path | None, environment: Mapping[str, str] = os.environ) -> Settings:
    """The environment wins. What cannot be read is said, and the safe default holds."""
    settings = Settings(token=environment.get(TOKEN, "").strip())
    if path is not None and path.is_file():
        try:
            settings = _with_file(settings, json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            log.error("%s is left out: %s", path, error)
    try:
        return _with_environment(settings, environment)
    except ValueError as error:
        log.error("The environment's ACESTEP_API_* are left out: %s", error)
        return settings


def _with_file(settings: Settings, found: object) -> Settings:
    if not isinstance(found, dict):
        raise ValueError("it must hold a JSON object")
    kinds = {"urls": bool, "url_ports": list, "most_megabytes": int, "public_url": str}
    for name, value in found.items():
        if name not in kinds:
            raise ValueError(f"{name!r} is not one of {', '.join(kinds)}")
        if type(value) is not kinds[name]:
            raise ValueError(f"{name} must be of the kind {kinds[name].__name__}")
    if "url_ports" in found:
        found = {**found, "url_ports": tuple(int(port) for port in found["url_ports"])}
    return _checked(replace(settings, **found))


def _with_environment(settings: Settings, environment: Mapping[str, str]) -> Settings:
    changes: dict[str, object] = {}
    if URLS in environment:
        word = environment[URLS].strip().lower()
        if word not in (*YES, *NO):
            raise ValueError(f"{URLS} is {word!r}; it must be 1 or 0")
        changes["urls"] = word in YES
    if MEGABYTES in environment:
        changes["most_megabytes"] = int(environment[MEGABYTES])
    if ADDRESS in environment:
        changes["public_url"] = environment[ADDRESS].strip()
    return _checked(replace(settings, **changes))  # pyright: ignore[reportArgumentType]


def _checked(settings: Settings) -> Settings:
    if settings.most_megabytes < 1:
        raise ValueError(
            f"the largest upload is {settings.most_megabytes} MB; it must be 1 or more"
        )
    if settings.public_url and not settings.public_url.startswith(("http://", "https://")):
        raise ValueError("the public URL must begin with http:// or https://")
    return replace(settings, public_url=settings.public_url.rstrip("/"))
