from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from acestep_core.cli import demo
from acestep_core.pipeline import ACEStep
from acestep_core.sound.files import read_audio


def test_a_clip_and_its_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    song = tmp_path / "demo.flac"
    assert demo.main(["-o", str(song), "--seconds", "0.5", "--steps", "2"]) == 0
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["demo.flac", "demo.png", "demo_input_params.json"]
    wave, rate = read_audio(song)
    assert (rate, wave.shape[0]) == (48_000, 2)
    assert wave.abs().max() > 1e-3
    with Image.open(tmp_path / "demo.png") as picture:
        assert picture.width > 200
    printed = capsys.readouterr().out
    assert "Model: ACE-Step small demonstration model" in printed
    assert f"{song}  0.464 s  seed 42" in printed
    assert "This is the small demonstration model" in printed
    record = json.loads((tmp_path / "demo_input_params.json").read_text(encoding="utf-8"))
    assert record["ace_core"]["demonstration_model"] is True


def test_nothing_is_cut_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    usual = ACEStep.decode
    monkeypatch.setattr(ACEStep, "decode", lambda *words, **more: 90 * usual(*words, **more))
    song = tmp_path / "demo.flac"
    assert demo.main(["-o", str(song), "--seconds", "0.5", "--steps", "2"]) == 0
    assert 0.5 < float(read_audio(song)[0].abs().max()) < 0.95
    said = "its level was brought down by "
    assert said in capsys.readouterr().err
    assert said in (tmp_path / "demo_input_params.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--seconds", "0"), "Duration (seconds) is 0"),
        (("--steps", "0"), "Steps is 0"),
        (("--seed", "-3"), "Seed -3 must be between"),
        (("-o", "{tmp}"), "is a folder. Add a file name to it"),
        (("-o", "{tmp}/picture.flac"), "picture.png is a folder"),
    ],
)
def test_what_is_wrong_is_said_at_once(
    words: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    loading = "acestep_core.pipeline.ACEStep.load"
    monkeypatch.setattr(loading, lambda _: pytest.fail("work began"))
    (tmp_path / "picture.png").mkdir()
    filled = [word.replace("{tmp}", str(tmp_path)) for word in words]
    assert demo.main(["-o", str(tmp_path / "a.flac"), *filled]) == 2
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["picture.png"]
