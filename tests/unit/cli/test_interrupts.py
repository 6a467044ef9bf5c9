"""Ctrl-C and SIGTERM, from the first import to the last file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# The signal comes when a module is imported for the first time.
AT_IMPORT = """
import os, runpy, signal, sys
module, name, sent, *words = sys.argv[1:]
class Finder:
    def find_spec(self, found, path=None, target=None):
        if found == name:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), getattr(signal, sent))
sys.meta_path.insert(0, Finder())
sys.argv[1:] = words
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""
WORDS = {"acestep_core": ["info", "small_model"], "acestep_core.cli.demo": ["-o", "never.flac"]}


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends a process at once there")
@pytest.mark.parametrize(
    ("run", "name", "sent", "status"),
    [
        ("acestep_core", "acestep_core.cli.commands", "SIGINT", 130),
        ("acestep_core", "torch", "SIGINT", 130),
        ("acestep_core", "acestep_core.weights.checkpoint", "SIGINT", 130),
        ("acestep_core", "acestep_core.cli.info", "SIGTERM", 143),
        ("acestep_core.cli.demo", "torch", "SIGINT", 130),
        ("acestep_core.cli.demo", "acestep_core.pipeline", "SIGTERM", 143),
    ],
)
def test_a_signal_at_any_time_is_a_sentence(
    root: Path, run: str, name: str, sent: str, status: int
) -> None:
    command = [sys.executable, "-c", AT_IMPORT, run, name, sent, *WORDS[run]]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.strip().startswith("Stopped")
