"""The template browser and the forms, as a beginner meets them: found, filled in, run, heard.

Every press of the pointer is counted; typing a search counts as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from scripts.host import page
from scripts.host.comfyui import NAME, Running, get_json
from tests.host import shipped
from tests.host.conftest import only
from tests.host.shipped import SHIPPED
from tests.host.test_actions import PLAYS
from tests.host.test_regions import NO_PICTURE
from tests.host.test_regions_touch import Fingers
from tests.host.test_shown import succeeded

if TYPE_CHECKING:
    from playwright.sync_api import Locator

LAPTOP, PHONE = (1366, 768), (390, 844)
APPS = [name for name, workflow in SHIPPED.items() if workflow.form]
WITHOUT_FORMS = "0.3.64"  # has no App mode: there these files are graphs
WAIT = 240  # seconds that a run may take
PATIENCE = 30_000  # milliseconds until a busy machine has shown what comes by itself
# As the template browser opens one.
OPEN = """async ([workflow, name]) => {
    await app.loadGraphData(workflow, true, true, name, {openSource: 'template'});
    await new Promise(done => setTimeout(done, 2500));
}"""
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
        self.page.wait_for_function(PLAYS, timeout=PATIENCE)


@pytest.fixture
def hand(server: Running) -> Iterator[Hand]:
    with page.opened(server.url, size=LAPTOP) as opened:
        yield Hand(opened)


@pytest.fixture
def forms(server: Running) -> Running:
    """A server whose page has App mode."""
    if server.version == WITHOUT_FORMS:
        pytest.skip("no App mode")
    return server


def run_button(where: Any) -> Any:
    return where.locator(RUN).filter(has_text="Run")


@contextmanager
def form(server: Running, name: str, size: tuple[int, int], unfold: str = "") -> Iterator[Hand]:
    """A workflow opened as a form with all that it asks for; `unfold` is what hides it."""
    with page.opened(server.url, size=size) as opened:
        opened.page.evaluate(OPEN, [shipped.page_form(name), SHIPPED[name].file])
        if unfold:
            opened.page.get_by_text(unfold).first.click()
        asked = SHIPPED[name].form
        assert asked
        opened.page.locator(LABELS).nth(len(asked.inputs) - 1).wait_for(timeout=PATIENCE)
        labels = opened.page.locator(LABELS).all_inner_texts()
        assert labels == [label for _, _, label in asked.inputs]
        shorten(opened, name)
        yield Hand(opened)


def skip_tour(hand: Hand) -> None:
    """0.33.0 offers a tour of App mode to whoever enters it for the first time; no workflow can
    say that it is not wanted."""
    skip = hand.page.get_by_role("button", name="Skip")
    if skip.count():
        hand.press(skip, 800)


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
def test_form_is_filled_in_and_run(forms: Running, name: str) -> None:
    with form(forms, name, LAPTOP) as hand:
        hand.page.locator("textarea:visible").first.fill(
            "lofi, electric piano, medium tempo, 77 bpm"
        )
        succeeded(hand.run(run_button(hand.page)))
        assert hand.page.locator("audio:visible").count(), "no player is in sight"
        assert not hand.opened.said()


@pytest.mark.page
def test_words_of_a_sentence_are_shown_in_the_form_and_kept_once_changed(forms: Running) -> None:
    with form(forms, "song_from_a_sentence", LAPTOP) as hand:
        succeeded(hand.run(run_button(hand.page)))
        texts = hand.page.locator("textarea:visible")
        _, style, lyrics = (one.input_value() for one in texts.all())
        assert "folk" in style
        assert "[verse]" in lyrics
        texts.nth(1).fill("jazz, piano")
        hand.opened.drawn()
        done = succeeded(hand.run(run_button(hand.page)))
        assert [one.input_value() for one in texts.all()][1:] == ["jazz, piano", lyrics]
        writer = only(done["prompt"][2], "AceSuiteSongWriter")
        assert (writer["lock"], writer["tags"]) == (True, "jazz, piano")


def shorten(opened: page.Opened, name: str) -> None:
    for kind in {node["type"] for node in shipped.page_form(name)["nodes"]} & set(shipped.SHORT):
        if kind != "LoadAudio":  # the clip that comes with the pack
            opened.set(kind, **shipped.SHORT[kind])


@pytest.mark.page
@pytest.mark.parametrize("name", APPS)
def test_form_is_usable_on_a_phone(forms: Running, name: str) -> None:
    with form(forms, name, PHONE, unfold="Edit & Run") as hand:
        boxes = [label.bounding_box() for label in hand.page.locator(LABELS).all()]
        assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= PHONE[0] for box in boxes)
        assert run_button(hand.page).first.is_visible()
        if name == APPS[0]:  # the others run above
            succeeded(hand.run(run_button(hand.page)))


BOX = "AceSuiteAudioInpaint"
# The picture in the form: its place on the screen, and the length of the song it shows.
DRAWN = """async () => {
    const canvas = [...document.querySelectorAll('.acesuite-regions canvas')]
        .find(one => one.offsetParent && !one.closest('[data-node-id]'));
    const outer = canvas?.closest('.acesuite-regions');
    if (outer?.querySelector('.acesuite-regions-hint').textContent !== '') return null;
    const file = testNode('LoadAudio').widgets.find(one => one.name === 'audio').value;
    const said = await app.api.fetchApi('/acestepsuite/sound?file=' + encodeURIComponent(file));
    const { seconds, finished } = await said.json();
    canvas.scrollIntoView({block: 'center'});
    const { left, top, width, height } = canvas.getBoundingClientRect();
    return finished && width > 100 ? { left, top, width, height, seconds } : null;
}"""
ENDS = """() => ['start_time', 'end_time'].map(name => testNode('AceSuiteAudioInpaint')
    .widgets.find(one => one.name === name).value)"""


@pytest.mark.page
@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_a_part_is_pointed_at_in_the_form(forms: Running, size: tuple[int, int]) -> None:
    """By the mouse, and by a finger that swipes nothing; the numbers below follow."""
    unfold = "Edit & Run" if size == PHONE else ""
    with form(forms, "fix_a_part", size, unfold) as hand:
        hand.page.wait_for_function(DRAWN, timeout=PATIENCE)
        place = hand.page.evaluate(DRAWN)
        wanted = [share * place["seconds"] for share in (0.3, 0.6)]
        xs = [place["left"] + place["width"] * share for share in (0.3, 0.6)]
        y = place["top"] + 0.45 * place["height"]
        if size == PHONE:
            fingers = Fingers(hand.opened)
            fingers.move([(xs[0], y)], [(xs[1], y)])
            fingers.close()
        else:
            hand.page.mouse.move(xs[0], y)
            hand.page.mouse.down()
            hand.page.mouse.move(xs[1], y, steps=5)
            hand.page.mouse.up()
        hand.opened.drawn()
        ends = hand.page.evaluate(ENDS)
        assert ends == pytest.approx(wanted, abs=0.7), "to a beat"
        again = hand.page.evaluate(DRAWN)
        assert again["left"] == pytest.approx(place["left"], abs=1), "the form was swiped"
        shown = [one.input_value() for one in hand.page.locator("input:visible").all()]
        for end in ends:
            assert any(is_number(text, end) for text in shown), (ends, shown)
        done = succeeded(hand.run(run_button(hand.page)))
        box = only(done["prompt"][2], BOX)
        assert [box["start_time"], box["end_time"]] == ends


def is_number(text: str, value: float) -> bool:
    """Whether a field shows a value, to the digits it shows."""
    found = re.fullmatch(r"-?\d+(\.(\d+))?", text)
    return bool(found) and abs(float(text) - value) <= 0.51 * 10 ** -len(found[2] or "")


@pytest.mark.page
def test_a_form_whose_picture_fails_asks_for_the_numbers(forms: Running) -> None:
    with page.opened(forms.url, size=LAPTOP) as opened:
        opened.page.evaluate(NO_PICTURE)
        opened.page.evaluate(OPEN, [shipped.page_form("fix_a_part"), SHIPPED["fix_a_part"].file])
        labels = opened.page.locator(LABELS).all_inner_texts()
        assert {"Your song", "New from second", "New up to second"} < set(labels)
        opened.choose(BOX, "start_time", 3.0)
        assert only(opened.saved()[1], BOX)["start_time"] == 3.0


@pytest.mark.page
@pytest.mark.parametrize("newcomer", [True, False], ids=["first visit", "later"])
def test_from_an_empty_page_to_a_playing_song_in_five_presses(
    forms: Running, newcomer: bool
) -> None:
    """A newcomer has the browser open already, where the pack has a shelf; a tour comes then."""
    with page.opened(forms.url, size=LAPTOP, newcomer=newcomer) as opened:
        hand = Hand(opened)
        browser = opened.page.locator("[role=dialog]")
        if newcomer:
            browser.locator("input").first.wait_for(timeout=PATIENCE)
            hand.press(browser.get_by_text(NAME), 3000)
        else:
            opened.page.evaluate("() => app.graph.clear()")
            hand.press(opened.page.get_by_role("button", name=re.compile("^Templates")), 3000)
            hand.search("ace-step v1")
        hand.press(browser.get_by_text(re.compile("v1 01")), 4000)
        skip_tour(hand)
        shorten(opened, "song")
        succeeded(hand.run(run_button(opened.page)))
        hand.play(opened.page.locator("audio:visible").first)
        assert hand.presses <= 5


@pytest.mark.page
@pytest.mark.usefixtures("forms")  # scripted on the newer pages
def test_from_a_song_to_an_inpainted_one_in_six_presses(hand: Hand) -> None:
    opened = hand.opened
    opened.load(shipped.page_form("text_to_music"))
    opened.set("AceSuiteSampler", seconds=6.0, steps=4)
    succeeded(opened.run())
    opened.panel("AceSuiteSaveAudio")  # brings the song into view
    hand.press(opened.page.get_by_role("button", name="Inpaint this"), 3000)
    done = succeeded(hand.run(opened.page.locator("[data-testid=queue-button]")))
    made = [node["class_type"] for node in done["prompt"][2].values()]
    assert "AceSuiteInpaintMask" in made
    opened.page.evaluate(CENTRE_LAST, "AceSuiteSaveAudio")  # dragged there, at most
    opened.drawn()
    hand.presses += 1
    hand.play(opened.page.locator("audio[aria-label^=Song]").last)
    assert hand.presses <= 6
