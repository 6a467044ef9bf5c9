"""One server for each checkout that COMFYUI_PATH names, with the small model and a tiny one.

auto finds the small trained model first; the tiny random one is there in every layout.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from acestep_core.weights import small
from acestep_core.weights.checkpoint import recognise
from acestep_core.weights.tiny import write_folder
from scripts.host import comfyui, page
from tests.host import shipped
from tests.host.client import Client, Prompt, connected
from tests.host.single_file import write_adapter, write_single_file
from tests.host.source import SONG, write_source

CHECKOUTS = comfyui.checkouts()
SMALL_WIDTH = recognise(small.FOLDER).config.transformer.inner_dim


@pytest.hookimpl(tryfirst=True)  # before -m picks by marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.host)


@pytest.fixture(autouse=True)
def _browser(request: pytest.FixtureRequest) -> None:
    """What looks at a page (the marker `page`) needs a browser."""
    if request.node.get_closest_marker("page"):
        pytest.importorskip("playwright", reason="playwright is missing: NO page was opened")
        if page.chromium() is None:
            pytest.skip("no Chromium was found (CHROMIUM): NO page was opened")


@pytest.fixture(
    scope="session",
    params=CHECKOUTS or [None],
    ids=[comfyui.version_of(path) for path in CHECKOUTS] or ["no ComfyUI"],
)
def checkout(request: pytest.FixtureRequest) -> Path:
    if request.param is None:
        pytest.skip("COMFYUI_PATH names no ComfyUI checkout: NOTHING was run inside ComfyUI")
    return request.param


@pytest.fixture(scope="session")
def base(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base directory with both models, the tiny one in each layout, a LoRA and a song."""
    folder = comfyui.make_base(tmp_path_factory.mktemp(f"base-{comfyui.version_of(checkout)}"))
    shutil.copytree(small.FOLDER, folder / "models" / "acestep" / "small")
    tiny = write_folder(folder / "models" / "acestep" / "tiny")
    single = folder / "models" / "checkpoints" / "tiny_single.safetensors"
    write_single_file(tiny, single)
    for other in ("diffusion_models", "acestep"):
        copy = folder / "models" / other / "tiny_copy" / "tiny_copy.safetensors"
        copy.parent.mkdir(parents=True)
        shutil.copy(single, copy)
    write_adapter(folder / "models" / "loras" / "tiny_lora.safetensors")
    write_adapter(folder / "models" / "loras" / "small_lora.safetensors", SMALL_WIDTH)
    write_source(folder / "input" / SONG)
    return folder


@pytest.fixture(scope="session")
def server(checkout: Path, base: Path) -> Iterator[comfyui.Running]:
    with comfyui.running(checkout, base) as started:
        yield started


@pytest.fixture
def client(server: comfyui.Running) -> Iterator[Client]:
    with connected(server.url) as one:
        yield one


@pytest.fixture(params=[False, True], ids=["canvas", "Nodes 2.0"])
def nodes2(request: pytest.FixtureRequest) -> bool:
    """Which of the page's two renderers of nodes is on: the newer one?"""
    return request.param


@pytest.fixture
def opened(server: comfyui.Running, nodes2: bool) -> Iterator[page.Opened]:
    with page.opened(server.url, nodes2) as one:
        yield one


@pytest.fixture
def panels(server: comfyui.Running, nodes2: bool) -> bool:
    """Whether this renderer shows anything but plain widgets: that of 0.3.64 does not."""
    return not (nodes2 and server.version == "0.3.64")


@pytest.fixture(scope="session")
def inside(checkout: Path, base: Path) -> dict[str, dict[str, Any]]:
    """What inside.py found, by the name of the check."""
    script, results = Path(__file__).with_name("inside.py"), base / "inside.json"
    command = [comfyui.environment(checkout), script, checkout, base, results]
    done = subprocess.run(
        [str(word) for word in command],
        cwd=checkout,
        env=comfyui.surroundings(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert results.is_file(), done.stdout[-3000:] + done.stderr[-3000:]
    return json.loads(results.read_text(encoding="utf-8"))


@pytest.fixture
def song() -> Prompt:
    """The shipped API workflow, short enough for a test."""
    prompt = shipped.prompt("text_to_music")
    only(prompt, "AceSuiteSampler").update(seconds=3.0, steps=8)
    return prompt


def graph(name: str, **sampler: Any) -> Prompt:
    """A shipped graph, short enough for a test and on its song; its seed stays."""
    values = {
        "AceSuiteSampler": {"seconds": 2.0, "steps": 3, **sampler},
        "AceSuiteInpaintMask": {"start": 1.0, "end": 3.0},
        "LoadAudio": {"audio": SONG},
    }
    return shipped.shortened(shipped.prompt(name), values)


def id_of(prompt: Prompt, kind: str) -> str:
    (found,) = (key for key, node in prompt.items() if node["class_type"] == kind)
    return found


def only(prompt: Prompt, kind: str) -> dict[str, Any]:
    """The inputs of the one node of that kind."""
    return prompt[id_of(prompt, kind)]["inputs"]
