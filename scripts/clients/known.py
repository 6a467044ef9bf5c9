"""Clients that nobody here wrote: which versions, from where, and what each can do.

    Client -> installed(client): a folder of its own, made once -> tried(client, ...): verb -> said

They go below COMFY_HOST_HOME, never into the project or an environment that is shared.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from scripts.host import comfyui

from .tls import Terminator

HOME = comfyui.HOME / "clients"
DRIVERS = Path(__file__).parent / "drivers"
EXAMPLE = "script_examples/websockets_api_example.py"  # of a ComfyUI checkout
VERBS = ("submit", "wait", "logs", "stream", "cancel", "upload", "direct")
YES, FAL_VERBS = "yes", ("submit", "wait", "logs", "cancel", "upload", "direct")


class NotInstalledError(Exception):
    """The client cannot be had here; the text says why."""


@dataclass(frozen=True)
class Client:
    name: str
    version: str  # "" where it comes along with ComfyUI
    driver: str
    verbs: tuple[str, ...]  # all that it has
    way: str = "its address"  # how it is told where to go
    packages: tuple[str, ...] = ()  # those beside itself

    @property
    def is_node(self) -> bool:
        return self.driver.endswith(".mjs")

    @property
    def id(self) -> str:
        return " ".join(word for word in (self.name, self.version, self.way) if word)


def _fal(version: str, *less: str, way: str = "a proxy") -> Client:
    verbs = tuple(verb for verb in FAL_VERBS if verb not in less)
    return Client("fal-client", version, "fal_python.py", verbs, way)


def _node(name: str, version: str, driver: str, *verbs: str, way: str = "its address") -> Client:
    return Client(name, version, f"{driver}.mjs", verbs, way)


WAVESPEED = ("submit", "wait", "upload", "direct")
KNOWN = (
    _fal("0.1.0", "cancel"),
    _fal("0.5.9"),
    _fal("1.0.3"),
    _fal("1.0.3", "upload", way="FAL_RUN_HOST"),
    _node("@fal-ai/client", "1.0.2", "fal", *VERBS, way="middleware"),
    _node("@fal-ai/client", "1.10.1", "fal", *VERBS, way="middleware"),
    *(
        Client("wavespeed (Python)", version, "wavespeed_python.py", WAVESPEED)
        for version in ("0.1.2", "1.0.3", "1.0.14", "2.0.5")
    ),
    _node("wavespeed (JavaScript)", "0.0.15", "wavespeed", "submit", "wait", "upload"),
    _node("wavespeed (JavaScript)", "0.3.2", "wavespeed", *WAVESPEED),
    Client(
        "ComfyUI's websocket example",
        "",
        "websocket_example.py",
        ("submit", "wait"),
        packages=("websocket-client",),
    ),
)


def installed(client: Client) -> Path:
    """The folder with the client, from PyPI or npm; NotInstalledError where it cannot be had."""
    name = client.name.partition(" ")[0] if client.version else ""
    wanted = [f"{name}@{client.version}" if client.is_node else f"{name}=={client.version}"]
    wanted = [*(wanted if name else ()), *client.packages]
    folder = HOME / "_".join(wanted).replace("/", "_")
    if (folder / "done").is_file():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if client.is_node:
        if shutil.which("node") is None or shutil.which("npm") is None:
            raise NotInstalledError("node and npm are not here")
        command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
        command += ["--prefix", str(folder), *wanted]
    else:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        command = [*pip, "--target", str(folder), *wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise NotInstalledError(f"{' '.join(wanted)}: {said[-1] if said else done.returncode}")
    (folder / "done").touch()
    return folder


def tried(
    client: Client, server: comfyui.Running, song: Path, terminator: Terminator
) -> dict[str, str]:
    """What came of each of its verbs: "yes", or what went wrong."""
    folder = installed(client)
    words = [str(DRIVERS / client.driver), server.url, str(song)]
    if client.driver == "websocket_example.py":
        words.append(str(server.checkout / EXAMPLE))
    settings = {name: value for name, value in os.environ.items() if not _is_theirs(name)}
    settings |= {"FAL_KEY": "any:any", **_way(client.way, terminator)}
    if client.is_node:
        command = ["node", *words, str(folder)]
    else:
        command = [sys.executable, "-S", *words]  # nothing but what its folder holds
        settings["PYTHONPATH"] = str(folder)
    done = subprocess.run(
        command, env=settings, capture_output=True, text=True, check=False, timeout=600
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"verb"')]
    told = {line["verb"]: line["said"] for line in lines}
    reason = " ".join(done.stderr[-500:].split())
    return {verb: told.get(verb, f"was not reached: {reason}") for verb in client.verbs}


def _is_theirs(name: str) -> bool:
    return name.startswith(("FAL_", "WAVESPEED_", "ACESTEP_")) or name.upper().endswith("_PROXY")


def _way(way: str, terminator: Terminator) -> dict[str, str]:
    """What the client finds in its environment; nothing of it is changed."""
    trusted = {"SSL_CERT_FILE": str(terminator.certificate)}
    if way == "a proxy":
        return {"HTTPS_PROXY": f"http://{terminator.address}", **trusted}
    if way == "FAL_RUN_HOST":
        hosts = {"FAL_RUN_HOST": terminator.address}
        return {**hosts, "FAL_QUEUE_RUN_HOST": f"{terminator.address}/acestep/queue", **trusted}
    return {}
