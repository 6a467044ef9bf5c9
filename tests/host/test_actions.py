"""What is done on nodes in the page: buttons of a song, the used seed, a lock, grey widgets.

In both renderers; buttons stand in panels, which 0.3.64's newer renderer does not show.
"""

from __future__ import annotations

from typing import Any

import pytest

from scripts.host import page
from scripts.host.comfyui import Running
from tests.host import shipped
from tests.host.client import Prompt
from tests.host.conftest import graph, id_of, only
from tests.host.test_look import boxes_of, overlaps
from tests.host.test_shown import succeeded

pytestmark = pytest.mark.page

SONG, SAMPLER, WRITER = "AceSuiteSaveAudio", "AceSuiteSampler", "AceSuiteSongWriter"
LYRICS = "[verse]\nMorning comes in over the water"
ARE_SELECTED = """ids => JSON.stringify(Object.keys(app.canvas.selected_nodes).sort())
    === JSON.stringify(ids)"""
# Whether the text of a widget is seen, in whichever renderer.
STANDS = """([kind, name]) => {
    const text = testNode(kind).widgets.find(one => one.name === name).value;
    return [...document.querySelectorAll('textarea')]
        .some(one => one.value === text && one.checkVisibility());
}"""
# How often a node says that its seed becomes another.
SHUFFLES = """kind => document.querySelectorAll(
    `[data-node-id="${testNode(kind).id}"] [class*="lucide--shuffle"]`).length"""
# button, title of the task's node, its kind, its values: the source is 1.95 s long
GONE_ON = [
    ("Vary this", "Variation", "AceSuiteRetake", {"source_seed": 77, "variance": 0.2}),
    ("Inpaint this", "Inpaint", "AceSuiteInpaintMask", {"start": 0.7, "end": 1.3}),
    ("Extend this", "Extension", "AceSuiteExtend", {"before": 0, "after": 30}),
]


@pytest.fixture
def song(opened: page.Opened, panels: bool) -> page.Opened:
    """A page in which a song was made with seed 77, and the next seed is another."""
    if not panels:
        pytest.skip("this renderer shows plain widgets alone")
    prompt = graph("text_to_music", seed=77)
    only(prompt, "AceSuiteTagEncode")["tags"] = "jazz, piano"
    only(prompt, "AceSuiteLyricEncode")["lyrics"] = LYRICS
    opened.load(prompt)
    opened.choose(SAMPLER, "control_after_generate", "randomize")
    opened.set(SAMPLER, seed=77)
    succeeded(opened.run())
    assert opened.value(SAMPLER, "seed") != 77
    return opened


def cached(entry: dict[str, Any]) -> set[str]:
    """Ids of the nodes that did not run again."""
    messages = succeeded(entry)["status"]["messages"]
    return {
        node for kind, about in messages if kind == "execution_cached" for node in about["nodes"]
    }


def is_copy(server: Running, name: str) -> bool:
    """Whether that file of the input folder is one of the songs that were saved."""
    saved = {path.read_bytes() for path in (server.base / "output" / "audio").iterdir()}
    return (server.base / "input" / name).read_bytes() in saved


def through(prompt: Prompt, node: str, name: str) -> dict[str, Any]:
    """The node that an input comes from."""
    return prompt[prompt[node]["inputs"][name][0]]


