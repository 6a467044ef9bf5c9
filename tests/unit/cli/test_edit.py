"""The editing commands from end to end, with the tiny model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from acestep_core.cli import commands as cli
from acestep_core.cli.edit import regions_of
from acestep_core.editing.splice import CROSSFADE
from acestep_core.records.record import read_record
from acestep_core.sound.files import read_audio, write_audio

pytestmark = pytest.mark.usefixtures("alone")

STEPS = ("--steps", "3", "--lyrics", "[inst]", "--seed", "5")


@pytest.fixture
def run(tmp_path: Path, tiny_folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable:
    """run("inpaint", ...): status, printed, errors; in a folder that holds song.wav (48 kHz)."""
    tone = torch.sin(torch.arange(72_000) * 0.05) * 0.2
    write_audio(tmp_path / "song.wav", torch.stack((tone, tone.roll(7))), 48_000)

    def run(command: str, *words: str) -> tuple[int, str, str]:
        names = [str(tmp_path / w) if w.endswith((".wav", ".flac", ".json")) else w for w in words]
        status = cli.main([command, *names, "--model", str(tiny_folder)])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def test_inpaint_keeps_the_rest_sample_for_sample(run: Callable, tmp_path: Path) -> None:
    words = ("--tags", "pop", "--region", "0.5:1", "--variance", "0.9", "-o", "new.wav")
    status, out, err = run("inpaint", "song.wav", *words, *STEPS)
    assert status == 0, err
    assert "Outside: the source, sample for sample" in out
    before, rate = read_audio(tmp_path / "song.wav")
    after, _ = read_audio(tmp_path / "new.wav")
    assert after.shape == before.shape
    first, last = round(0.5 * rate), round(1.0 * rate)
    assert torch.equal(after[:, :first], before[:, :first])
    assert torch.equal(after[:, last:], before[:, last:])
    assert not torch.equal(after[:, first:last], before[:, first:last])
    report = json.loads((tmp_path / "new_report.json").read_text(encoding="utf-8"))
    assert report["regions"] == [[0.5, 1.0]]
    assert report["seed"] == 5
    record = read_record(tmp_path / "new_input_params.json")
    assert (record.task, record.retake_seeds) == ("repaint", (5,))
    assert record.actual_seeds != (5,)
    assert record.src_audio_path == "song.wav"  # no folders of this machine
    (region,) = record.ace_core["regions"]
    assert (region["start"], region["end"], region["feather"]) == (0.5, 1.0, 0.5)
    options = {"splice": True, "crossfade": CROSSFADE, "match_level": True}
    assert record.ace_core["options"] == options


def test_part_of_an_edit_is_recorded_and_so_is_nothing_done(run: Callable, tmp_path: Path) -> None:
    words = ("--source-tags", "rock", "--tags", "pop", "--region=-0.75:-0.25", "--no-level")
    assert run("edit", "song.wav", *words, "-o", "new.wav", *STEPS)[0] == 0
    own = read_record(tmp_path / "new_input_params.json").ace_core
    assert [(r["start"], r["end"]) for r in own["regions"]] == [(0.75, 0.25)]
    assert own["options"]["match_level"] is False
    words = ("--tags", "pop", "--region", "0.5:1", "--variance", "0")
    assert run("inpaint", "song.wav", *words, "-o", "same.wav", *STEPS)[0] == 0
    record = read_record(tmp_path / "same_input_params.json")
    assert (record.task, record.repaint_start, record.retake_variance) == ("repaint", 0.5, 0)


def test_extend_adds_exactly_what_was_asked(run: Callable, tmp_path: Path) -> None:
    words = ("--tags", "pop", "--before", "0.5", "--after", "1", "-o", "new.wav")
    status, _, err = run("extend", "song.wav", *words, *STEPS)
    assert status == 0, err
    before, _ = read_audio(tmp_path / "song.wav")
    after, _ = read_audio(tmp_path / "new.wav")
    assert after.shape[-1] == before.shape[-1] + 24_000 + 48_000
    assert torch.equal(after[:, 24_000:-48_000], before)


@pytest.mark.parametrize("mode", ["remix", "lyrics"])
def test_edit_in_both_modes(run: Callable, tmp_path: Path, mode: str) -> None:
    words = ("--source-tags", "rock", "--tags", "pop", "--mode", mode, "-o", "new.flac")
    status, _, err = run("edit", "song.wav", *words, *STEPS)
    assert status == 0, err
    record = read_record(tmp_path / "new_input_params.json")
    assert (record.edit_n_min, record.edit_n_max) == {"remix": (0.2, 0.4), "lyrics": (0.6, 1.0)}[
        mode
    ]
    assert record.ace_core["source_tags"] == "rock"


def test_follow_and_its_strongest_end(run: Callable, tmp_path: Path) -> None:
    words = ("--tags", "pop", "--strength", "1", "-o", "new.wav")
    assert run("follow", "song.wav", *words, *STEPS)[0] == 0
    before, after = (read_audio(tmp_path / name)[0] for name in ("song.wav", "new.wav"))
    assert torch.equal(before, after)


def test_a_retake_needs_the_seed_of_the_clip(run: Callable, tmp_path: Path) -> None:
    made = ("--tags", "pop", "--duration", "0.5", "-o", "one.wav")
    assert run("generate", *made, *STEPS)[0] == 0
    again = (
        "--replay",
        "one_input_params.json",
        "--variance",
        "0",
        "-o",
        "same.wav",
        "--seed",
        "9",
    )
    assert run("retake", *again)[0] == 0
    one, same = (read_audio(tmp_path / name)[0] for name in ("one.wav", "same.wav"))
    torch.testing.assert_close(one, same, atol=2e-4, rtol=0)  # 16-bit files
    status, _, err = run("retake", "--tags", "pop", *STEPS)
    assert status == 2
    assert "--source-seed" in err


def test_takes_are_what_they_would_be_alone(run: Callable, tmp_path: Path) -> None:
    same = ("--tags", "pop", "--duration", "0.5", "--source-seed", "3", "--steps", "2")
    words = (*same, "--lyrics", "[inst]")
    assert run("vary", *words, "--takes", "3", "--seed", "20", "-o", "many.wav")[0] == 0
    assert run("retake", *words, "--seed", "21", "-o", "alone.wav")[0] == 0
    many, alone = (read_audio(tmp_path / name)[0] for name in ("many_2.wav", "alone.wav"))
    torch.testing.assert_close(many, alone, atol=2e-4, rtol=0)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("10.5:20", (10.5, 20, "start", "start")),
        ("-30:-5", (30, 5, "end", "end")),
        ("10:", (10, 0, "start", "end")),
        (":4", (0, 4, "start", "start")),
    ],
)
def test_regions_in_words(text: str, ends: tuple) -> None:
    options = cli.parser().parse_args(["inpaint", "x.wav", f"--region={text}"])
    region = regions_of(options)[0]
    assert (region.start, region.end, region.start_from, region.end_from) == ends


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--region", "x"), "must be START:END"),
        (("--region", "9:10"), "not before the end of the clip"),
        (("--region", "1:0.5"), "reversed"),
        (("--region", "1:1"), "empty"),
        (("--region", "nan:1"), "must be between"),
        (("--region", "0:1", "--variance", "2"), "Variance is 2"),
        (("--region", "0:1", "--crossfade", "-1"), "Cross-fade"),
    ],
)
def test_bad_words_are_answered_in_words(run: Callable, words: tuple[str, ...], said: str) -> None:
    status, _, err = run("inpaint", "song.wav", "--tags", "pop", *words, *STEPS)
    assert status == 2
    assert said in err
    assert "Traceback" not in err
