"""Environments for peers: their packages over this one's torch, so that only the programs differ.

folder/lib/.../site-packages/shared.pth -> this environment's packages
pip then adds what the peer needs and is not there yet
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
TORCH = ("torch==2.11.0", "torchaudio==2.11.0", "torchvision==0.26.0")
ORIGINAL = (
    "accelerate==1.6.0",
    "diffusers==0.35.2",
    "librosa==0.11.*",
    "loguru",
    "peft==0.17.1",
    "transformers==4.57.6",
)


@dataclass(frozen=True)
class Place:
    """How a peer is started: its Python, and the folder whose modules it sees first."""

    name: str
    python: Path
    checkout: Path

    def started(self, log: Path) -> subprocess.Popen[str]:
        seen = os.pathsep.join(dict.fromkeys([str(self.checkout), str(ROOT)]))
        with log.open("w", encoding="utf-8") as errors:
            return subprocess.Popen(
                [str(self.python), "-m", f"bench.peers.{self.name}"],
                cwd=self.checkout,
                env={**os.environ, "PYTHONPATH": seen, "HF_HUB_OFFLINE": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                bufsize=1,
            )


def ours() -> Place:
    return Place("ours", Path(sys.executable), ROOT)


def original(checkout: Path, environments: Path) -> Place:
    if not (checkout / "acestep" / "models").is_dir():
        raise SystemExit(f"--original {checkout} is no checkout of the original: no acestep/models")
    return Place("original", layered(environments / "original", ORIGINAL), checkout)


def comfyui(checkout: Path, environments: Path) -> Place:
    listed = checkout / "requirements.txt"
    if not (checkout / "comfy" / "ldm" / "ace").is_dir():
        raise SystemExit(f"--comfyui {checkout} is no ComfyUI with ACE-Step: no comfy/ldm/ace")
    words = [line.split("#")[0].strip() for line in listed.read_text("utf-8").splitlines()]
    wanted = [word for word in words if word and word.split("=")[0] not in SERVED]
    return Place("comfyui", layered(environments / "comfyui", wanted), checkout)


# Of ComfyUI's requirements: what only its page shows, hundreds of megabytes.
SERVED = ("comfyui-frontend-package", "comfyui-workflow-templates", "comfyui-embedded-docs")


def layered(folder: Path, wanted: tuple[str, ...] | list[str]) -> Path:
    """The environment's Python; made when it is not there or was made for something else."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    made_for = json.dumps([torch.__version__, sys.prefix, *wanted])
    note = folder / "made-for.json"
    if note.is_file() and note.read_text(encoding="utf-8") == made_for:
        return python
    print(f"Making an environment in {folder}: {', '.join(wanted)}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    where = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(
        subprocess.run(where, capture_output=True, text=True, check=True).stdout.strip()
    )
    shared = packages / "shared.pth"
    shared.write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    # torch is named too, or pip could take another one to please a package.
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *TORCH, *wanted], check=True)
    note.write_text(made_for, encoding="utf-8")
    return python
