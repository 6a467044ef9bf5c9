"""A real ComfyUI with this pack linked into it, headless and on the CPU.

    checkout -> environment (made once per version) -> server on 127.0.0.1 -> Running

COMFYUI_PATH names one or several checkouts; nothing here fetches one. Environments live in
COMFY_HOST_HOME, about 5.5 GB each. Nothing but the standard library is needed.

COMFY_FRONTEND puts another page in front of the server than its own: a version of
comfyui-frontend-package, "newest", or a folder that holds an index.html. What is not there yet
is fetched from PyPI (70 MB), beside the environments.
"""

from __future__ import annotations

import json
import logging
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

PACK = Path(__file__).resolve().parents[2]
HOME = Path(os.environ.get("COMFY_HOST_HOME") or Path(tempfile.gettempdir()) / "comfy_host")
NAME = "ComfyUI-ACEStep-Suite"  # of the link; the user's own name may be any
PORTS = range(8310, 8351)

# A trio that fits together on a CPU-only machine; ComfyUI imports all three at its start.
TORCH = ("torch==2.11.0", "torchaudio==2.11.0", "torchvision==0.26.0")
UNDECLARED = ("requests",)  # ComfyUI 0.3.64 imports it and does not ask for it

PROBE = """
import importlib.metadata as packages, sys
import aiohttp, av, comfyui_frontend_package, requests, torch, torchaudio, torchvision
for name in sys.argv[1:]:
    packages.version(name)
"""
FRONTEND, NEWEST = "comfyui-frontend-package", "newest"
CHOICES = ("ACESTEP_MODEL", "ACESTEP_VOCAB")  # what they name would hide what ComfyUI has
QUIET = {
    "HF_HUB_OFFLINE": "1",  # a surprise download becomes an error
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "PYTHONUNBUFFERED": "1",
}


def checkouts() -> list[Path]:
    """The ComfyUI checkouts that COMFYUI_PATH names."""
    words = os.environ.get("COMFYUI_PATH", "").split(os.pathsep)
    found = [Path(word).expanduser().resolve() for word in words if word]
    for path in found:
        if not (path / "main.py").is_file():
            raise SystemExit(f"COMFYUI_PATH: {path} is no ComfyUI checkout (no main.py)")
    return found


def version_of(checkout: Path) -> str:
    text = (checkout / "comfyui_version.py").read_text(encoding="utf-8")
    found = re.search(r"__version__\s*=\s*[\"']([^\"']+)", text)
    return found[1] if found else "unknown"


def environment(checkout: Path) -> Path:
    """The Python that can run the checkout and the pack; made when it is not there."""
    folder = HOME / f"venv-{version_of(checkout)}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    requirements = PACK / "requirements.txt"
    lines = (line.strip() for line in requirements.read_text(encoding="utf-8").splitlines())
    names = [re.split(r"[<>=~!;\[ ]", line)[0] for line in lines if line and line[0] != "#"]
    if python.exists() and _succeeds(python, "-c", PROBE, *names):
        return python
    log.warning("making an environment in %s: 3 GB to download, minutes", folder)
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    held = folder / "held-torch.txt"
    held.write_text("\n".join(TORCH) + "\n", encoding="utf-8")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    theirs = str(checkout / "requirements.txt")
    # Together: pip could take a newer torch to please another package.
    subprocess.run([*pip, *TORCH, *UNDECLARED, "-r", theirs], check=True)
    subprocess.run([*pip, "-c", str(held), "-r", str(requirements)], check=True)
    subprocess.run([str(python), "-c", PROBE, *names], check=True)
    return python


