"""scripts.headless, and curl, against the real thing: as somebody without a page uses them."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from acestep_core.config import FRAME, frames_of
from acestep_core.sound.files import read_audio, write_audio
from scripts.headless import __main__ as headless
from scripts.host.comfyui import Running, get_json
from tests.host.client import Client

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = ROOT / "workflows" / "api"
SHORT = ("AceSuiteSampler.seconds=3", "AceSuiteSampler.steps=4")


def command(server: Running, out: Path, *words: str, workflow: str = "text_to_music") -> list[str]:
    graph = WORKFLOWS / f"{workflow}.json"
    start = [
        sys.executable,
        "-m",
        "scripts.headless",
        str(graph),
        "--server",
        server.url,
        "--output",
        str(out),
    ]
    return [*start, "--timeout", "100", *words]


def setting(*values: str) -> list[str]:
    return [word for value in values for word in ("--set", value)]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=150)


@pytest.mark.parametrize("way", [[], ["--poll"]], ids=["WebSocket", "polling"])
def test_song_is_downloaded(server: Running, tmp_path: Path, way: list[str]) -> None:
    seed = f"AceSuiteSampler.seed={501 + len(way)}"
    done = run(*command(server, tmp_path / "out", *setting(*SHORT, seed), *way))
    assert done.returncode == 0, done.stderr
    (path,) = done.stdout.splitlines()
    wave, rate = read_audio(Path(path))
    assert (rate, tuple(wave.shape)) == (44_100, (2, frames_of(3.0) * FRAME))
    assert float(wave.abs().max()) > 1e-3
    assert ("Sampler (ACE-Step) (4) 4/4" in done.stderr) == (not way)
    again = run(*command(server, tmp_path / "out", *setting(*SHORT, seed), *way))
    assert again.returncode == 0, again.stderr
    assert len(list((tmp_path / "out").iterdir())) == 2, "the first one was not replaced"


def test_source_is_uploaded(server: Running, tmp_path: Path) -> None:
    source, _ = read_audio(server.base / "input" / "song.flac")
    mine = tmp_path / "mein süßes Lied.wav"
    write_audio(mine, source, 32_000)
    values = setting(*SHORT, "AceSuiteInpaintMask.start=1", "AceSuiteInpaintMask.end=2")
    upload = ["--upload", f"{mine}=LoadAudio.audio"]
    done = run(*command(server, tmp_path / "out", *values, *upload, workflow="inpaint"))
    assert done.returncode == 0, done.stderr
    assert (server.base / "input" / mine.name).is_file()
    songs = [line for line in done.stdout.splitlines() if line.endswith(".flac")]
    assert songs
    assert all(Path(line).is_file() for line in done.stdout.splitlines())


def test_bad_value_is_named(server: Running, tmp_path: Path) -> None:
    done = run(*command(server, tmp_path, *setting(*SHORT, "AceSuiteSampler.steps=-2")))
    assert done.returncode == 4
    line = done.stderr.splitlines()[-1]
    assert line.startswith("  Sampler (ACE-Step) (4), steps: Value -2 smaller than min of -1")
    assert line.endswith("(given: -2)")


def test_failing_node_is_named(server: Running, tmp_path: Path) -> None:
    done = run(*command(server, tmp_path, *setting(*SHORT, "AceSuiteTagEncode.tags= ")))
    assert done.returncode == 5
    said = "Failed in Tag Encode (ACE-Step) (2): Tag Encode (ACE-Step): Tags are empty."
    assert said in done.stderr


def test_ctrl_c_stops_what_runs_on_the_server(server: Running, tmp_path: Path) -> None:
    long = setting("AceSuiteSampler.seconds=240", "AceSuiteSampler.steps=1000")
    words = command(server, tmp_path, *long, *setting("AceSuiteSampler.seed=77"))
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as script:
        assert script.stderr
        for line in script.stderr:
            if "Sampler (ACE-Step) (4) " in line and "/1000" in line:
                break
        script.send_signal(signal.SIGINT)
        assert script.wait(10) == 130
    until = time.monotonic() + 10
    while get_json(server.url + "/queue")["queue_running"]:
        assert time.monotonic() < until, "it still runs"
        time.sleep(0.1)


def test_timeout_stops_what_runs_on_the_server(server: Running, tmp_path: Path) -> None:
    long = setting("AceSuiteSampler.seconds=240", "AceSuiteSampler.steps=1000")
    done = run(*command(server, tmp_path, *long, "--timeout", "4"))
    assert done.returncode == 7, done.stderr
    until = time.monotonic() + 10
    while get_json(server.url + "/queue")["queue_running"]:
        assert time.monotonic() < until, "it still runs"
        time.sleep(0.1)


def test_interrupt_by_another_is_told(client: Client, server: Running, tmp_path: Path) -> None:
    long = setting("AceSuiteSampler.seconds=240", "AceSuiteSampler.steps=1000")
    words = command(server, tmp_path, *long, *setting("AceSuiteSampler.seed=78"))
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as script:
        assert script.stderr
        for line in script.stderr:
            if "Sampler (ACE-Step) (4) " in line and "/1000" in line:
                break
        client.post("/interrupt", {})
        assert "Interrupted by somebody else." in script.stderr.read()
        assert script.wait(10) == 6


def test_the_documented_curl_line_queues_a_song(server: Running, tmp_path: Path) -> None:
    """As the script's own text has it, with this server's address."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed: the documented line was NOT run")
    prompt = json.loads((WORKFLOWS / "text_to_music.json").read_text(encoding="utf-8"))
    prompt["4"]["inputs"].update(seconds=2.0, steps=2, seed=79)
    place = tmp_path / "workflows" / "api"
    place.mkdir(parents=True)
    (place / "text_to_music.json").write_text(json.dumps(prompt), encoding="utf-8")
    text = headless.__doc__ or ""
    line = text[text.index("curl -s") : text.index("json)}") + 7]
    line = line.replace("http://127.0.0.1:8188", server.url)
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, check=True)
    answer = json.loads(done.stdout)
    assert "prompt_id" in answer, answer
    until = time.monotonic() + 60
    while not get_json(f"{server.url}/history/{answer['prompt_id']}"):
        assert time.monotonic() < until
        time.sleep(0.2)
