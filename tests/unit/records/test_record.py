from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acestep_core.records.record import (
    Json,
    Record,
    of_another_sound,
    read_record,
    record_path,
    write_record,
)
from acestep_core.sound.files import FileError
from tests.unit import record_kit as records
from tests.unit.record_kit import OLD

NEW: dict[str, Json] = {
    **records.NEW,
    "lyrics": "[verse]\nÜber den Dächern\n\u96e8\u304c\u964d\u308b",
    "format": "flac",
    "task": "edit",
    "oss_steps": [16, 29, 52],
    "retake_seeds": [1, 2**64 - 1],
    "retake_variance": 0.25,
    "guidance_scale_text": 5.0,
    "guidance_scale_lyric": 1.5,
    "repaint_start": -10,
    "repaint_end": 42.5,
    "edit_n_min": 0.6,
    "edit_n_avg": 2,
    "src_audio_path": "in/süß.wav",
    "edit_target_prompt": "rock",
    "audio2audio_enable": True,
    "ref_audio_strength": 0.7,
    "ref_audio_input": "ref.mp3",
}


def saved(path: Path, values: object) -> Path:
    path.write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")
    return path


def test_old_file_gets_the_values_of_its_time(tmp_path: Path) -> None:
    record = read_record(saved(tmp_path / "old.json", OLD))
    assert record.prompt == OLD["prompt"]
    assert record.actual_seeds == (3299954530,)
    assert (record.lora, record.lora_weight, record.task) == (None, 1, "text2music")
    assert (record.guidance_scale_text, record.guidance_scale_lyric) == (0, 0)
    assert (record.audio2audio_enable, record.ref_audio_strength) == (False, 0.5)
    assert record.ref_audio_input is None
    assert (record.retake_variance, record.repaint_start, record.repaint_end) == (0.5, 0, 0)
    assert (record.edit_n_min, record.edit_n_max, record.edit_n_avg) == (0, 1, 1)
    assert record.is_original
    assert record.compat == "original"


@pytest.mark.parametrize("values", [OLD, NEW, {**NEW, "mood": {"a": [1, None]}, "n": "ä"}])
def test_nothing_is_lost(tmp_path: Path, values: dict[str, Json]) -> None:
    record = read_record(saved(tmp_path / "a.json", values))
    written = json.loads(write_record(tmp_path / "b.wav", record).read_bytes())
    for key, value in values.items():
        assert written[key] == value
        assert type(written[key]) is type(value)
    again = read_record(record_path(tmp_path / "b.wav"))
    assert again.extra == record.extra
    assert write_record(tmp_path / "c.wav", again).exists()


def test_our_own_facts_come_back(tmp_path: Path) -> None:
    own: dict[str, Json] = {
        "version": "0.1.0",
        "compat": "corrected",
        "lyric_languages": ["en", "ja"],
        "degradations": [],
    }
    record = Record(prompt="p", lyrics="", audio_duration=5, ace_core=own, retake_seeds=(7,))
    path = write_record(tmp_path / "song.flac", record)
    assert json.loads(path.read_bytes())["ace_core"] == own
    again = read_record(path)
    assert again.ace_core == own
    assert (again.is_original, again.compat) == (False, "corrected")
    assert again.audio_path == "song.flac"
    assert again.retake_seeds == (7,)


def test_looks_like_the_originals_file(tmp_path: Path) -> None:
    record = read_record(saved(tmp_path / "a.json", NEW))
    text = write_record(tmp_path / "song.flac", record).read_bytes().decode("utf-8")
    assert text.startswith('{\n    "format": "flac",\n    "lora_name_or_path"')
    assert "\u96e8\u304c\u964d\u308b" in text
    assert "ace_core" not in text
    assert list(json.loads(text)) == list(NEW)


def test_half_an_emoji_is_kept(tmp_path: Path) -> None:
    record = Record(prompt="\ud83d rock", lyrics="", audio_duration=5)
    path = write_record(tmp_path / "song.flac", record)
    assert read_record(path).prompt == "\ud83d rock"


@pytest.mark.parametrize(
    ("audio", "name"),
    [
        ("song.flac", "song_input_params.json"),
        ("song.v2.mp3", "song.v2_input_params.json"),
        ("song", "song_input_params.json"),
        ("out.wav.wav", "out.wav_input_params.json"),
        ("song_00001_.flac", "song_00001_input_params.json"),
        ("a_input_params.json", "a_input_params_input_params.json"),
    ],
)
def test_only_the_final_extension_is_replaced(audio: str, name: str) -> None:
    assert record_path(Path("folder") / audio) == Path("folder") / name


