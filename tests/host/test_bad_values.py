"""Every kind of bad value in an API prompt: the error names node, field, value and what helps.

What a schema can tell ComfyUI refuses when the prompt is queued; the rest fails at the node.
"""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.host.comfyui import Running
from tests.host.client import Client, Prompt, RefusedError
from tests.host.conftest import graph, id_of, only
from tests.host.single_file import write_adapter
from tests.unit.nodes.pack import NODES

NAN = float("nan")
GONE = object()  # the input is left out
LINKED_TO_TAGS = object()  # a socket of another type

# node, field, value, ComfyUI's name of the error, what the message offers instead
REFUSED: list[tuple[str, str, Any, str, str]] = [
    ("AceSuiteSampler", "seconds", 10_000.0, "value_bigger_than_max", "240.0"),
    ("AceSuiteSampler", "seconds", -1.0, "value_smaller_than_min", "0.1"),
    ("AceSuiteSampler", "seconds", "long", "invalid_input_type", "FLOAT"),
    ("AceSuiteSampler", "seed", -1, "value_smaller_than_min", "0"),
    ("AceSuiteSampler", "seed", 2**64, "value_bigger_than_max", str(2**64 - 1)),
    ("AceSuiteSampler", "steps", -2, "value_smaller_than_min", "-1"),
    ("AceSuiteSampler", "steps", 1001, "value_bigger_than_max", "1000"),
    ("AceSuiteSampler", "steps", "many", "invalid_input_type", "INT"),
    ("AceSuiteSampler", "batch_size", 65, "value_bigger_than_max", "64"),
    ("AceSuiteSampler", "guidance_scale", 201.0, "value_bigger_than_max", "200.0"),
    ("AceSuiteSampler", "solver", "ddim", "value_not_in_list", "euler"),
    ("AceSuiteSampler", "guidance", "none", "value_not_in_list", "apg"),
    ("AceSuiteSampler", "tags", GONE, "required_input_missing", "tags"),
    ("AceSuiteSampler", "lyrics", LINKED_TO_TAGS, "return_type_mismatch", "ACESUITE_LYRICS"),
    ("AceSuiteLoad", "checkpoint", "checkpoints/other.safetensors", "value_not_in_list", "auto"),
    ("AceSuiteLoad", "dtype", "float8", "value_not_in_list", "bfloat16"),
    ("AceSuiteLyricEncode", "language", "xx", "value_not_in_list", "auto"),
    ("AceSuiteTagEncode", "tags", GONE, "required_input_missing", "tags"),
    ("AceSuiteDCAEDecode", "sample_rate", 7999, "value_smaller_than_min", "8000"),
    ("AceSuiteDCAEDecode", "latent", LINKED_TO_TAGS, "return_type_mismatch", "LATENT"),
    ("AceSuiteInpaintMask", "start", -0.5, "value_smaller_than_min", "0.0"),
    ("AceSuiteInpaintMask", "variance", 1.5, "value_bigger_than_max", "1.0"),
    ("AceSuiteInpaintMask", "start_from", "middle", "value_not_in_list", "start"),
    ("AceSuiteInpaintMask", "end", GONE, "required_input_missing", "end"),
]

