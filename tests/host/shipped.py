"""The shipped workflows by the names of their API forms, short enough for a test.

SHIPPED: name -> description      page_form(name), prompt(name) -> what lies in workflows/
shortened(prompt) -> the same prompt, quick to run and on the song that is there
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scripts.workflows.catalogue import WORKFLOWS
from scripts.workflows.model import Workflow
from tests.host.client import Prompt
from tests.host.source import SONG

PLACE = Path(__file__).resolve().parents[2] / "workflows"
SHIPPED: dict[str, Workflow] = {one.name: one for one in WORKFLOWS}
NATIVE = "native_interop"  # needs ComfyUI's own model, which has no tiny form
SHORT: dict[str, dict[str, Any]] = {
    "AceSuiteSampler": {"seconds": 2.0, "steps": 4},
    "AceSuiteExtend": {"after": 2.0},
    "AceSuiteInpaintMask": {"start": 1.0, "end": 2.0},
    "AceSuiteSongWriter": {"seconds": 5.0},
    "AceSuiteLoRA": {"lora": "loras/small_lora.safetensors"},
    "AceSuiteTextToAudio": {"duration": 5.0},
    "AceSuitePromptToAudio": {"duration": 5.0},
    "AceSuiteAudioInpaint": {"start_time": 1.0, "end_time": 2.0},
    "AceSuiteAudioOutpaint": {"extend_after_duration": 2.0},
    "AceSuiteAudioToAudio": {"number_of_steps": 4},
    "LoadAudio": {"audio": SONG},
    "AceSuiteOpenAudio": {"audio": SONG},
}


def shortened(prompt: Prompt, values: dict[str, dict[str, Any]] = SHORT) -> Prompt:
    for node in prompt.values():
        inputs, short = node["inputs"], values.get(node["class_type"], {})
        linked = {name for name in short if isinstance(inputs.get(name), list)}
        inputs.update({name: short[name] for name in short.keys() - linked})
    return prompt


def page_form(name: str) -> dict[str, Any]:
    path = PLACE / f"{SHIPPED[name].file}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def on_song(name: str, file: str) -> dict[str, Any]:
    """As a graph, never as a form, on a file of the input folder."""
    workflow = {**page_form(name), "extra": {}}
    for node in workflow["nodes"]:
        if node["type"] == "LoadAudio":
            node["widgets_values"] = [file, *node["widgets_values"][1:]]
    return workflow


def prompt(name: str) -> Prompt:
    return json.loads((PLACE / "api" / f"{name}.json").read_text(encoding="utf-8"))
