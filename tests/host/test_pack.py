"""What ComfyUI knows about the pack after it has started."""

from __future__ import annotations

import json
import logging
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from scripts.host.comfyui import NAME, Running, get_json
from tests.unit.nodes.pack import imported

log = logging.getLogger(__name__)

FROM_DISK = {"checkpoint", "lora"}  # inputs whose options are what lies in the model folders


def test_import_is_clean(server: Running) -> None:
    log.info("ComfyUI %s: up in %.1f s", server.version, server.seconds)
    log.info("ComfyUI %s: pack imported in %.1f s", server.version, server.import_seconds)
    assert not server.trouble()


def test_node_definitions_are_the_same_everywhere(server: Running) -> None:
    """Ids, inputs, options, defaults and outputs, as the pack gives them without ComfyUI."""
    nodes = imported().NODE_CLASS_MAPPINGS
    info = get_json(server.url + "/object_info")
    ours = {name for name, one in info.items() if one["python_module"] == f"custom_nodes.{NAME}"}
    assert ours == set(nodes)
    for name, node in nodes.items():
        shown, inputs = info[name], json.loads(json.dumps(node.INPUT_TYPES()))
        assert _without_files(shown["input"]) == _without_files(inputs), name
        assert shown["output"] == list(node.RETURN_TYPES)
        assert shown["output_name"] == list(node.RETURN_NAMES)
        assert len(shown["output_tooltips"]) == len(node.RETURN_TYPES)
        assert (shown["display_name"], shown["category"]) == (node.TITLE, node.CATEGORY)
        assert shown["description"]


def _without_files(inputs: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        kind: {name: None if name in FROM_DISK else given for name, given in group.items()}
        for kind, group in inputs.items()
    }


def test_checkpoints_are_listed_from_auto_to_download(server: Running) -> None:
    info = get_json(server.url + "/object_info/AceSuiteLoad")["AceSuiteLoad"]
    options = info["input"]["required"]["checkpoint"][0]
    assert options[0] == "auto"
    assert options[-1] == "download"
    assert {"acestep/tiny", "checkpoints/tiny_single.safetensors"} <= set(options)


def test_templates_and_their_pictures_are_served(server: Running, root: Path) -> None:
    listed = get_json(server.url + "/workflow_templates")[NAME]
    files = {path.stem for path in (root / "workflows").glob("*.json")}
    assert set(listed) == files
    for name in files:
        assert (root / "workflows" / f"{name}.jpg").is_file(), f"{name} has no picture"
        workflow = get_json(f"{server.url}/api/workflow_templates/{NAME}/{quote(name)}.json")
        assert workflow["nodes"]


@pytest.mark.parametrize("name", sorted(imported().NODE_CLASS_MAPPINGS))
def test_help_page_of_every_node_is_served(server: Running, name: str) -> None:
    url = f"{server.url}/extensions/{NAME}/docs/{name}.md"
    with urllib.request.urlopen(url, timeout=10) as answer:
        text = answer.read().decode()
    node = imported().NODE_CLASS_MAPPINGS[name]
    assert text.startswith(f"![{node.TITLE}](img/{name}.jpg)\n\n# {node.TITLE}\n")
    with urllib.request.urlopen(f"{url.rpartition('/')[0]}/img/{name}.jpg", timeout=10) as answer:
        assert answer.read(2) == b"\xff\xd8"  # how a JPEG begins
    for kind, group in node.INPUT_TYPES().items():
        for given in group if kind != "hidden" else ():
            assert f"**{given}**" in text, f"the page of {name} says nothing about {given}"