# Title of the node, then what its message says: the value, and what to do.
FAILED: list[tuple[str, str, dict[str, Any], str, tuple[str, ...]]] = [
    ("text_to_music", "AceSuiteTagEncode", {"tags": "  "}, "Tag Encode (ACE-Step)",
     ("Tags are empty", "Describe the style")),
    ("text_to_music", "AceSuiteLyricEncode", {"lyrics": "la " * 40_000}, "Lyric Encode (ACE-Step)",
     ("119999 characters", "Cut them")),
    ("text_to_music", "AceSuiteSampler", {"seconds": NAN}, "Sampler (ACE-Step)",
     ("Duration (seconds) is nan", "must be between", "and 240")),
    ("text_to_music", "AceSuiteSampler", {"guidance_scale": NAN}, "Sampler (ACE-Step)",
     ("Guidance scale is nan", "between 0 and 200")),
    ("inpaint", "AceSuiteInpaintMask", {"start": 8.0, "end": 9.0}, "Inpaint Mask (ACE-Step)",
     ("Region start (8.00 s)", "(5.00 s)", "use Extend")),
    ("inpaint", "AceSuiteInpaintMask", {"start": 3.0, "end": 1.0}, "Inpaint Mask (ACE-Step)",
     ("reversed", "3.00 s and ends at 1.00 s", "Exchange the two")),
    ("inpaint", "AceSuiteInpaintMask", {"start": 2.0, "end": 2.0}, "Inpaint Mask (ACE-Step)",
     ("The region is empty", "2.00 s", "Raise its end")),
    ("inpaint", "AceSuiteInpaintMask", {"source_audio": GONE}, "Inpaint Mask (ACE-Step)",
     ("There is no source", "Connect source_audio or source_latent")),
    ("inpaint", "AceSuiteInpaintMask", {"start": 1.0, "end": 2.0, "source_audio": "two clips"},
     "Sampler (ACE-Step)", ("source_audio holds 2 clips", "Choose one")),
    ("inpaint", "AceSuiteInpaintMask", {"source_audio": GONE, "source_latent": "image latent"},
     "Inpaint Mask (ACE-Step)", ("(1, 4, 8, 8)", "ACE-Step v1 has", "Take one that was")),
    ("extend", "AceSuiteExtend", {"before": 0.0, "after": 0.0}, "Extend (ACE-Step)",
     ("0 s before and 0 s after", "Ask for some new music")),
    ("lora", "AceSuiteLoRA", {"lora": "loras/other_sizes.safetensors"}, "Load LoRA (ACE-Step)",
     ("LoRA other_sizes does not fit this model", "made for other sizes")),
    ("lora", "AceSuiteLoRA", {"lora": "loras/of_images.safetensors"}, "Load LoRA (ACE-Step)",
     ("of_images.safetensors",)),
    ("text_to_music", "AceSuiteLoad", {"checkpoint": "checkpoints/broken.safetensors"},
     "Load ACE-Step", ("broken.safetensors",)),
    ("text_to_music", "AceSuiteLoad", {"checkpoint": "checkpoints/of_images.safetensors"},
     "Load ACE-Step", ("of_images.safetensors",)),
]  # fmt: skip

# A node that makes a latent of something else, and what is said of it.
LATENTS: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    (
        {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64}},
        ("(1, 4, 8, 8)", "ACE-Step v1 has", "Take one that was"),
    ),
    (
        {"class_type": "EmptyAceStep1.5LatentAudio", "inputs": {"seconds": 5.0}},
        ("(1, 64, 125)", "ACE-Step 1.5", "Decode it with the nodes for that version"),
    ),
]


