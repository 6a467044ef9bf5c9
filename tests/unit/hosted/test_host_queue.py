"""What ComfyUI's queue and history say, in the forms of both versions."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.unit.nodes.pack import module

host_queue = module("nodes.host.queue")
errors = module("acestep_core.hosted.errors")
GRAPH = {"1": {"class_type": "AceSuiteTextToAudio", "inputs": {}}}


class OldQueue:
    """The part of ComfyUI's PromptQueue that is asked, as in 0.3.64."""

    def __init__(self) -> None:
        self.mutex = threading.RLock()
        self.queue: list[Any] = []
        self.currently_running: dict[int, Any] = {}
        self.history: dict[str, Any] = {}

    def put(self, item: Any) -> None:
        self.queue.append(item)

    def task_done(self, item_id: int, history_result: Any, status: Any) -> None:
        """Only its parameters are looked at."""

    def get_current_queue_volatile(self) -> tuple[list[Any], list[Any]]:
        return list(self.currently_running.values()), list(self.queue)

    def delete_queue_item(self, function: Any) -> bool:
        before = len(self.queue)
        self.queue = [item for item in self.queue if not function(item)]
        return len(self.queue) < before

    def get_history(self, prompt_id: str, map_function: Any) -> dict[str, Any]:
        found = self.history.get(prompt_id)
        return {prompt_id: map_function(found)} if found else {}


class NewQueue(OldQueue):
    def task_done(
        self, item_id: int, history_result: Any, status: Any, process_item: Any = None
    ) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """As in 0.20.1."""


