"""The benchmarks' own arithmetic and talk; what they measure is run by hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench import against
from bench.batch_overhead import Course, alike
from bench.growth import fitted
from bench.peers import places

ROOT = Path(__file__).resolve().parents[2]
# A peer whose step gives {value} and whose decoder cannot.
PEER = """
import torch
from bench.peers.talk import serve
class Peer:
    def step(self, asked):
        return lambda: torch.full((2, 8, 16, asked.frames + {longer}), {value})
    def decode(self, asked):
        raise ValueError("no decoder here")
print("what a peer prints is no answer")
serve(Peer())
"""


def running(name: str, value: float, longer: int, folder: Path) -> against.Running:
    log = folder / f"{name}.log"
    process = subprocess.Popen(
        [sys.executable, "-c", PEER.format(value=value, longer=longer)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log.open("w", encoding="utf-8"),
        text=True,
        bufsize=1,
    )
    return against.Running(places.Place(name, Path(sys.executable), ROOT), process, log)


@pytest.fixture
def peers(tmp_path: Path):
    found = [running("ours", 2.0, 0, tmp_path), running("theirs", 2.5, 3, tmp_path)]
    yield found
    for peer in found:
        peer.process.kill()
        peer.process.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read where Linux tells it")
def test_programs_take_turns_and_their_results_are_compared(
    peers: list[against.Running], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = against.Work("step", 1.0, ("float32",), repeats=3)
    ours, theirs = against.compared(work, peers, tmp_path, tmp_path)
    assert (ours["who"], theirs["who"]) == ("ours fp32", "theirs fp32")
    assert "ratio" not in ours
    assert theirs["ratio"] > 0
    # The longer one is cut to the length that both have.
    assert theirs["difference"] == pytest.approx(0.2)
    assert "difference 2.0e-01" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read where Linux tells it")
def test_a_program_that_cannot_says_why_and_the_others_go_on(
    peers: list[against.Running], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = against.Work("decode", 1.0, ("float32",), repeats=1)
    rows = against.compared(work, peers, tmp_path, tmp_path)
    assert [row["refused"] for row in rows] == ["ValueError: no decoder here"] * 2
    assert capsys.readouterr().out.count("cannot: ValueError") == 2
    assert peers[0].ask(ask="prepare", **question()) == {"ok": True}


def test_the_readmes_row_names_the_longest_of_each() -> None:
    rows = [
        {"work": f"{work} {seconds} s", "who": f"{who} {dtype}", "s": 1.0, "peak_MiB": peak}
        | ({"ratio": ratio} if who == "original" else {})
        for seconds, ratio in ((8, 0.9), (60, 0.4))
        for work, dtype in (("step", "bf16"), ("decode", "fp32"))
        for who, peak in (("ours", 300), ("original", 600))
    ]
    said = against.in_short(rows)
    assert said.startswith("a guided step for 60 s of music takes 0.40 of the original's time")
    assert said.endswith("decoding 60 s 0.40 in 0.50 of its memory (float32)")
    assert against.in_short([row for row in rows if "original" not in row["who"]]) == ""


def question() -> dict[str, object]:
    return {"work": "step", "folder": ".", "dtype": "float32", "frames": 2}


def test_a_checkout_that_is_none_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"--original .* is no checkout of the original"):
        places.original(tmp_path, tmp_path)
    with pytest.raises(SystemExit, match=r"--comfyui .* is no ComfyUI"):
        places.comfyui(tmp_path, tmp_path)


def test_growth_finds_the_line_and_what_is_off_it(capsys: pytest.CaptureFixture[str]) -> None:
    straight = fitted("x", {30.0: 1.0 + 2.0 * 0.5, 60.0: 1.0 + 2.0, 120.0: 1.0 + 2.0 * 2})
    assert straight["start_s"] == pytest.approx(1.0)
    assert straight["s_a_minute"] == pytest.approx(2.0)
    bent = fitted("x", {30.0: 0.25, 60.0: 1.0, 120.0: 4.0})  # quadratic
    assert max(abs(off) for _, _, off in bent["points"]) > 0.2  # type: ignore[union-attr]
    assert "1.000 s + 2.000 s a minute of music" in capsys.readouterr().out


def test_ways_are_compared_as_if_their_songs_took_as_long() -> None:
    pool = Course(start=10, songs=200, end=2, worked=400)
    ray = Course(start=15, songs=110, end=1, worked=200)
    assert (pool.whole, ray.whole) == (212, 126)
    assert alike(pool, ray) == pytest.approx((15 + 10 + 1 + 100) / (10 + 2 + 100))
    assert alike(pool, pool) == 1
