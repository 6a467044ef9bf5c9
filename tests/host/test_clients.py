"""Clients of the services, and ComfyUI's own example, each as it comes from PyPI or npm.

Which they are, and what each can do, stands in scripts/clients/known.py; nothing of them is
changed. The table in docs/api.md is made by the same code: python -m scripts.clients --publish
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.clients.known import KNOWN, YES, Client, NotInstalledError, tried
from scripts.clients.tls import Terminator, terminated
from scripts.host.comfyui import Running
from tests.host.source import SONG


@pytest.fixture(scope="module")
def terminator(server: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminator]:
    try:
        with terminated(server.url, tmp_path_factory.mktemp("tls")) as one:
            yield one
    except FileNotFoundError as error:
        pytest.skip(f"{error}: NO client was tried")


@pytest.mark.parametrize("known", KNOWN, ids=lambda one: one.id)
def test_every_verb_it_has(server: Running, terminator: Terminator, known: Client) -> None:
    song: Path = server.base / "input" / SONG
    try:
        found = tried(known, server, song, terminator)
    except NotInstalledError as error:
        pytest.skip(f"{known.id} was NOT tried: {error}")
    assert found == dict.fromkeys(known.verbs, YES)
