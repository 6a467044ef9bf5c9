"""fal-client: fal_python.py URL SONG; where it goes stands in its environment.

upload -> submit -> iter_events with logs -> get; two cancelled, one waiting, one at work; run
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import fal_client
from told import FAL_APP, LONG, QUICK, is_sound, told


def main(song: str) -> None:
    client, source = fal_client.SyncClient(), {"audio_url": Path(song).name}
    if (url := told("upload", lambda: client.upload_file(song))) is not None:
        source = {"audio_url": url}
    handle = told("submit", lambda: client.submit(FAL_APP, {**source, **QUICK}))
    if handle is None:
        return
    lines: list[Any] = []

    def wait() -> None:
        for event in handle.iter_events(with_logs=True):
            lines.extend(getattr(event, "logs", None) or ())
        is_sound(handle.get()["audio"]["url"])

    told("wait", wait)
    told("logs", lambda: _are_lines(lines))
    if hasattr(handle, "cancel"):
        told("cancel", lambda: _cancelled(client, {**source, **LONG}))
    told("direct", lambda: is_sound(client.run(FAL_APP, {**source, **QUICK})["audio"]["url"]))


def _are_lines(lines: list[Any]) -> None:
    assert any(line["message"] for line in lines), lines


def _cancelled(client: Any, body: dict[str, Any]) -> None:
    handles = [client.submit(FAL_APP, body) for _ in range(2)]
    for handle in reversed(handles):
        handle.cancel()
    for handle in handles:
        said = ""
        try:
            handle.get()
        except Exception as error:
            said = str(error)
        assert "cancel" in said.lower(), said or "it was not cancelled"


if __name__ == "__main__":
    main(sys.argv[2])