@given(st.text(st.characters(exclude_characters="/\\\0:"), min_size=1).filter(lambda n: n != "."))
def test_record_never_lies_on_the_sound_file(name: str) -> None:
    assert record_path(name).name.casefold() != Path(name).name.casefold()


def test_bare_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_record("song.flac", Record(prompt="p", lyrics="", audio_duration=5))
    assert [path.name for path in tmp_path.iterdir()] == ["song_input_params.json"]


def test_interruption_leaves_the_older_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = saved(tmp_path / "song_input_params.json", OLD)
    content = older.read_bytes()

    def interrupted(path: Path, data: bytes) -> None:
        with path.open("wb") as file:
            file.write(data[:10])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_record(tmp_path / "song.flac", Record(prompt="p", lyrics="", audio_duration=5))
    assert list(tmp_path.iterdir()) == [older]
    assert older.read_bytes() == content


def test_marks_of_windows_editors_are_accepted(tmp_path: Path) -> None:
    text = json.dumps(OLD, ensure_ascii=False, indent=4).replace("\n", "\r\n")
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_record(tmp_path / "a.json").lyrics == OLD["lyrics"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"infer_step": 27.5}, "'infer_step' is 27.5; it must be a whole number"),
        ({"infer_step": True}, "'infer_step' is true; it must be a whole number"),
        ({"guidance_scale": "15"}, "'guidance_scale' is \"15\"; it must be a number"),
        ({"guidance_scale": float("nan")}, "'guidance_scale' is NaN; it must be a number"),
        ({"actual_seeds": 7}, "'actual_seeds' is 7; it must be a list of whole numbers"),
        ({"actual_seeds": ["7"]}, "it must be a list of whole numbers"),
        ({"actual_seeds": [float("inf")]}, "it must be a list of whole numbers"),
        ({"use_erg_tag": "yes"}, "'use_erg_tag' is \"yes\"; it must be true or false"),
        ({"prompt": None}, "'prompt' is null; it must be text"),
        ({"src_audio_path": 3}, "it must be text or null"),
        ({"timecosts": []}, "it must be an object"),
        ({"ace_core": []}, "'ace_core' is .*; it must be an object"),
    ],
)
def test_wrong_value_names_its_key(tmp_path: Path, change: dict[str, object], message: str) -> None:
    with pytest.raises(FileError, match=f"a.json: .*{message}"):
        read_record(saved(tmp_path / "a.json", {**NEW, **change}))


def test_whole_numbers_may_be_written_as_floats(tmp_path: Path) -> None:
    change = {"infer_step": 27.0, "oss_steps": None}
    record = read_record(saved(tmp_path / "a.json", {**OLD, **change}))
    assert (record.infer_step, record.oss_steps) == (27, ())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no JSON in UTF-8"),
        (b"{'prompt': 1}", "no JSON in UTF-8"),
        (b"\xff\xfe{\x00}\x00", "no JSON in UTF-8"),
        (b"[" * 100_000, "no JSON in UTF-8"),
        (b"[1]", "it holds no object"),
        (b'{"seed": 1}', "it has no 'prompt'"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(FileError, match=f"a.json is not a parameter file: {message}"):
        read_record(tmp_path / "a.json")


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        read_record(tmp_path / "none.json")
    with pytest.raises(FileError, match="cannot be read"):
        read_record(tmp_path)


def test_a_record_knows_the_sound_it_was_written_for(tmp_path: Path) -> None:
    """A run that is killed between the two leaves the new sound beside the old record."""
    song = tmp_path / "song.flac"
    song.write_bytes(b"first")
    path = write_record(song, Record(prompt="p", lyrics="", audio_duration=5))
    record = read_record(path)
    assert of_another_sound(record, path) == ""
    song.write_bytes(b"second")
    assert "is not the sound that" in of_another_sound(record, path)
    song.unlink()
    assert of_another_sound(record, path) == ""
    for name in ("song.flac", ""):  # of before, and of the original
        old = Record(prompt="p", lyrics="", audio_duration=5, audio_path=name)
        assert of_another_sound(old, path) == ""