def _succeeds(*command: str | Path) -> bool:
    words = [str(word) for word in command]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def frontend(python: Path) -> Path | None:
    """The folder of the page that COMFY_FRONTEND asks for; None for the server's own."""
    asked = os.environ.get("COMFY_FRONTEND", "").strip()
    if not asked:
        return None
    folder = Path(asked).expanduser()
    if not folder.is_dir():
        target = HOME / f"frontend-{asked}"
        folder = target / FRONTEND.replace("-", "_") / "static"
        if asked == NEWEST or not (folder / "index.html").is_file():
            wanted = FRONTEND if asked == NEWEST else f"{FRONTEND}=={asked}"
            pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, "--no-deps", "--upgrade", "--target", target, wanted], check=True)
    if not (folder / "index.html").is_file():
        raise SystemExit(f"COMFY_FRONTEND: {folder} holds no page (no index.html)")
    return folder.resolve()


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    checkout: Path
    version: str
    python: Path
    url: str
    base: Path  # its input, output, models, custom_nodes
    log_file: Path
    seconds: float  # it took to come up
    pid: int

    @property
    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    @property
    def import_seconds(self) -> float:
        """What ComfyUI says the import of the pack took."""
        found = re.search(rf"([\d.]+) seconds.*{NAME}\s*$", self.log, re.MULTILINE)
        assert found, "ComfyUI's log has no import time of the pack"
        return float(found[1])

    def trouble(self) -> list[str]:
        """Lines of the log that say the pack did not load as it should."""
        signs = ("Cannot import", "IMPORT FAILED", "Skip ", "Unable to parse pyproject")
        return [line for line in self.log.splitlines() if any(sign in line for sign in signs)]


def make_base(base: Path) -> Path:
    """The folder a server works in, with a link to the pack; ComfyUI wants it to be there."""
    for name in ("custom_nodes", "input", "models", "output", "temp", "user"):
        (base / name).mkdir(parents=True, exist_ok=True)
    link = base / "custom_nodes" / NAME
    if not link.exists():
        link.symlink_to(PACK, target_is_directory=True)
    return base


def surroundings(**more: str) -> dict[str, str]:
    """The environment of a ComfyUI: this one, less the choices of whoever runs the tests."""
    own = {name: value for name, value in os.environ.items() if name not in CHOICES}
    return {**own, **QUIET, **more}


@contextmanager
def running(checkout: Path, base: Path, seconds: float = 180, **more: str) -> Iterator[Running]:
    """Start a server on a free port, wait until it answers, stop it at the end; `more` are
    environment variables."""
    python, port = environment(checkout), free_port()
    url, log_file = f"http://127.0.0.1:{port}", base / "server.log"
    command = [str(python), "main.py", "--cpu", "--listen", "127.0.0.1", "--port", str(port)]
    command += ["--base-directory", str(base), "--disable-api-nodes"]
    command += ["--database-url", f"sqlite:///{base}/comfy.db"]
    if (other := frontend(python)) is not None:
        log.info("the page is that of %s", other)
        command += ["--front-end-root", str(other)]
    began = time.monotonic()
    with log_file.open("wb") as out:
        server = subprocess.Popen(
            command,
            cwd=checkout,
            env=surroundings(**more),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(url, base, server, log_file, began + seconds)
        took = time.monotonic() - began
        about = (python, url, base, log_file, took, server.pid)
        yield Running(checkout, version_of(checkout), *about)
    finally:
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()


def free_port() -> int:
    # Any of them: of two that start at once, both would take the first.
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise SystemExit(f"no free port from {PORTS.start} to {PORTS.stop - 1}")


def _wait_for(
    url: str, base: Path, server: subprocess.Popen[bytes], log_file: Path, until: float
) -> None:
    """Until this very server answers: another may have taken the port meanwhile."""
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        try:
            if str(base) in get_json(url + "/system_stats")["system"]["argv"]:
                get_json(url + "/object_info")
                return
            time.sleep(0.25)
        except (urllib.error.URLError, OSError, ValueError):
            time.sleep(0.25)
    end = "\n".join(log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-25:])
    raise RuntimeError(f"ComfyUI did not come up; the end of its log:\n{end}")


def get_json(url: str, timeout: float = 60) -> Any:
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return json.loads(answer.read())
