"""The other file that touches ComfyUI: its queue, its history, its routes.

    graph -> what POST /prompt does -> queue -> history -> Ended

ComfyUI has no interface for this, so it is done as its own handler does it. What differs between
versions is asked of the objects at hand, never of a version number.
"""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from ...acestep_core.anonymous import sentence
from ...acestep_core.hosted.errors import Problem, RequestError
from ...acestep_core.hosted.queue import CANCELLED, Ended, Graph, OutputFile, Standing
from .. import host


def server() -> Any:
    """ComfyUI's server, or None where there is none (a script, a test, a node listing)."""
    kind = getattr(sys.modules.get("server"), "PromptServer", None) if host.IN_COMFYUI else None
    return getattr(kind, "instance", None)


def add_route(method: str, path: str, handler: Callable[..., Awaitable[Any]]) -> None:
    """Before the server starts, which is when packs are loaded."""
    server().routes.route(method, path)(handler)


def allowed_origin() -> str:
    """Whose pages ComfyUI was told to let in (--enable-cors-header); * for everybody's."""
    from comfy.cli_args import args

    return str(args.enable_cors_header or "")


class HostQueue:
    """ComfyUI's queue, as acestep_core.hosted asks for it."""

    async def put(self, job_id: str, graph: Graph) -> None:
        import execution

        instance = server()
        # Other packs may look at a prompt, or change it, before it is queued.
        asked = instance.trigger_on_prompt({"prompt": graph, "prompt_id": job_id})
        prompt = asked["prompt"]
        is_valid, error, outputs, node_errors = await execution.validate_prompt(
            job_id, prompt, None
        )
        if not is_valid:
            raise _refused(error, node_errors)
        number, instance.number = instance.number, instance.number + 1
        extra = asked.get("extra_data", {})
        item = (number, job_id, prompt, extra, outputs)
        if _has_sensitive(instance.prompt_queue):
            extra["create_time"] = int(time.time() * 1000)
            item = (*item, {})
        instance.prompt_queue.put(item)

    def standing(self) -> Standing:
        running, waiting = server().prompt_queue.get_current_queue_volatile()
        return Standing(
            tuple(item[1] for item in running),
            tuple(item[1] for item in sorted(waiting, key=lambda item: item[0])),
        )

    def ended(self, job_id: str) -> Ended | None:
        queue = server().prompt_queue
        found = queue.get_history(prompt_id=job_id, map_function=_kept).get(job_id)
        return _ended(found) if found else None

    def cancel(self, job_id: str) -> None:
        from comfy import model_management

        queue = server().prompt_queue
        with queue.mutex:  # held, so that the one that runs cannot become another
            if queue.delete_queue_item(lambda item: item[1] == job_id):
                return
            if any(item[1] == job_id for item in queue.currently_running.values()):
                model_management.interrupt_current_processing()

    def withdraw(self, job_id: str) -> None:
        server().prompt_queue.delete_queue_item(lambda item: item[1] == job_id)

    def progress(self, job_id: str) -> str:
        try:
            from comfy_execution.progress import get_progress_state
        except ImportError:
            return ""
        state = get_progress_state()
        if state.prompt_id != job_id:
            return ""
        for node_id, node in list(state.nodes.items()):
            kind = state.dynprompt.get_node(node_id)["class_type"]
            if node["state"].value == "running":
                return f"{kind}: {node['value']:g} of {node['max']:g}"
        return ""


def _has_sensitive(queue: Any) -> bool:
    """Newer versions keep secrets of a prompt in a sixth place of the item."""
    return "process_item" in inspect.signature(queue.task_done).parameters


def _refused(error: Any, node_errors: dict[str, Any]) -> RequestError:
    """ComfyUI's reasons, in our shape."""
    problems = [
        Problem(
            str(one.get("extra_info", {}).get("input_name") or node["class_type"]),
            sentence(f"{node['class_type']}: {one['message']} ({one['details']})"),
        )
        for node in node_errors.values()
        for one in node["errors"]
    ]
    if problems:
        return RequestError.of(problems)
    return RequestError(f"ComfyUI does not take the graph: {sentence(error['message'])}")


def _kept(entry: dict[str, Any]) -> dict[str, Any]:
    return {"outputs": entry["outputs"], "status": entry["status"]}


def _ended(entry: dict[str, Any]) -> Ended:
    messages = {kind: data for kind, data in (entry["status"] or {}).get("messages", ())}
    began = messages.get("execution_start", {}).get("timestamp", 0)
    last = max((data.get("timestamp", 0) for data in messages.values()), default=0)
    took = max(0, last - began) if began else 0
    if "execution_interrupted" in messages:
        return Ended(error=CANCELLED, milliseconds=took)
    if "execution_error" in messages:
        return Ended(
            error=str(messages["execution_error"]["exception_message"]).strip(), milliseconds=took
        )
    files = tuple(
        OutputFile(one["filename"], one["subfolder"], one["type"])
        for shown in entry["outputs"].values()
        for one in shown.get("audio", ())
    )
    return Ended(files, "", took)
