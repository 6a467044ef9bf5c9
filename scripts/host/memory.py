"""What a page costs in memory, as the browser's own tracing (memory-infra) has it.

    Opened -> measured -> MiB of the page's process: all that is its own, and parts of that

`private` is what would be free again were the page's process gone. The parts say what grows: some
lie in others, and together they are not the whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from scripts.host.page import Opened

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession

MARK = "acesuite-memory"
CATEGORIES = ["disabled-by-default-memory-infra", "blink.user_timing"]
# Part -> first words of the names that the browser gives its memory.
PARTS = {
    "scripts": {"v8"},
    "document": {"blink_gc"},
    "buffers": {"malloc", "partition_alloc"},
    "canvases": {"canvas", "cc", "skia"},
    "sound": {"media"},
}
PATIENCE = 120  # quarters of a second


def measured(opened: Opened) -> dict[str, float]:
    """MiB, once what nobody uses is gone."""
    page = opened.page
    browser = page.context.browser
    assert browser, "the page belongs to no browser"
    own, all_of_it = page.context.new_cdp_session(page), browser.new_browser_cdp_session()
    for _ in range(2):
        own.send("HeapProfiler.collectGarbage")
    done: list[dict[str, Any]] = []
    all_of_it.on("Tracing.tracingComplete", lambda said: done.append(said))
    config = {"includedCategories": CATEGORIES, "memoryDumpConfig": {"triggers": []}}
    all_of_it.send("Tracing.start", {"transferMode": "ReturnAsStream", "traceConfig": config})
    page.evaluate("name => { performance.mark(name); }", MARK)
    dump = {"deterministic": True, "levelOfDetail": "detailed"}
    assert all_of_it.send("Tracing.requestMemoryDump", dump)["success"]
    all_of_it.send("Tracing.end")
    for _ in range(PATIENCE):
        if done:
            break
        page.wait_for_timeout(250)
    assert done, "the browser gave no trace"
    events = json.loads(_read(all_of_it, done[0]["stream"]))["traceEvents"]
    for session in (own, all_of_it):
        session.detach()
    return _of_process(events, next(one["pid"] for one in events if one.get("name") == MARK))


def _read(session: CDPSession, stream: str) -> str:
    text = ""
    while True:
        part = session.send("IO.read", {"handle": stream, "size": 1 << 24})
        text += part["data"]
        if part["eof"]:
            session.send("IO.close", {"handle": stream})
            return text


def _of_process(events: Iterable[dict[str, Any]], process: int) -> dict[str, float]:
    found = {"private": 0.0, **dict.fromkeys(PARTS, 0.0)}
    dumps = [one["args"]["dumps"] for one in events if one["ph"] == "v" and one["pid"] == process]
    for dump in dumps:
        totals = dump.get("process_totals", {})
        if "private_footprint_bytes" in totals:
            found["private"] = _mib(totals["private_footprint_bytes"])
        sizes = {
            name: _mib(entry["attrs"]["size"]["value"])
            for name, entry in dump.get("allocators", {}).items()
            if "size" in entry.get("attrs", {})
        }
        for part, words in PARTS.items():
            if total := sum(_outer(sizes, words)):
                found[part] = total
    assert found["private"], "the trace has no dump of the page's process"
    return {name: round(value, 1) for name, value in found.items()}


def _outer(sizes: dict[str, float], words: set[str]) -> Iterable[float]:
    """Sizes of what lies in nothing else that has a size."""
    for name, size in sizes.items():
        above = name.split("/")
        holders = {"/".join(above[:count]) for count in range(1, len(above))}
        if above[0] in words and not holders & sizes.keys():
            yield size


def _mib(digits: str) -> float:
    return int(digits, 16) / 2**20
