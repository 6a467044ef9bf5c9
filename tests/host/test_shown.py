"""What nodes show on themselves: texts and players; in both renderers, after a reload too.

Run in the page, read from the nodes' panels. 0.3.64's newer renderer shows no such thing:
what is there instead is test_plain's.
"""

from __future__ import annotations

from typing import Any

import pytest

from scripts.host import page
from tests.host.client import Prompt
from tests.host.conftest import graph, id_of, only

pytestmark = [pytest.mark.page, pytest.mark.usefixtures("_panels")]

THAI = "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e0a\u0e32\u0e27\u0e42\u0e25\u0e01"
WORDS = f"[verse]\nMorning comes in over the water\n{THAI}\nsmile \U0001f600"


@pytest.fixture
def _panels(panels: bool) -> None:
    if not panels:
        pytest.skip("this renderer shows plain widgets alone")


def succeeded(entry: dict[str, Any]) -> dict[str, Any]:
    assert entry["status"]["status_str"] == "success", entry["status"]
    return entry


def compared(prompt: Prompt) -> Prompt:
    """With the node that shows takes beside one another, and the source."""
    inputs = {"audio": [id_of(prompt, "AceSuiteDCAEDecode"), 0]}
    if task := only(prompt, "AceSuiteSampler").get("task"):
        sources = [key for key, node in prompt.items() if node["class_type"] == "LoadAudio"]
        for source in sources:
            inputs = {"audio": [source, 0], "takes": inputs["audio"], "task": task}
    prompt["30"] = {"class_type": "AceSuiteCompareTakes", "inputs": inputs}
    return prompt


def test_takes_have_a_player_each(opened: page.Opened) -> None:
    opened.load(compared(graph("takes", seed=77)))
    succeeded(opened.run())
    for kind in ("AceSuiteSaveAudio", "AceSuiteCompareTakes"):
        players = opened.seen(kind)["players"]
        assert [one["label"] for one in players] == [f"Take {n}, seed {76 + n}" for n in (1, 2, 3)]
        assert all(one["seconds"] > 1 for one in players), players
    assert not opened.said()
    assert not opened.errors()


def test_one_player_plays_at_a_time(opened: page.Opened) -> None:
    opened.load(graph("takes", seed=77))
    succeeded(opened.run())
    opened.seen("AceSuiteSaveAudio")
    assert opened.page.evaluate(PLAY_TWO, "AceSuiteSaveAudio") == [True, False, True]


PLAY_TWO = """async kind => {
    const panel = testNode(kind).widgets.find(one => one.type === 'acesuite_panel').element;
    const all = [...panel.querySelectorAll('audio')];
    for (const one of all) one.muted = true;
    await all[0].play();
    await all[1].play();
    await new Promise(done => setTimeout(done, 200));
    return all.map(one => one.paused);
}"""


def test_preview_song_shows_what_save_audio_shows(opened: page.Opened) -> None:
    prompt = graph("text_to_music", seed=77)
    ends = {"audio": [id_of(prompt, "AceSuiteDCAEDecode"), 0]}
    ends["info"] = [id_of(prompt, "AceSuiteSampler"), 1]
    prompt["30"] = {"class_type": "AceSuitePreviewAudio", "inputs": ends}
    opened.load(prompt)
    succeeded(opened.run())
    saved, played = (opened.seen(kind) for kind in ("AceSuiteSaveAudio", "AceSuitePreviewAudio"))
    assert played["text"] == saved["text"]
    assert played["players"] == saved["players"]


def test_the_source_has_its_player(opened: page.Opened) -> None:
    opened.load(compared(graph("inpaint", seed=77)))
    succeeded(opened.run())
    takes = [one["label"] for one in opened.seen("AceSuiteCompareTakes")["players"]]
    assert takes == ["Source", "Song, seed 77"]
    song = opened.seen("AceSuiteSaveAudio")
    assert [one["label"] for one in song["players"]] == ["Song, seed 77", "Source"]
    assert "LUFS" in song["text"]
    assert "dBTP" in song["text"]
    assert "Inpaint: new 1.00-3.00 s of 5.00 s" in song["text"]
    assert "Outside, the source, sample for sample" in song["text"]
    assert "Inpaint: new" in opened.seen("AceSuiteDCAEDecode")["text"]