@pytest.mark.parametrize(
    ("button", "title", "kind", "values"), GONE_ON, ids=[row[1] for row in GONE_ON]
)
def test_a_song_is_gone_on_from(
    song: page.Opened, server: Running, button: str, title: str, kind: str, values: dict[str, Any]
) -> None:
    before = song.saved()[1]
    song.click(SONG, button)
    added = f"Nodes were added for {title}."
    assert added in song.told(added)
    after = song.saved()[1]
    own = {id_: node for id_, node in after.items() if id_ in before}
    new = {id_: node for id_, node in after.items() if id_ not in before}

    # The song's own nodes: as they ran.
    assert only(own, SAMPLER)["seed"] == 77
    assert song.value(SAMPLER, "control_after_generate") == "fixed"

    # The new ones: task, words, length, seed and file are carried on.
    task, sampler = id_of(new, kind), id_of(new, SAMPLER)
    assert song.nodes()[task] == title
    assert values.items() <= new[task]["inputs"].items()
    assert new[sampler]["inputs"]["task"] == [task, 0]
    assert new[sampler]["inputs"]["seed"] != 77
    assert new[sampler]["inputs"]["seconds"] == 2.0
    assert through(after, sampler, "tags")["inputs"]["tags"] == "jazz, piano"
    assert through(after, sampler, "lyrics")["inputs"]["lyrics"] == LYRICS
    if kind != "AceSuiteRetake":
        assert through(after, task, "source_seed")["inputs"]["value"] == 77
        assert is_copy(server, through(after, task, "source_audio")["inputs"]["audio"])

    # They are selected, and so in sight; nothing about them looks like an error.
    song.page.wait_for_function(ARE_SELECTED, arg=sorted(new), timeout=page.LATE)
    assert not song.blamed()
    if kind == "AceSuiteExtend":
        song.set(title, after=1)
    assert id_of(own, SAMPLER) in cached(song.run())
    made = song.seen(id_of(new, SONG))
    assert made["players"][0]["label"].startswith("Song, seed ")
    assert (made["players"][-1]["label"] == "Source") == (kind != "AceSuiteRetake")
    song.reload()
    assert not song.blamed()
    assert not song.errors()


def test_what_is_added_has_its_own_name_and_is_clear_of_what_grows(song: page.Opened) -> None:
    song.load({**shipped.page_form("text_to_music"), "extra": {}})
    song.set(SAMPLER, seconds=2.0, steps=3)
    succeeded(song.run())
    there = set(song.nodes())
    for button, name in ADDED:
        song.click(SONG, button)
        assert f"for {name}." in song.told(f"for {name}.")
    added = {id_: title for id_, title in song.nodes().items() if id_ not in there}
    assert {"Variation", "Inpaint", "Inpaint 2", "Inpaint 2: Sampler"} <= set(added.values())
    assert len(set(added.values())) == len(added)

    song.set(SAMPLER, batch_size=3)
    succeeded(song.run(240))
    assert len(song.seen(SONG)["players"]) == 3
    song.fit()
    pairs = overlaps(boxes_of(song))
    titles = song.nodes()
    assert not [[titles[one] for one in pair] for pair in pairs if set(pair) & set(added)]
    assert not song.errors()


# Buttons pressed one after the other, and what each adds is called.
ADDED = [
    ("Vary this", "Variation"),
    ("Inpaint this", "Inpaint"),
    ("Inpaint this", "Inpaint 2"),
]


def test_the_used_seed_comes_back_with_one_click(song: page.Opened, nodes2: bool) -> None:
    assert "Made with seed 77" in song.seen(SAMPLER)["text"]
    assert song.page.evaluate(SHUFFLES, SAMPLER) == nodes2, "the canvas has a widget for it"
    song.click(SONG, "Use this seed")
    assert song.value(SAMPLER, "seed") == 77
    assert song.value(SAMPLER, "control_after_generate") == "fixed"
    assert not song.page.evaluate(SHUFFLES, SAMPLER)
    assert "Seed 77 stands in Sampler" in song.told("Seed 77")
    assert id_of(song.saved()[1], SAMPLER) in cached(song.run())


def test_a_song_without_its_sampler_is_told(song: page.Opened) -> None:
    song.page.evaluate("kind => app.graph.remove(testNode(kind))", SAMPLER)
    count = len(song.nodes())
    song.click(SONG, "Vary this")
    assert "No Sampler of this pack leads to this song" in song.told("No Sampler")
    assert len(song.nodes()) == count


