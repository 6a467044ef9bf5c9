"""ComfyUI's own websockets_api_example.py with our graph: websocket_example.py URL SONG EXAMPLE.

Its functions and its last lines are run as they are; what a user writes into it, the address and
the graph, is written into it here.
"""

from __future__ import annotations

import ast
import json
import runpy
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from told import told

WORKFLOW = Path(__file__).resolve().parents[3] / "workflows" / "api" / "text_to_music.json"


def main(server: str, example: str) -> None:
    theirs = ast.parse(Path(example).read_text(encoding="utf-8"))
    theirs.body = [line for line in theirs.body if not _is_users(line)]
    users = {"server_address": urlsplit(server).netloc, "prompt": graph()}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "example.py"
        file.write_text(ast.unparse(theirs), encoding="utf-8")
        names = told("submit", lambda: runpy.run_path(str(file), users))
    told("wait", lambda: _are_pictures((names or {})["images"]))


def graph() -> dict[str, Any]:
    """The shipped song, short, with a picture of it: pictures are what the example fetches."""
    prompt = json.loads(WORKFLOW.read_text(encoding="utf-8"))
    kinds = {node["class_type"]: (key, node) for key, node in prompt.items()}
    kinds["AceSuiteSampler"][1]["inputs"].update(seconds=2.0, steps=3)
    audio = [kinds["AceSuiteDCAEDecode"][0], 0]
    prompt["mel"] = {"class_type": "AceSuiteMelView", "inputs": {"audio": audio}}
    prompt["picture"] = {"class_type": "PreviewImage", "inputs": {"images": ["mel", 0]}}
    return prompt


def _is_users(line: ast.stmt) -> bool:
    """Whether a line of the example is one its user replaces."""
    if not isinstance(line, ast.Assign):
        return False
    target = line.targets[0]
    while isinstance(target, ast.Subscript):
        target = target.value
    return isinstance(target, ast.Name) and target.id in ("server_address", "prompt_text", "prompt")


def _are_pictures(images: dict[str, list[bytes]]) -> None:
    (picture,) = images["picture"]
    assert picture[:8] == b"\x89PNG\r\n\x1a\n", picture[:8]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[3])
