"""Open Audio without ComfyUI: the same songs as from a loaded source, in little memory."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.unit.nodes.pack import NODES, module
from tests.unit.sound_kit import OTHER_RATE as RATE
from tests.unit.sound_kit import clip

files, sound, host = (
    module(f"{name}") for name in ("acestep_core.sound.files", "nodes.sound", "nodes.host")
)
record_path = module("acestep_core.records.record").record_path
BOXES: dict[str, dict[str, Any]] = {
    "AceSuiteAudioInpaint": {"start_time": 1.0, "end_time": 1.8},
    "AceSuiteAudioOutpaint": {"extend_before_duration": 0.5, "extend_after_duration": 0.7},
    "AceSuiteAudioToAudio": {"original_tags": "rock", "number_of_steps": 3},
}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("input", "output", "temp"):
        (tmp_path / name).mkdir()


def written(name: str = "song.flac", seconds: float = 3.0, channels: int = 2) -> Path:
    wave = clip(seconds, channels=channels)["waveform"][0]
    return files.write_audio(Path("input") / name, wave, RATE).path


def loaded(path: Path) -> dict[str, Any]:
    """As ComfyUI's loader reads it."""
    wave, rate = files.read_audio(path)
    return {"waveform": wave[None], "sample_rate": rate}


def opened(name: str = "song.flac") -> Any:
    (audio,) = NODES["AceSuiteOpenAudio"]().open(name)
    return audio


def run(box: str, model: Any, audio: Any, **given: Any) -> tuple[dict[str, Any], Path, dict]:
    """(the box's outputs, the saved file, what is shown)"""
    values = {"tags": "pop", "seed": 5, **BOXES[box], **given}
    node = NODES[box]
    made = dict(zip(node.RETURN_NAMES, node().make(model, audio=audio, **values), strict=True))
    answer = NODES["AceSuiteSaveAudio"]().save(
        made["audio"], "x", info=made["info"], bits="24", save_settings=True
    )
    return made, Path("output") / answer["result"][0], answer["ui"]["acesuite"][0]


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("channels", [1, 2])
def test_a_streamed_source_gives_the_same_song(model: Any, box: str, channels: int) -> None:
    """Sample for sample, in what is saved, reported and shown, but that its record names it."""
    path = written(channels=channels)
    made, saved, shown = run(box, model, opened())
    assert isinstance(made["audio"], sound.Streamed)
    assert "waveform" not in vars(made["audio"]), "it was held at once"
    other, plain, usual = run(box, model, loaded(path))
    assert torch.equal(files.read_audio(saved)[0], files.read_audio(plain)[0])
    assert made["report"] == other["report"]
    assert torch.equal(made["latent"]["samples"], other["latent"]["samples"])
    assert torch.equal(made["audio"]["waveform"], other["audio"]["waveform"])
    records = [json.loads(record_path(one).read_text("utf-8")) for one in (saved, plain)]
    for one in records:
        del one["ace_core"]["audio_sha256"]  # the record is in the file as well
    digests = [one["ace_core"].pop("source_sha256") for one in records]
    assert digests == [hashlib.sha256(path.read_bytes()).hexdigest(), ""]
    assert {one["src_audio_path"] for one in records} == {"song.flac", None}
    named = {"src_audio_path": "", "audio_path": "", "timecosts": {}}
    assert {**records[0], **named} == {**records[1], **named}
    (song, clips), (_, others) = shown["clips"], usual["clips"]
    assert clips == {"filename": "song.flac", "subfolder": "", "type": "input", "kind": "source"}
    assert others["type"] == "temp"
    assert {**song, "filename": ""} == {**usual["clips"][0], "filename": ""}


def test_the_small_nodes_stream_as_well(words: dict[str, Any]) -> None:
    path, results = written(), []
    for source in (opened(), loaded(path)):
        (task,) = NODES["AceSuiteInpaintMask"]().describe(1.0, 2.0, source_audio=source)
        asked = {"seed": 7, "seconds": 9.0, "batch_size": 2, "steps": 3, "task": task}
        latent, _ = NODES["AceSuiteSampler"]().sample(**words, **asked)
        answer = NODES["AceSuiteDCAEDecode"]().show(model=words["model"], latent=latent)
        results.append((*answer["result"], answer["ui"]))
    (streamed, *told), (held, *others) = results
    assert told == others
    assert len(streamed.tracks) == 2
    assert torch.equal(streamed["waveform"], held["waveform"])
    names = NODES["AceSuiteSaveAudio"]().save(streamed, "x")["result"][0].split("\n")
    for name, wave in zip(names, held["waveform"], strict=True):
        assert float((files.read_audio(Path("output") / name)[0] - wave).abs().max()) < 2**-15


def test_a_result_is_the_next_source(model: Any) -> None:
    path, ends = written(), {"start_time": 2.2, "end_time": 2.8}
    both = [
        run("AceSuiteAudioInpaint", model, one["audio"], **ends)
        for one, _, _ in (run("AceSuiteAudioInpaint", model, s) for s in (opened(), loaded(path)))
    ]
    (streamed, saved, shown), (held, plain, _) = both
    assert torch.equal(files.read_audio(saved)[0], files.read_audio(plain)[0])
    assert shown["clips"][1]["type"] == "temp", "the source is no file of its own"
    assert held["report"] == streamed["report"]


