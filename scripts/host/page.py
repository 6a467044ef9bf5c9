"""ComfyUI's page in headless Chromium: load a workflow, run it, see what the page says.

Needs Python's playwright and a Chromium: Debian's own, or the one CHROMIUM names. Nothing is
downloaded.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scripts.host.comfyui import get_json

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

PATIENCE = 12  # half seconds that a busy machine may take to draw a panel
LATE = 40_000  # milliseconds until what has to come by itself is there on a busy machine
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
    try { await app.queuePrompt(0); } catch { /* refused */ }
    finally { app.api.queuePrompt = queue; }
    return seen[0]?.prompt_id;
}"""
# A node by its kind, its title or its id; the oldest where there are several.
FINDER = """window.testNode = name => [...app.graph._nodes].sort((a, b) => a.id - b.id)
    .find(one => [one.type, one.title, String(one.id)].includes(name))"""
SET = """([kind, values]) => {
    const node = testNode(kind);
    for (const [name, value] of Object.entries(values))
        node.widgets.find(one => one.name === name).value = value;
}"""
VALUE = """([kind, name]) => testNode(kind)
    .widgets.find(one => one.name === name).value"""
CHOOSE = """([kind, name, value]) => {
    const node = testNode(kind);
    const widget = node.widgets.find(one => one.name === name);
    widget.value = value;
    widget.callback?.(value);
}"""
CENTRE = """kind => {
    const node = testNode(kind);
    app.canvas.ds.scale = 1;
    app.canvas.centerOnNode(node);
    app.canvas.setDirty(true, true);
}"""
# Handlers have run and what they changed stands on the page.
DRAWN = """async () => {
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
}"""
GREY = """kind => testNode(kind).widgets
    .filter(one => one.disabled || one.element?.readOnly).map(one => one.name)"""
MISSING = """() => app.graph._nodes.map(node => node.type)
    .filter(type => !LiteGraph.registered_node_types[type])"""
TITLES = """() => Object.fromEntries(app.graph._nodes.map(one => [one.id, one.title]))"""
TOASTS = ".p-toast-message, li[data-state=open][data-swipe-direction]"  # of older and newer pages
SAID = f"""() => [...document.querySelectorAll('{TOASTS}, [role=dialog]')]
    .map(one => one.innerText.replace(/\\s+/g, ' ').trim()).filter(Boolean)"""


# What a node's panel holds, and whether it can be seen; folded text is not in `text`.
PANEL = """kind => {
    const node = testNode(kind);
    const widget = node?.widgets?.find(one => one.type === 'acesuite_panel');
    if (!widget) return null;
    const box = widget.element.getBoundingClientRect();
    const inside = widget.element.firstElementChild.getBoundingClientRect();
    const holder = widget.element.parentElement?.getBoundingClientRect();
    return {
        error: widget.element.querySelector('.acesuite-error')?.parentElement.innerText ?? '',
        text: widget.element.innerText, all: widget.element.textContent,
        is_seen: widget.element.isConnected && !widget.hidden && box.height > 0 && box.width > 0,
        // By the rounding of pixels at most, at whatever zoom.
        is_whole: inside.height <= (holder?.height ?? 0) + 2,
        players: [...widget.element.querySelectorAll('audio')].map(one =>
            ({label: one.getAttribute('aria-label'), seconds: one.duration || 0})),
    };
}"""

HAS_PANEL = f"kind => ({PANEL})(kind) !== null"

# Titles of the nodes that the page outlines as wrong, whichever renderer draws them.
BLAMED = """() => {
    const isWrong = one => one.has_errors || Object.entries(one.strokeStyles ?? {})
        .some(([name, stroke]) => /error/i.test(name) && stroke.call(one));
    const ring = /^ring-(destructive|warning)/;
    const hasRing = one => [...one.classList].some(name => ring.test(name));
    const shown = [...document.querySelectorAll('[data-node-id]')]
        .filter(one => [one, ...one.querySelectorAll('.ring-4')].some(hasRing))
        .map(one => app.graph.getNodeById(one.dataset.nodeId)?.title);
    return [...new Set([...app.graph._nodes.filter(isWrong).map(one => one.title), ...shown])];
}"""
MARKED = "data-test-panel"
MARK = f"""kind => {{
    for (const one of document.querySelectorAll('[{MARKED}]')) one.removeAttribute('{MARKED}');
    testNode(kind).widgets.find(one => one.type === 'acesuite_panel')
        .element.setAttribute('{MARKED}', '');
}}"""