def test_written_words_are_seen_edited_and_locked(opened: page.Opened, panels: bool) -> None:
    """In every renderer: they are plain widgets. 0.3.64's newer one keeps showing a text as it
    was when the node was drawn; there the change is made behind it."""
    opened.load(graph("prompt_to_song", seed=77))
    for kind in (SAMPLER, WRITER):
        opened.choose(kind, "control_after_generate", "fixed")
    succeeded(opened.run())
    tags, lyrics = (opened.value(WRITER, name) for name in ("tags", "lyrics"))
    assert tags
    assert "[verse]" in lyrics
    assert not opened.value(WRITER, "lock")

    # Merely to be read, they change nothing: all is kept.
    assert id_of(opened.saved()[1], SAMPLER) in cached(opened.run())

    # Typed over, they are locked and sung.
    change = opened.type_into if panels else opened.choose
    change(WRITER, "lyrics", LYRICS)
    assert opened.value(WRITER, "lock")
    assert opened.grey(WRITER) >= {"prompt", "seed"}
    assert opened.page.evaluate(STANDS, [WRITER, "prompt"]), "what is grey can be read"
    facts = succeeded(opened.run())["outputs"][id_of(opened.saved()[1], SONG)]["acesuite"][0]
    assert facts["words"] == LYRICS
    assert facts["tags"] == tags
    assert opened.value(WRITER, "lyrics") == LYRICS
    if panels:
        assert "Locked: nothing was written." in opened.seen(WRITER)["text"]

    # Unlocked, the writer writes again.
    opened.choose(WRITER, "lock", False)
    assert "prompt" not in opened.grey(WRITER)
    succeeded(opened.run())
    assert opened.value(WRITER, "lyrics") == lyrics
    assert not opened.errors()


def test_widgets_without_effect_are_grey(opened: page.Opened) -> None:
    opened.load(graph("remix"))
    assert opened.grey("AceSuiteRemixEdit") >= {"edit_start", "edit_stop"}
    assert "seconds" in opened.grey(SAMPLER)
    opened.choose("AceSuiteRemixEdit", "mode", "custom")
    assert not opened.grey("AceSuiteRemixEdit") & {"edit_start", "edit_stop"}
    opened.choose("AceSuiteDCAEDecode", "splice", False)
    assert "crossfade" in opened.grey("AceSuiteDCAEDecode")
    opened.choose(SONG, "format", "mp3")
    assert "bits" in opened.grey(SONG)
    assert "kilobits" not in opened.grey(SONG)
    opened.page.evaluate(UNLINK, [SAMPLER, "task"])
    opened.page.wait_for_function(WORKS, arg=[SAMPLER, "seconds"], timeout=page.LATE)
    assert not opened.errors()


WORKS = f"([kind, name]) => !({page.GREY})(kind).includes(name)"
UNLINK = """([kind, name]) => {
    const node = testNode(kind);
    node.disconnectInput(node.inputs.findIndex(one => one.name === name));
}"""


def test_only_what_matters_runs_again(opened: page.Opened) -> None:
    """How a result is put back, a length without effect, the preview: nothing is sampled."""
    prompt = graph("inpaint", seed=77)
    sampler = id_of(prompt, SAMPLER)
    opened.load(prompt)
    opened.choose(SAMPLER, "control_after_generate", "fixed")
    succeeded(opened.run())
    for name, value in (("crossfade", 0.2), ("match_level", False), ("splice", False)):
        opened.choose("AceSuiteDCAEDecode", name, value)
        kept = cached(opened.run())
        assert sampler in kept, name
        assert id_of(prompt, "AceSuiteDCAEDecode") not in kept, name
    opened.page.evaluate(PREVIEW, False)
    try:
        assert set(prompt) <= cached(opened.run())
    finally:
        opened.page.evaluate(PREVIEW, True)
    assert not opened.errors()


def test_a_song_plays_as_soon_as_it_is_made_where_that_is_asked(
    opened: page.Opened, panels: bool
) -> None:
    if not panels:
        pytest.skip("this renderer shows plain widgets alone")
    opened.load(graph("text_to_music", seed=77, seconds=6.0))
    opened.page.mouse.click(800, 900)  # before, browsers let nothing play by itself
    opened.page.evaluate(PLAY, True)
    try:
        succeeded(opened.run())
        opened.page.wait_for_function(PLAYS, timeout=10_000)
        opened.page.evaluate(PLAY, False)
        opened.choose(SAMPLER, "seed", 78)
        succeeded(opened.run())
        assert not opened.page.evaluate(PLAYS), "the first one's player is gone"
    finally:
        opened.page.evaluate(PLAY, False)
    assert not opened.errors()


PLAY = "on => app.extensionManager.setting.set('acestepsuite.Play', on)"
PLAYS = "() => [...document.querySelectorAll('audio')].some(one => !one.paused && one.currentTime)"
PREVIEW = "on => app.extensionManager.setting.set('acestepsuite.Preview', on)"