def test_it_is_an_audio_for_any_other_node() -> None:
    audio, path = opened(written().name), Path("input/song.flac")
    assert isinstance(audio, Mapping)
    assert set(audio) == {"waveform", "sample_rate"}
    assert audio == audio  # not read to find that out
    assert "waveform" not in vars(audio)
    again = {**audio, "more": 1}
    assert torch.equal(again["waveform"], loaded(path)["waveform"])
    assert audio.get("waveform") is again["waveform"]
    assert audio.get("other") is None
    other = sound.Streamed(opened().tracks, "song.flac [input]", path.absolute())
    assert os.getcwd() not in repr(other)
    (pictures,) = NODES["AceSuiteMelView"]().draw(opened())
    assert torch.equal(pictures, NODES["AceSuiteMelView"]().draw(loaded(path))[0])


@pytest.mark.parametrize(
    "name",
    ["", "..", "../song.wav", "/etc/passwd", "a/../../x.wav", "C:\\song.wav", "x\0.wav", "no.wav"],
)
def test_no_other_file_is_opened(name: str) -> None:
    written()
    files.write_audio(Path("song.wav"), clip(1.0)["waveform"][0], RATE)
    with pytest.raises(ValueError, match=r"^Open Audio \(ACE-Step\): audio: .*is not"):
        opened(name)
    said = NODES["AceSuiteOpenAudio"].VALIDATE_INPUTS(name)
    assert said.startswith("audio: ")
    assert os.getcwd() not in said


def test_what_is_no_sound_is_named(tmp_path: Path) -> None:
    (tmp_path / "input" / "list.flac").write_text("#EXTM3U\nfile:///etc/passwd\n")
    (tmp_path / "input" / "two.flac").write_bytes(b"fLaC" + b"#EXTM3U\n/etc/passwd\n" * 50)
    (tmp_path / "input" / "link.flac").symlink_to("/etc/passwd")
    for name in ("list.flac", "link.flac"):
        with pytest.raises(ValueError, match=r"^Open Audio \(ACE-Step\): audio: "):
            opened(name)
    with pytest.raises(ValueError, match=r"^Open Audio .*two\.flac cannot be read as sound"):
        opened("two.flac")
    with pytest.raises(ValueError, match=r"audio is none\. Choose a sound file"):
        opened("none")
    for odd in (None, 5, ["1", 0], {"a": 1}):
        assert NODES["AceSuiteOpenAudio"].VALIDATE_INPUTS(odd).startswith("audio is ")


def test_only_what_can_be_opened_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "input_folder", lambda: tmp_path / "input")
    written()
    (tmp_path / "input" / "notes.txt").write_text("x")
    (tmp_path / "input" / "link.flac").symlink_to("/etc/passwd")
    (tmp_path / "input" / "again.flac").symlink_to("song.flac")
    kind, options = NODES["AceSuiteOpenAudio"].INPUT_TYPES()["required"]["audio"]
    assert (kind, options["default"]) == (["none", "again.flac", "song.flac"], "none")


def test_files_of_other_folders_and_of_folders_within() -> None:
    for name in ("output/a b/song.wav", "temp/song.wav", "input/in/song.mp3"):
        Path(name).parent.mkdir(exist_ok=True)
        files.write_audio(Path(name), clip(1.0)["waveform"][0], RATE)
    for name in ("a b/song.wav [output]", "song.wav [temp]", "in/song.mp3"):
        assert NODES["AceSuiteOpenAudio"].VALIDATE_INPUTS(name) is True
        assert opened(name).tracks[0].samples
    assert NODES["AceSuiteOpenAudio"].VALIDATE_INPUTS("song.wav") is not True


def test_another_file_under_its_name_is_another_source() -> None:
    node = NODES["AceSuiteOpenAudio"]
    path = written()
    before = node.IS_CHANGED("song.flac")
    assert node.IS_CHANGED("song.flac") == before
    os.utime(path, ns=(1, 1))
    assert node.IS_CHANGED("song.flac") != before
    assert node.IS_CHANGED("gone.flac") == node.IS_CHANGED("gone.flac")


def test_a_file_that_is_another_one_meanwhile_is_named(model: Any) -> None:
    written(seconds=30.0)
    made, _, _ = run("AceSuiteAudioInpaint", model, opened())
    files.write_audio(Path("input/song.flac"), clip(30.0)["waveform"][0].flip(-1), RATE)
    with pytest.raises(ValueError, match=r"^Save Audio \(ACE-Step\): .*song\.flac is shorter"):
        NODES["AceSuiteSaveAudio"]().save(made["audio"], "x")
    assert len(list(Path("output").glob("*.flac"))) == 1, "nothing half-written"


@pytest.mark.parametrize("node", ["open", "save"])
def test_reading_and_writing_end_where_the_user_stops_them(
    model: Any, node: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(seconds=8.0)
    audio = opened()

    def stop() -> None:
        raise KeyboardInterrupt

    for place in ("nodes.host", "nodes.host.progress"):
        monkeypatch.setattr(module(place), "stop_if_asked", stop)
    with pytest.raises(KeyboardInterrupt):
        opened() if node == "open" else NODES["AceSuiteSaveAudio"]().save(audio, "x")
    assert not list(Path("output").iterdir())


def test_saving_moves_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    monkeypatch.setattr(host.Bar, "tick", lambda _, done, total, *__: seen.append((done, total)))
    NODES["AceSuiteSaveAudio"]().save(opened(written(seconds=8.0).name), "x")
    assert seen == [(second, 8) for second in range(1, 9)]


def test_what_is_longer_than_an_hour_is_not_read_to_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Weeks of silence take a megabyte."""
    read: list[int] = []
    monkeypatch.setattr(files, "LONGEST_SOURCE", 2.0)
    scaled = files._scaled
    monkeypatch.setattr(files, "_scaled", lambda *given: read.append(1) or scaled(*given))
    written(seconds=60.0)
    with pytest.raises(ValueError, match=r"Open Audio .*audio lasts more than 2 s.*Cut it"):
        opened()
    assert len(read) * 4096 < 4 * RATE
