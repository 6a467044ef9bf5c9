"""The template browser and the forms, as a beginner meets them: found, filled in, run, heard.

Every press of the pointer is counted; typing a search counts as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from scripts.host import page
from scripts.host.comfyui import NAME, Running, get_json
from tests.host import shipped
from tests.host.shipped import SHIPPED

if TYPE_CHECKING:
    from playwright.sync_api import Locator

LAPTOP, PHONE = (1366, 768), (390, 844)
APPS = [name for name, workflow in SHIPPED.items() if workflow.form]
WITHOUT_FORMS = "0.3.64"  # has no App mode: there these files are graphs
WAIT = 240  # seconds that a run may take
# As the template browser opens one.
OPEN = """async ([workflow, name]) => {
    await app.loadGraphData(workflow, true, true, name, {openSource: 'template'});
    await new Promise(done => setTimeout(done, 2500));
}"""
PLAYS = "() => [...document.querySelectorAll('audio')].some(one => !one.paused && one.currentTime)"
CENTRE_LAST = """kind => {
    app.canvas.ds.scale = 1;
    app.canvas.centerOnNode(app.graph._nodes.filter(one => one.type === kind).at(-1));
    app.canvas.setDirty(true, true);
}"""
LABELS = "[data-testid=builder-widget-label]"
RUN = "[data-testid=linear-run-button] button"


class Hand:
    """A pointer whose presses are counted."""

    def __init__(self, opened: page.Opened) -> None:
        self.opened, self.page, self.presses = opened, opened.page, 0

    def press(self, what: Locator, wait: int = 1500) -> None:
        what.first.click()
        self.presses += 1
        self.page.wait_for_timeout(wait)

    def search(self, text: str) -> None:
        self.page.locator("[role=dialog] input").first.fill(text)
        self.presses += 1
        self.page.wait_for_timeout(2500)

    def run(self, button: Locator) -> dict[str, Any]:
        """Press Run; the newest entry of the history when it is done."""
        before = set(get_json(f"{self.opened.url}/history"))
        self.press(button)
        for _ in range(WAIT):
            self.page.wait_for_timeout(1000)
            done = get_json(f"{self.opened.url}/history")
            if new := set(done) - before:
                self.page.wait_for_timeout(2500)
                return done[new.pop()]
        raise AssertionError(f"not done in {WAIT} s: {self.opened.said()}")

    def play(self, player: Locator) -> None:
        box = player.bounding_box()
        assert box, "no player is in sight"
        self.page.mouse.click(box["x"] + 24, box["y"] + box["height"] / 2)
        self.presses += 1
        self.page.wait_for_timeout(1500)
        assert self.page.evaluate(PLAYS)


@pytest.fixture
def hand(server: Running) -> Iterator[Hand]:
    with page.opened(server.url, size=LAPTOP) as opened:
        yield Hand(opened)


def run_button(where: Any) -> Any:
    return where.locator(RUN).filter(has_text="Run")


def open_form(opened: page.Opened, name: str) -> None:
    opened.page.evaluate(OPEN, [shipped.page_form(name), SHIPPED[name].file])
    skip_tour(opened)


def skip_tour(opened: page.Opened) -> None:
    """0.33.0 offers a tour of App mode to whoever enters it for the first time."""
    skip = opened.page.get_by_role("button", name="Skip")
    if skip.count():
        skip.first.click()
        opened.page.wait_for_timeout(800)


@pytest.mark.page
def test_templates_are_found_by_what_people_type(hand: Hand) -> None:
    opened = hand.opened
    names = opened.page.evaluate("() => app.api.getWorkflowTemplates()")[NAME]
    assert names == sorted(names), "in the order of their numbers"
    opened.page.evaluate("() => app.extensionManager.command.execute('Comfy.BrowseTemplates')")
    opened.page.wait_for_timeout(4000)
    if not opened.page.locator("[role=dialog] input").count():
        pytest.skip("this version's template browser has no search")
    for word in ("ace", "song", "music", "inpaint", "remix"):
        hand.search(word)
        assert found(opened), f"nothing of ours is found by {word}"


def found(opened: page.Opened) -> bool:
    """Whether one of ours is among what is found; older pages show more as one scrolls."""
    dialog = opened.page.locator("[role=dialog]").first
    for _ in range(10):
        if re.search(r"ACE-Step v1 \d\d", dialog.inner_text()):
            return True
        opened.page.mouse.move(LAPTOP[0] / 2, LAPTOP[1] / 2)
        opened.page.mouse.wheel(0, 4000)
        opened.page.wait_for_timeout(500)
    return False


@pytest.mark.page
@pytest.mark.parametrize("name", APPS)
def test_form_is_filled_in_and_run(server: Running, name: str) -> None:
    if server.version == WITHOUT_FORMS:
        pytest.skip("no App mode")
    form = SHIPPED[name].form
    assert form
    with page.opened(server.url, size=LAPTOP) as opened:
        open_form(opened, name)
        labels = opened.page.locator(LABELS).all_inner_texts()
        assert labels == [label for _, _, label in form.inputs]
        texts = opened.page.locator("textarea:visible")
        texts.first.fill("lofi, electric piano, medium tempo, 77 bpm")
        shorten(opened, name)
        done = Hand(opened).run(run_button(opened.page))
        assert done["status"]["status_str"] == "success", done["status"]
        assert opened.page.locator("audio:visible").count(), "no player is in sight"
        assert not opened.said()


def shorten(opened: page.Opened, name: str) -> None:
    for kind in {node["type"] for node in shipped.page_form(name)["nodes"]} & set(shipped.SHORT):
        if kind != "LoadAudio":  # the clip that comes with the pack
            opened.set(kind, **shipped.SHORT[kind])


@pytest.mark.page
@pytest.mark.parametrize("name", APPS)
def test_form_is_usable_on_a_phone(server: Running, name: str) -> None:
    if server.version == WITHOUT_FORMS:
        pytest.skip("no App mode")
    form = SHIPPED[name].form
    assert form
    with page.opened(server.url, size=PHONE) as opened:
        open_form(opened, name)
        opened.page.get_by_text("Edit & Run").first.click()
        opened.page.wait_for_timeout(1200)
        labels = opened.page.locator(LABELS)
        assert labels.all_inner_texts() == [label for _, _, label in form.inputs]
        boxes = [label.bounding_box() for label in labels.all()]
        assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= PHONE[0] for box in boxes)
        assert run_button(opened.page).first.is_visible()
        shorten(opened, name)
        if name == APPS[0]:  # the others run above
            done = Hand(opened).run(run_button(opened.page))
            assert done["status"]["status_str"] == "success", done["status"]


@pytest.mark.page
def test_from_an_empty_page_to_a_playing_song_in_five_presses(hand: Hand) -> None:
    opened = hand.opened
    if get_json(f"{opened.url}/system_stats")["system"]["comfyui_version"] == WITHOUT_FORMS:
        pytest.skip("no App mode")
    opened.page.evaluate("() => app.graph.clear()")
    hand.press(opened.page.get_by_role("button", name=re.compile("^Templates")), 3000)
    hand.search("ace-step v1")
    hand.press(opened.page.locator("[role=dialog]").get_by_text(re.compile("v1 01")), 4000)
    # Whoever comes for the first time has the tour to skip, and finds the browser open already.
    skip_tour(opened)
    shorten(opened, "song")
    done = hand.run(run_button(opened.page))
    assert done["status"]["status_str"] == "success", done["status"]
    hand.play(opened.page.locator("audio:visible").first)
    assert hand.presses <= 5


@pytest.mark.page
def test_from_a_song_to_an_inpainted_one_in_six_presses(hand: Hand) -> None:
    opened = hand.opened
    if get_json(f"{opened.url}/system_stats")["system"]["comfyui_version"] == WITHOUT_FORMS:
        pytest.skip("scripted on the newer pages")
    opened.load(shipped.page_form("text_to_music"))
    opened.set("AceSuiteSampler", seconds=6.0, steps=4)
    assert opened.run()["status"]["status_str"] == "success"
    opened.panel("AceSuiteSaveAudio")  # brings the song into view
    hand.press(opened.page.get_by_role("button", name="Inpaint this"), 3000)
    done = hand.run(opened.page.locator("[data-testid=queue-button]"))
    assert done["status"]["status_str"] == "success", done["status"]
    made = [node["class_type"] for node in done["prompt"][2].values()]
    assert "AceSuiteInpaintMask" in made
    opened.page.evaluate(CENTRE_LAST, "AceSuiteSaveAudio")  # dragged there, at most
    opened.page.wait_for_timeout(1000)
    hand.presses += 1
    hand.play(opened.page.locator("audio[aria-label^=Song]").last)
    assert hand.presses <= 6