@pytest.fixture(params=[OldQueue, NewQueue], ids=["0.3.64", "0.20.1"])
def comfy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A ComfyUI with this queue, whose validation finds what `found` says."""
    instance = SimpleNamespace(
        prompt_queue=request.param(), number=7, trigger_on_prompt=lambda asked: asked, stopped=[]
    )
    execution = ModuleType("execution")
    found = SimpleNamespace(answer=(True, None, ["1"], {}))

    async def validate_prompt(prompt_id: str, prompt: Any, partial: Any) -> Any:
        return found.answer

    execution.validate_prompt = validate_prompt  # pyright: ignore[reportAttributeAccessIssue]
    management = SimpleNamespace(interrupt_current_processing=lambda: instance.stopped.append(1))
    comfy = ModuleType("comfy")
    comfy.model_management = management  # pyright: ignore[reportAttributeAccessIssue]
    arguments = ModuleType("comfy.cli_args")
    arguments.args = SimpleNamespace(enable_cors_header=None)  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setitem(sys.modules, "execution", execution)
    monkeypatch.setitem(sys.modules, "comfy", comfy)
    monkeypatch.setitem(sys.modules, "comfy.cli_args", arguments)
    monkeypatch.setattr(host_queue, "server", lambda: instance)
    return SimpleNamespace(
        server=instance, found=found, queue=instance.prompt_queue, args=arguments.args
    )


def put(job_id: str) -> None:
    asyncio.run(host_queue.HostQueue().put(job_id, GRAPH))


def test_items_have_the_form_of_their_version(comfy: Any) -> None:
    put("a")
    put("b")
    first, second = comfy.queue.queue
    assert (first[:3], first[4]) == ((7, "a", GRAPH), ["1"])
    assert (second[0], comfy.server.number) == (8, 9)
    if isinstance(comfy.queue, NewQueue):
        assert (len(first), first[5]) == (6, {})
        assert first[3]["create_time"] > 1.6e12
    else:
        assert (len(first), first[3]) == (5, {})


def test_order_and_standing(comfy: Any) -> None:
    for name in "abc":
        put(name)
    comfy.queue.queue.reverse()
    comfy.queue.currently_running[0] = comfy.queue.queue.pop()
    standing = host_queue.HostQueue().standing()
    assert (standing.running, standing.waiting) == (("a",), ("b", "c"))


def test_cancel_touches_one_alone(comfy: Any) -> None:
    for name in "abc":
        put(name)
    comfy.queue.currently_running[0] = comfy.queue.queue.pop(0)
    queue = host_queue.HostQueue()
    queue.cancel("c")
    queue.cancel("other")
    assert [item[1] for item in comfy.queue.queue] == ["b"]
    assert not comfy.server.stopped
    queue.cancel("a")
    assert comfy.server.stopped == [1]


def test_other_packs_may_change_a_prompt(comfy: Any) -> None:
    comfy.server.trigger_on_prompt = lambda asked: {**asked, "extra_data": {"x": 1}}
    put("a")
    assert comfy.queue.queue[0][3]["x"] == 1


def test_what_validation_refuses(comfy: Any) -> None:
    fault = {
        "message": "Value not in list",
        "details": "checkpoint: 'x' not in []",
        "extra_info": {"input_name": "checkpoint"},
    }
    nodes = {"1": {"errors": [fault], "class_type": "AceSuiteLoad", "dependent_outputs": []}}
    comfy.found.answer = (False, {"message": "Prompt outputs failed validation"}, [], nodes)
    with pytest.raises(errors.RequestError) as caught:
        put("a")
    (problem,) = caught.value.problems
    assert problem.field == "checkpoint"
    assert str(caught.value) == "AceSuiteLoad: Value not in list (checkpoint: 'x' not in [])"
    comfy.found.answer = (False, {"message": "Cannot execute"}, [], {})
    with pytest.raises(errors.RequestError, match="Cannot execute"):
        put("a")
    assert not comfy.queue.queue


def test_a_refusal_names_no_folder(comfy: Any) -> None:
    fault = {"message": "Invalid file", "details": "/home/ann/ComfyUI/input/a.wav"}
    nodes = {"1": {"errors": [fault], "class_type": "LoadAudio", "dependent_outputs": []}}
    comfy.found.answer = (False, {"message": "failed"}, [], nodes)
    with pytest.raises(errors.RequestError, match=r"^LoadAudio: Invalid file \(a\.wav\)$"):
        put("a")
    comfy.found.answer = (False, {"message": "no /home/ann/ComfyUI/x"}, [], {})
    with pytest.raises(errors.RequestError, match=r"no x$"):
        put("a")


def test_whose_pages_comfyui_lets_in(comfy: Any) -> None:
    assert host_queue.allowed_origin() == ""
    comfy.args.enable_cors_header = "https://page.example"
    assert host_queue.allowed_origin() == "https://page.example"


def entry(*messages: tuple[str, dict[str, Any]], outputs: Any = None) -> dict[str, Any]:
    return {"outputs": outputs or {}, "status": {"messages": list(messages)}, "prompt": ()}


def test_ends(comfy: Any) -> None:
    start = ("execution_start", {"timestamp": 1000})
    audio = {"4": {"audio": [{"filename": "a.flac", "subfolder": "s", "type": "output"}]}}
    error = {"timestamp": 1500, "exception_message": "Load ACE-Step: nothing\n"}
    comfy.queue.history = {
        "good": entry(start, ("execution_success", {"timestamp": 3500}), outputs=audio),
        "bad": entry(start, ("execution_error", error)),
        "cut": entry(start, ("execution_interrupted", {"timestamp": 1200})),
        "odd": {"outputs": {}, "status": None, "prompt": ()},
    }
    ended = host_queue.HostQueue().ended
    good = ended("good")
    assert (good.files[0].filename, good.error, good.milliseconds) == ("a.flac", "", 2500)
    assert (ended("bad").error, ended("bad").milliseconds) == ("Load ACE-Step: nothing", 500)
    assert (ended("cut").error, ended("cut").milliseconds) == ("It was cancelled.", 200)
    assert (ended("odd").files, ended("odd").error) == ((), "")
    assert ended("none") is None


@pytest.mark.parametrize("is_there", [False, True])
def test_routes_are_registered_where_there_is_a_server(
    is_there: bool, comfy: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    api, seen = module("nodes.rest.routes"), []
    monkeypatch.setattr(host_queue, "server", lambda: object() if is_there else None)
    monkeypatch.setattr(host_queue, "add_route", lambda method, path, handler: seen.append(path))
    folders = {"input": tmp_path}
    monkeypatch.setattr(module("nodes.host"), "sound_folders", lambda: folders)
    left = tmp_path / "acestep_api" / f".acestep-{'0' * 16}.part"  # of a server that was killed
    left.parent.mkdir()
    left.write_bytes(b"half a song")
    os.utime(left, (1, 1))
    api.register()
    assert left.exists() != is_there
    assert seen == ([route.path for route in api.ROUTES] if is_there else [])