@pytest.fixture(scope="module", autouse=True)
def _no_traces(server: Running) -> Iterator[None]:
    """Pages read the history, and newer ones stumble over a number in it that is none."""
    yield
    body, headers = b'{"clear": true}', {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{server.url}/history", body, headers, method="POST")
    urllib.request.urlopen(request, timeout=10).read()


@pytest.fixture(scope="module")
def wrong_files(base: Path) -> None:
    """Files that are listed and cannot be used; before ComfyUI lists them for the first time."""
    import torch
    from safetensors.torch import save_file

    models = base / "models"
    write_adapter(models / "loras" / "other_sizes.safetensors", width=32)
    of_images = models / "loras" / "of_images.safetensors"
    save_file({"lora_unet_down_blocks_0.lora_down.weight": torch.zeros(4, 8)}, of_images)
    shutil.copy(of_images, models / "checkpoints" / "of_images.safetensors")
    (models / "checkpoints" / "broken.safetensors").write_bytes(b"\0" * 100)


def changed(prompt: Prompt, kind: str, values: dict[str, Any]) -> Prompt:
    inputs = only(prompt, kind)
    for name, value in values.items():
        if value is GONE:
            del inputs[name]
        elif value is LINKED_TO_TAGS:
            inputs[name] = [id_of(prompt, "AceSuiteTagEncode"), 0]
        elif value == "two clips":
            inputs[name] = _two_clips(prompt)
        elif value == "image latent":
            prompt["80"] = {**LATENTS[0][0], "inputs": {**LATENTS[0][0]["inputs"], "batch_size": 1}}
            inputs[name] = ["80", 0]
        else:
            inputs[name] = value
    return prompt


def _two_clips(prompt: Prompt) -> list[Any]:
    empty = {"seconds": 3.0, "batch_size": 2}
    decoded = {"model": [id_of(prompt, "AceSuiteLoad"), 0], "latent": ["80", 0]}
    prompt["80"] = {"class_type": "EmptyAceStepLatentAudio", "inputs": empty}
    prompt["81"] = {"class_type": "AceSuiteDCAEDecode", "inputs": decoded}
    return ["81", 0]


@pytest.mark.parametrize(
    ("kind", "field", "value", "error", "offer"),
    REFUSED,
    ids=[f"{row[0].removeprefix('AceSuite')}.{row[1]} {row[3]}" for row in REFUSED],
)
def test_bad_value_is_refused_by_name(
    client: Client, kind: str, field: str, value: Any, error: str, offer: str
) -> None:
    name = "inpaint" if kind == "AceSuiteInpaintMask" else "text_to_music"
    prompt = changed(graph(name), kind, {field: value})
    with pytest.raises(RefusedError) as refused:
        client.queue(prompt)
    about = refused.value.answer["node_errors"][id_of(prompt, kind)]
    assert about["class_type"] == kind
    (found,) = about["errors"]
    assert found["type"] == error
    assert found["extra_info"].get("input_name", found["details"]) == field
    said = json.dumps(found)
    assert offer in said, said
    if isinstance(value, str | float | int):
        assert str(value) in said, said


@pytest.mark.usefixtures("wrong_files")
@pytest.mark.parametrize(
    ("name", "kind", "values", "title", "parts"),
    FAILED,
    ids=[f"{row[3]} {row[4][0]}" for row in FAILED],
)
def test_bad_value_fails_with_node_value_and_remedy(
    client: Client, name: str, kind: str, values: dict[str, Any], title: str, parts: tuple[str, ...]
) -> None:
    prompt = changed(graph(name), kind, values)
    outcome = client.run(prompt)
    assert outcome.end
    assert outcome.end.kind == "execution_error", "it ran to the end"
    blamed = outcome.end.data["node_type"]
    assert title == NODES[blamed].TITLE
    assert outcome.end.data["node_id"] == id_of(prompt, blamed)
    assert outcome.error.startswith(f"{title}: "), outcome.error
    for part in parts:
        assert part in outcome.error, outcome.error
    assert outcome.error.count("\n") <= 1, "one or two lines are enough"


@pytest.mark.parametrize(("latent", "parts"), LATENTS, ids=["image", "ACE-Step 1.5"])
def test_latent_of_another_model_is_refused(
    client: Client, server: Running, latent: dict[str, Any], parts: tuple[str, ...]
) -> None:
    if "1.5" in latent["class_type"] and server.version == "0.3.64":
        pytest.skip("this version has no ACE-Step 1.5")
    prompt = graph("text_to_music")
    prompt["80"] = {**latent, "inputs": {**latent["inputs"], "batch_size": 1}}
    only(prompt, "AceSuiteDCAEDecode").update(latent=["80", 0])
    outcome = client.run(prompt)
    assert outcome.error.startswith("DCAE Decode (ACE-Step): The latent has the shape")
    for part in parts:
        assert part in outcome.error, outcome.error


def test_checkpoint_that_went_away_is_named(client: Client, server: Running) -> None:
    """Deleted after the page listed it, and loaded by auto when nothing is left: never a crash."""
    place = server.base / "models" / "checkpoints" / "goes_away.safetensors"
    shutil.copy(server.base / "models" / "checkpoints" / "tiny_single.safetensors", place)
    entry = f"checkpoints/{place.name}"
    prompt = changed(graph("text_to_music"), "AceSuiteLoad", {"checkpoint": entry})
    place.unlink()
    with pytest.raises(RefusedError) as refused:
        client.queue(prompt)
    (found,) = refused.value.answer["node_errors"][id_of(prompt, "AceSuiteLoad")]["errors"]
    assert (found["type"], found["extra_info"]["received_value"]) == ("value_not_in_list", entry)
    assert "auto" in found["details"]
