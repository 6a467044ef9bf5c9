"""ComfyUI's page in headless Chromium: load a workflow, run it, see what the page says.

Needs Python's playwright and a Chromium: Debian's own, or the one CHROMIUM names. Nothing is
downloaded.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.host.comfyui import get_json

if TYPE_CHECKING:
    from playwright.sync_api import Page

FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
# The page says these at every start by itself, whatever packs there are.
USUAL = (
    "status of 404",
    "ERR_NAME_NOT_RESOLVED",
    "user.css",
    "ComfyApp graph accessed before initialization",
    "legacy queue/history menu is deprecated",
    "open_maskeditor is deprecated",
    "comfy.templates.json",
    "Refused to connect",
    "Content Security Policy",
    "Cannot read properties of undefined (reading 'id')",
)
IS_READY = """() => window.app?.extensionManager && window.LiteGraph
    && Object.keys(LiteGraph.registered_node_types).length > 100"""
LOAD = """async workflow => {
    if (workflow.nodes) await app.loadGraphData(workflow);
    else await app.loadApiJson(workflow, 'workflow');
    await new Promise(done => setTimeout(done, 800));
}"""
QUEUE = """async () => {
    const seen = [], queue = app.api.queuePrompt.bind(app.api);
    app.api.queuePrompt = async (...words) => {
        const answer = await queue(...words); seen.push(answer); return answer;
    };
    try { await app.queuePrompt(0); } finally { app.api.queuePrompt = queue; }
    return seen[0]?.prompt_id;
}"""
MISSING = """() => app.graph._nodes.map(node => node.type)
    .filter(type => !LiteGraph.registered_node_types[type])"""
SAID = """() => [...document.querySelectorAll('.p-toast-message, [role=dialog]')]
    .map(one => one.innerText.replace(/\\s+/g, ' ').trim()).filter(Boolean)"""


def chromium() -> str | None:
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


class Opened:
    """The page of a running server."""

    def __init__(self, page: Page, url: str, errors: list[str]) -> None:
        self.page, self.url, self._errors = page, url, errors

    def load(self, workflow: dict[str, Any]) -> None:
        self.page.evaluate(LOAD, workflow)

    def run(self, seconds: float = 120) -> dict[str, Any]:
        """Press Run; the entry of the history when it is done."""
        prompt = self.page.evaluate(QUEUE)
        assert prompt, f"the page did not queue: {self.said()} {self.errors()}"
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            entry = get_json(f"{self.url}/history/{prompt}").get(prompt)
            if entry:
                self.page.wait_for_timeout(1000)
                return entry
            time.sleep(0.2)
        raise AssertionError(f"not done in {seconds:.0f} s")

    def missing(self) -> list[str]:
        """Types of nodes that the page does not know; frontend-only ones count as known."""
        return self.page.evaluate(MISSING)

    def said(self) -> list[str]:
        """Toasts and dialogs."""
        return self.page.evaluate(SAID)

    def errors(self) -> list[str]:
        return [error for error in self._errors if not any(known in error for known in USUAL)]

    def saved(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The graph as a workflow, and as the prompt that would be sent."""
        # As text: handed over as objects, undefined would come back as null.
        both = self.page.evaluate("async () => JSON.stringify(await app.graphToPrompt())")
        made = json.loads(both)
        return made["workflow"], made["output"]

    def shot(self, path: Path) -> None:
        self.page.evaluate("() => app.extensionManager.command.execute('Comfy.Canvas.FitView')")
        self.page.wait_for_timeout(800)
        kind = "jpeg" if path.suffix == ".jpg" else "png"
        self.page.screenshot(path=str(path), type=kind)


@contextmanager
def opened(
    url: str, nodes2: bool = False, size: tuple[int, int] = (1600, 1000), language: str = "en"
) -> Iterator[Opened]:
    """The page, ready to be used; `nodes2` is the newer renderer of nodes."""
    from playwright.sync_api import sync_playwright

    _set(url, "Comfy.TutorialCompleted", True)  # else a dialog covers the graph
    _set(url, "Comfy.VueNodes.Enabled", nodes2)
    _set(url, "Comfy.Locale", language)
    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        try:
            page = browser.new_page(viewport={"width": size[0], "height": size[1]}, locale="en-US")
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
            page.goto(url, wait_until="domcontentloaded")
            page.wait_for_function(IS_READY, timeout=90_000)
            page.wait_for_timeout(1500)
            yield Opened(page, url, errors)
        finally:
            browser.close()


def _set(url: str, key: str, value: bool | str) -> None:
    headers = {"Content-Type": "application/json"}
    body = json.dumps(value).encode()
    request = urllib.request.Request(f"{url}/settings/{key}", body, headers, method="POST")
    urllib.request.urlopen(request, timeout=10).read()
