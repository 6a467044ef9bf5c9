"""Texts that leave this machine name files, not folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from acestep_core.anonymous import named, sentence


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/home/ann/music/song.wav is empty (0 bytes).", "song.wav is empty (0 bytes)."),
        ("LoRA /data/ann/a.safetensors: no", "LoRA a.safetensors: no"),
        (r"C:\Users\Ann\song.wav does not exist", "song.wav does not exist"),
        (r"at \\server\ann\song.wav.", "at song.wav."),
        ("C:/Users/Ann/song.wav", "song.wav"),
        ("['/home/ann/x.json']", "['x.json']"),
        ("No such file: '/mnt/Ann B/my songs/a.wav'", "No such file: 'a.wav'"),
        (r"No such file: 'D:\\Ann B\\a b.wav'", "No such file: 'a b.wav'"),
        ("'a/b' or 'c/d'; '/x' or 'c/d'", None),
        ("flac and/or mp3, 1/2 of it; ./song.flac; a//b", None),
        ("see https://example.org/ann/page and ~/acestep/models", None),
        ("GET /view?filename=x is not known", None),
    ],
)
def test_sentence(text: str, said: str | None) -> None:
    assert sentence(text) == (text if said is None else said)


def test_known_folders_may_hold_spaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "Ann B"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    assert sentence(f"{home / 'deep' / 'song.wav'} is gone") == "song.wav is gone"


def test_words_of_the_user_stay_as_they_are() -> None:
    record = {
        "lyrics": "/home/ann/is a line",
        "src_audio_path": "/home/ann/my songs/a.wav",
        "extra": [{"cache": "/home/ann/cache/x", "n": 1, "name": "D:\\ann\\lora"}],
        "source_tags": "/x/y/z",
    }
    assert named(record) == {
        "lyrics": "/home/ann/is a line",
        "src_audio_path": "a.wav",
        "extra": [{"cache": "x", "n": 1, "name": "lora"}],
        "source_tags": "/x/y/z",
    }
