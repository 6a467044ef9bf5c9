"""wavespeed for Python: wavespeed_python.py URL SONG.

upload -> run (it submits and waits) -> run with enable_sync_mode
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from told import WAVESPEED_BODY, WAVESPEED_MODEL, is_sound, told
from wavespeed import Client


def main(server: str, song: str) -> None:
    client = Client(api_key="any", base_url=server)
    body: dict[str, Any] = {"audio": Path(song).name, **WAVESPEED_BODY}
    if (url := told("upload", lambda: client.upload(song))) is not None:
        body["audio"] = url
    made = told("submit", lambda: client.run(WAVESPEED_MODEL, body, poll_interval=0.2))
    told("wait", lambda: _waited(client, made, body))
    told("direct", lambda: _is_made(client.run(WAVESPEED_MODEL, body, enable_sync_mode=True)))


def _waited(client: Any, made: dict[str, Any] | None, body: dict[str, Any]) -> None:
    _is_made(made or {})
    if hasattr(client, "get_result"):  # newer ones tell the id, and take it
        found = client.run_no_throw(WAVESPEED_MODEL, body, poll_interval=0.2)
        _is_made(client.get_result(found["task_id"])["data"])


def _is_made(answer: dict[str, Any]) -> None:
    (url,) = answer["outputs"]
    is_sound(url)


if __name__ == "__main__":
    main(*sys.argv[1:3])