def test_every_node_that_computes_text_shows_it(opened: page.Opened) -> None:
    prompt = graph("prompt_to_song", seed=77)
    only(prompt, "AceSuiteLyricEncode")["lyrics"] = WORDS
    prompt["20"] = {"class_type": "AceSuiteSetupCheck", "inputs": {"seconds": 60.0}}
    preview = {"lyrics": WORDS, "language": "auto", "seconds": 10.0}
    prompt["21"] = {"class_type": "AceSuiteLyricPreview", "inputs": preview}
    opened.load(prompt)
    succeeded(opened.run())
    texts = {
        "AceSuiteLoad": "emonstration model",
        "AceSuiteSampler": "Made with seed 77",
        "AceSuiteDCAEDecode": "LUFS",
        "AceSuiteSetupCheck": "lyric vocabulary",
        "AceSuiteSongWriter": "seed 1",
    }
    for kind, text in texts.items():
        assert text in opened.seen(kind)["text"], kind
    # What is not sung is said by both, in the same words.
    for kind in ("AceSuiteLyricPreview", "AceSuiteLyricEncode", "AceSuiteSaveAudio"):
        panel = opened.seen(kind)
        assert "unknown to the model" in panel["text"], kind
        assert "\U0001f600" in panel["all"]
        assert "heard as: morning comes in over the water" in panel["all"]
    assert not opened.errors()


def test_reload_brings_back_what_was_shown(opened: page.Opened) -> None:
    opened.load(graph("takes", seed=77))
    opened.run()
    opened.set("AceSuiteTagEncode", tags="jazz")  # another run, in which the loader is cached
    opened.set("AceSuiteSampler", seed=80)
    opened.run()
    opened.reload()
    assert "emonstration model" in opened.seen("AceSuiteLoad")["text"]
    assert "Made with seeds 80, 81, 82" in opened.seen("AceSuiteSampler")["text"]
    assert len(opened.seen("AceSuiteSaveAudio")["players"]) == 3
    assert not opened.errors()


def test_the_next_graph_shows_its_own(opened: page.Opened) -> None:
    """Its nodes have the ids of those before: some pages keep what they drew of these."""
    for seed in (77, 80):
        opened.load(graph("takes", seed=seed))
        succeeded(opened.run())
        label = f"Take 1, seed {seed}"
        assert opened.seen("AceSuiteSaveAudio")["players"][0]["label"] == label
        assert f"Made with seeds {seed}" in opened.seen("AceSuiteSampler")["text"]
    assert not opened.errors()


def test_reload_while_it_runs(opened: page.Opened) -> None:
    opened.load(graph("text_to_music", seed=78, seconds=20.0, steps=40))
    queued = opened.press()
    assert queued
    opened.reload()
    succeeded(opened.ended(queued))
    opened.seen("AceSuiteSampler", "Made with seed 78")
    opened.seen("AceSuiteLoad", "emonstration model")


# workflow, node, its values, what is told of that, nodes that tell it
TOLD: list[tuple[str, str, dict[str, Any], str, tuple[str, ...]]] = [
    ("inpaint", "AceSuiteInpaintMask", {"end": 50.0}, "ends at 50.00 s; the clip",
     ("AceSuiteSampler", "AceSuiteSaveAudio")),
    ("inpaint", "AceSuiteInpaintMask", {"source_latent": "short"}, "not of the same clip",
     ("AceSuiteSaveAudio",)),
    ("inpaint", "AceSuiteDCAEDecode", {"latent": "doubled"}, "changed after the Sampler",
     ("AceSuiteDCAEDecode", "AceSuiteSaveAudio")),
    ("text_to_music", "AceSuiteSaveAudio", {"format": "mp3", "kilobits": 33}, "no 33 kbit/s",
     ("AceSuiteSaveAudio",)),
    ("text_to_music", "AceSuiteSampler", {"seconds": 0.1}, "0.1 s is very short",
     ("AceSuiteSampler", "AceSuiteSaveAudio")),
]  # fmt: skip
SHORT = {"class_type": "EmptyAceStepLatentAudio", "inputs": {"seconds": 2.0, "batch_size": 1}}


def cautioned(name: str, kind: str, values: dict[str, Any]) -> Prompt:
    prompt = graph(name, seed=77)
    sampled = [id_of(prompt, "AceSuiteSampler"), 0]
    doubled = {"class_type": "LatentBatch", "inputs": {"samples1": sampled, "samples2": sampled}}
    latents = {"short": SHORT, "doubled": doubled}
    for field, value in values.items():
        if value in latents:
            prompt["80"] = latents[value]
        only(prompt, kind)[field] = ["80", 0] if value in latents else value
    return prompt


def test_what_was_not_quite_as_asked_is_told(opened: page.Opened) -> None:
    """Taken and run, but not in silence."""
    for name, kind, values, words, tellers in TOLD:
        opened.load(cautioned(name, kind, values))
        succeeded(opened.run())
        for teller in tellers:
            assert words in opened.seen(teller)["text"], (values, teller)
    assert not opened.errors()
