"""A part of a long file through the REST face of a real ComfyUI, which never holds all of it."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest
import torch

from acestep_core.hosted.client import Client
from acestep_core.sound.files import InFile
from bench.long import RATE, write_source
from scripts.host.comfyui import Running
from tests.host.source import SONG
from tests.host.test_api import file_of

log = logging.getLogger(__name__)

MINUTES = 20
AT_ONCE = MINUTES * 60 * RATE * 2 * 4  # bytes of all of it
MOST = 400e6  # more than that was held before by a source and its result alone


def status_of(pid: int) -> dict[str, int]:
    """Bytes of memory: VmRSS now, VmHWM at most since `forget_peak`."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    pairs = [line.split() for line in lines if line.startswith("Vm")]
    return {name.rstrip(":"): 1024 * int(value) for name, value, *_ in pairs}


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_two_seconds_of_a_long_file_take_little_memory(server: Running) -> None:
    client, path = Client(server.url), server.base / "input" / "long.flac"
    write_source(path, MINUTES)
    try:
        # The model and the packages are there from then on.
        client.run("audio-inpaint", {"audio": SONG, "tags": "pop", "end_time": 1})
        forget_peak(server.pid)
        before = status_of(server.pid)["VmRSS"]
        ends = {"start_time_relative_to": "end", "end_time_relative_to": "end"}
        region = {"start_time": 121, "end_time": 119, **ends}
        job = client.run("audio-inpaint", {"audio": path.name, "tags": "pop", **region})
        rise = status_of(server.pid)["VmHWM"] - before
        log.info("%s: %.0f MB for 2 s of %d minutes", server.version, rise / 1e6, MINUTES)
        source, made = InFile(path), InFile(file_of(server, job.outputs[0]))
        assert (made.samples, made.rate, made.channels) == (source.samples, RATE, 2)
        first, last = (source.samples - end * RATE for end in (121, 119))
        for stretch in ((0, 5 * RATE), (first - 5 * RATE, first), (last, source.samples)):
            assert torch.equal(made.part(*stretch), source.part(*stretch))
        assert not torch.allclose(made.part(first, last), source.part(first, last), atol=1e-2)
        assert rise < MOST < AT_ONCE
    finally:
        path.unlink()