def chromium() -> str | None:
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


class Opened:
    """The page of a running server."""

    def __init__(self, page: Page, url: str, errors: list[str]) -> None:
        self.page, self.url, self._errors = page, url, errors

    def load(self, workflow: dict[str, Any]) -> None:
        self.page.evaluate(LOAD, workflow)

    def press(self) -> str | None:
        """Press Run; the prompt's id, or None where it was refused."""
        return self.page.evaluate(QUEUE)

    def run(self, seconds: float = 120) -> dict[str, Any]:
        """Press Run; the entry of the history when it is done."""
        prompt = self.press()
        assert prompt, f"the page did not queue: {self.said()} {self.errors()}"
        return self.ended(prompt, seconds)

    def ended(self, prompt: str, seconds: float = 120) -> dict[str, Any]:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            entry = get_json(f"{self.url}/history/{prompt}").get(prompt)
            if entry:
                self.page.wait_for_timeout(1000)
                return entry
            time.sleep(0.2)
        raise AssertionError(f"not done in {seconds:.0f} s")

    def set(self, kind: str, **values: Any) -> None:
        """Values of the widgets of the one node of that kind."""
        self.page.evaluate(SET, [kind, values])

    def value(self, kind: str, name: str) -> Any:
        return self.page.evaluate(VALUE, [kind, name])

    def grey(self, kind: str) -> set[str]:
        """Names of a node's widgets that are shown as without effect."""
        return set(self.page.evaluate(GREY, kind))

    def choose(self, kind: str, name: str, value: Any) -> None:
        """A value as a user gives it: with all that hangs on a change of it."""
        self.page.evaluate(CHOOSE, [kind, name, value])
        self.page.wait_for_timeout(300)

    def type_into(self, kind: str, name: str, text: str) -> None:
        """Text typed over that of a widget, in whichever renderer shows it."""
        self.page.evaluate(CENTRE, kind)
        self.page.wait_for_timeout(700)
        now = self.value(kind, name)
        for area in self.page.locator("textarea:visible").all():
            if area.input_value() == now:
                area.fill(text)
                break
        else:
            raise AssertionError(f"no text field shows {name} of {kind}")
        self.page.wait_for_timeout(300)

    def panel(self, kind: str) -> dict[str, Any]:
        """What the node of that kind shows on itself; it is brought into view for it."""
        self.page.evaluate(CENTRE, kind)
        self.page.wait_for_timeout(700)
        found = self.page.evaluate(PANEL, kind)
        assert found, f"{kind} has no panel"
        return found

    def seen(self, kind: str, text: str = "") -> dict[str, Any]:
        """The same, where it is there to be seen, as a whole and with that text in it; a busy
        machine draws it late."""
        self.page.wait_for_function(HAS_PANEL, arg=kind, timeout=LATE)
        panel = self.panel(kind)
        for _ in range(PATIENCE):
            if panel["is_seen"] and panel["is_whole"] and text in panel["text"]:
                break
            self.page.wait_for_timeout(500)
            panel = self.panel(kind)
        assert panel["is_seen"], f"{kind}: nothing is seen of {panel}"
        assert panel["is_whole"], f"{kind}: cut off: {panel}"
        assert text in panel["text"], f"{kind}: {text!r} is missing in {panel['text']!r}"
        return panel

    def click(self, kind: str, label: str) -> None:
        """Click a button that the node of that kind shows, the first of that label."""
        self.page.evaluate(CENTRE, kind)
        self.page.wait_for_timeout(700)
        self.page.evaluate(MARK, kind)
        self.page.locator(f"[{MARKED}] button", has_text=label).first.click(timeout=5000)
        self.page.wait_for_timeout(1500)

    def reload(self) -> None:
        """Load the page again, as it restores its workflow by itself."""
        self.page.wait_for_timeout(1500)  # the page keeps its workflow a moment after a change
        self.page.reload(wait_until="domcontentloaded")
        self.page.wait_for_function(IS_READY, timeout=90_000)
        self.page.wait_for_timeout(2500)

    def missing(self) -> list[str]:
        """Types of nodes that the page does not know; frontend-only ones count as known."""
        return self.page.evaluate(MISSING)

    def nodes(self) -> dict[str, str]:
        """Title of each node by its id."""
        return self.page.evaluate(TITLES)

    def blamed(self) -> list[str]:
        """Titles of the nodes that the page outlines as wrong."""
        return self.page.evaluate(BLAMED)

    def said(self) -> list[str]:
        """Toasts and dialogs."""
        return self.page.evaluate(SAID)

    def toasts(self) -> list[str]:
        return self.page.locator(TOASTS).all_inner_texts()

    def told(self, *parts: str) -> str:
        """What toasts say, once that holds these words; or what they say instead."""
        said = " ".join(self.toasts())
        for _ in range(PATIENCE):
            if all(part in said for part in parts):
                break
            self.page.wait_for_timeout(500)
            said = " ".join(self.toasts())
        return said

    def drawn(self) -> None:
        """Wait until what was done on the page shows on it."""
        self.page.evaluate(DRAWN)

    def dismiss(self) -> None:
        """Close what covers the graph."""
        for _ in range(3):
            if self.page.locator("[role=dialog]:visible").count():
                self.page.keyboard.press("Escape")
                self.page.wait_for_timeout(300)

    def errors(self) -> list[str]:
        return [error for error in self._errors if not any(known in error for known in USUAL)]

    def saved(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The graph as a workflow, and as the prompt that would be sent."""
        # As text: handed over as objects, undefined would come back as null.
        both = self.page.evaluate("async () => JSON.stringify(await app.graphToPrompt())")
        made = json.loads(both)
        return made["workflow"], made["output"]

    def fit(self) -> None:
        """Bring the whole graph into view."""
        self.page.evaluate("() => app.extensionManager.command.execute('Comfy.Canvas.FitView')")
        self.page.wait_for_timeout(800)

    def shot(self, path: Path) -> None:
        self.fit()
        kind = "jpeg" if path.suffix == ".jpg" else "png"
        self.page.screenshot(path=str(path), type=kind)


@contextmanager
def opened(
    url: str,
    nodes2: bool = False,
    size: tuple[int, int] = (1600, 1000),
    language: str = "en",
    colours: str = "dark",
    newcomer: bool = False,
    refused: str = "",
) -> Iterator[Opened]:
    """The page, ready to be used; `nodes2` is the newer renderer of nodes. A newcomer is met by
    the template browser and, in the first form, by a tour of App mode (0.33.0). Requests to
    addresses of the pattern `refused` get no answer."""
    _set(url, "Comfy.TutorialCompleted", not newcomer)
    _set(url, "Comfy.OnboardingCoachmarks.Seen", [] if newcomer else ["appMode"])
    _set(url, "Comfy.VueNodes.Enabled", nodes2)
    _set(url, "Comfy.Locale", language)
    _set(url, "Comfy.ColorPalette", colours)
    errors: list[str] = []
    page = _context().new_page()
    try:
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.add_init_script(FINDER)
        if refused:
            page.route(refused, lambda route: route.abort())
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
        page.goto(f"{url}/features")  # nothing that an earlier page kept is opened again
        page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
        page.goto(url, wait_until="domcontentloaded")
        page.wait_for_function(IS_READY, timeout=90_000)
        page.wait_for_timeout(1500)
        yield Opened(page, url, errors)
    finally:
        page.close()


@cache
def _context() -> BrowserContext:
    """One browser for all pages: what it has loaded once it need not load and compile again."""
    from playwright.sync_api import sync_playwright

    playwright = sync_playwright().start()
    browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
    atexit.register(playwright.stop)
    atexit.register(browser.close)
    return browser.new_context(locale="en-US")


def _set(url: str, key: str, value: bool | str | list[str]) -> None:
    headers = {"Content-Type": "application/json"}
    body = json.dumps(value).encode()
    request = urllib.request.Request(f"{url}/settings/{key}", body, headers, method="POST")
    urllib.request.urlopen(request, timeout=10).read()
