"""The hosted endpoints' own requests, sent by curl to a real ComfyUI.

What is printed in the services' documents goes through as it is, but for the address and the
audio. ACESTEP_FULL=1 sends it to the letter; else durations and regions are shorter.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from acestep_core.config import frames_of, seconds_of
from acestep_core.hosted.client import Client, RequestRefusedError
from acestep_core.hosted.jobs import RESTARTED
from acestep_core.hosted.openapi import document
from acestep_core.sound.files import read_audio
from acestep_core.weights.tiny import write_folder
from scripts.host import comfyui
from scripts.host.comfyui import Running
from tests.host.source import SONG, write_source
from tests.unit.hosted.schema import check_answer
from tests.unit.hosted.test_routes import BODIES, FAL_BODY

log = logging.getLogger(__name__)

IS_FULL = bool(os.environ.get("ACESTEP_FULL"))
WAIT = 600.0 if IS_FULL else 180.0
THEIRS, FAL = "/api/v3", "/fal-ai/ace-step/audio-to-audio"
FAL_QUEUE = "/acestep/queue" + FAL
QUICK = {"audio_url": SONG, "original_tags": "rock", "tags": "pop", "number_of_steps": 3}


def curl(server: Running, method: str, path: str, body: Any = None, *words: str) -> dict[str, Any]:
    """One request; its answer held against the document the server ships."""
    url = path if path.startswith("http") else server.url + path
    command = ["curl", "-sS", "-X", method, url, "-w", "\n%{http_code}", *words]
    if body is not None:
        command += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=WAIT)
    text, _, status = done.stdout.rpartition("\n")
    answer = json.loads(text)
    check_answer(method, urlsplit(url).path.removeprefix("/api/api"), int(status), answer)
    return answer


def shortened(body: dict[str, Any]) -> dict[str, Any]:
    shorter = {"duration": 5, "end_time": 2}
    changes = {name: value for name, value in shorter.items() if name in body}
    return body if IS_FULL else {**body, **changes}


def file_of(server: Running, url: str) -> Path:
    """Where an output lies; its URL has to give the same bytes."""
    fields = {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()}
    path = server.base / fields["type"] / fields["subfolder"] / fields["filename"]
    assert url.startswith(server.url + "/view?")
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.read() == path.read_bytes()
    return path


@pytest.mark.parametrize("model", BODIES)
def test_bodies_as_the_services_print_them(server: Running, model: str) -> None:
    body = shortened(dict(BODIES[model]))
    if "audio" in body:
        body["audio"] = SONG
    key = ("-H", "Authorization: Bearer a-key-of-theirs")
    began = time.monotonic()
    created = curl(server, "POST", f"{THEIRS}/wavespeed-ai/{model}", body, *key)["data"]
    assert (created["model"], created["status"]) == (model, "created")
    data = created
    while data["status"] not in ("completed", "failed"):
        assert time.monotonic() - began < WAIT
        time.sleep(0.3)
        data = curl(server, "GET", created["urls"]["get"], None, *key)["data"]
    took = time.monotonic() - began
    log.info(
        "%s %s: %.1f s, inference %d ms", server.version, model, took, data["timings"]["inference"]
    )
    assert data["status"] == "completed", data["error"]
    assert data["id"] == created["id"]
    assert 0 < data["timings"]["inference"] <= 1000 * took
    (url,) = data["outputs"]
    wave, rate = read_audio(file_of(server, url))
    expected = seconds_of(frames_of(body["duration"])) if "duration" in body else _song(server)
    assert wave.shape[-1] / rate == pytest.approx(expected, abs=0.01)
    assert wave.isfinite().all()
    assert float(wave.abs().max()) > 1e-3


def _song(server: Running) -> float:
    wave, rate = read_audio(server.base / "input" / SONG)
    return wave.shape[-1] / rate


def test_fal_body_direct(server: Running) -> None:
    body = {**FAL_BODY, "audio_url": SONG}
    began = time.monotonic()
    answer = curl(server, "POST", FAL, body, "-H", "Authorization: Key a-key-of-theirs")
    log.info("%s fal direct: %.1f s", server.version, time.monotonic() - began)
    assert (answer["tags"], answer["lyrics"]) == (body["tags"], "[inst]")
    assert 0 <= answer["seed"] < 2**31
    wave, rate = read_audio(file_of(server, answer["audio"]["url"]))
    assert wave.shape[-1] / rate == pytest.approx(_song(server), abs=0.01)


def test_fal_body_queued(server: Running) -> None:
    submitted = curl(server, "POST", FAL_QUEUE, {**FAL_BODY, "audio_url": SONG, "seed": 11})
    until, seen = time.monotonic() + WAIT, set()
    while (status := curl(server, "GET", submitted["status_url"]))["status"] != "COMPLETED":
        assert time.monotonic() < until
        seen |= {line["message"].partition(":")[0] for line in status.get("logs", ())}
        time.sleep(0.1)
    assert "AceSuiteAudioToAudio" in seen
    answer = curl(server, "GET", submitted["response_url"])
    assert answer["seed"] == 11
    file_of(server, answer["audio"]["url"])


def test_the_same_seed_gives_the_same_file(server: Running) -> None:
    """Each request has a file of its own, whose sound is the same."""
    answers = [curl(server, "POST", FAL, {**QUICK, "seed": 5}) for _ in range(2)]
    one, two = (file_of(server, answer["audio"]["url"]) for answer in answers)
    assert one != two
    assert read_audio(one)[0].equal(read_audio(two)[0])


def test_outpaint_and_an_output_as_the_next_source(server: Running) -> None:
    body = {"audio": SONG, "tags": "pop", "extend_after_duration": 2, "enable_sync_mode": True}
    data = curl(server, "POST", "/acestep/v1/audio-outpaint", body)["data"]
    assert data["status"] == "completed", data["error"]
    body = {"audio": data["outputs"][0], "tags": "pop", "end_time": 1, "enable_sync_mode": True}
    again = curl(server, "POST", "/acestep/v1/audio-inpaint", body)["data"]
    assert again["status"] == "completed", again["error"]
    wave, rate = read_audio(file_of(server, again["outputs"][0]))
    assert wave.shape[-1] / rate == pytest.approx(_song(server) + 2, abs=0.1)


def test_upload_by_curl(server: Running) -> None:
    path = server.base / "input" / SONG
    form = ("-F", f"audio=@{path};filename=../../x.flac", "-F", "tags=pop", "-F", "end_time=1")
    data = curl(server, "POST", "/acestep/v1/audio-inpaint", None, *form)["data"]
    name = data["input"]["audio"].removesuffix(" [input]")
    assert (server.base / "input" / name).read_bytes() == path.read_bytes()
    curl(server, "POST", f"/acestep/v1/predictions/{data['id']}/cancel")


def test_errors_of_a_run_are_told(server: Running) -> None:
    words = "\u7231" * 9000  # more than the model takes, which only reading them tells
    body = {"tags": "pop", "lyrics": words, "duration": 5, "enable_sync_mode": True}
    data = curl(server, "POST", "/acestep/v1/text-to-audio", body)["data"]
    assert data["status"] == "failed"
    assert data["error"].startswith("Text to Audio (ACE-Step): ")
    log.info("%s", data["error"])


def test_what_would_fail_is_refused_at_once(server: Running) -> None:
    for given in (
        {"extend_before_duration": 0, "extend_after_duration": 0},
        {"extend_before_duration": 240, "extend_after_duration": 240},
    ):
        answer = curl(
            server, "POST", "/acestep/v1/audio-outpaint", {"audio": SONG, "tags": "pop", **given}
        )
        assert answer["code"] == 400
        assert "extend_after_duration" in answer["message"]


def test_cancel_of_the_running_one_alone(server: Running) -> None:
    client = Client(server.url)
    long = client.submit("text-to-audio", {"tags": "pop", "duration": 240, "seed": 1})
    events = client.progress(long.id, every=0.1)
    while client.result(long.id).status != "processing":
        next(events)
    short = curl(server, "POST", FAL_QUEUE, QUICK)
    data = curl(server, "POST", f"/acestep/v1/predictions/{long.id}/cancel")["data"]
    assert data["status"] in ("processing", "failed")
    list(events)
    assert client.result(long.id).error == "It was cancelled."
    assert not client.result(long.id).outputs
    list(client.progress(short["request_id"], every=0.1))
    assert curl(server, "GET", short["response_url"])["audio"]["url"]


def test_the_document_is_the_shipped_one(server: Running) -> None:
    for prefix in ("", "/api"):
        with urllib.request.urlopen(f"{server.url}{prefix}/acestep/v1/openapi.json") as answer:
            assert json.loads(answer.read()) == json.loads(json.dumps(document()))


@pytest.mark.parametrize(
    "headers",
    [
        ("Origin: https://evil.example.com",),
        # By the machine's name in its network, where ComfyUI's own check ends.
        ("Origin: https://evil.example.com", "Host: 192.168.1.5:8188"),
        ("Origin: null",),
        ("Origin: http://evil.example.com:8188", "Host: evil.example.com:8188"),
    ],
)
def test_pages_of_other_origins_are_refused(server: Running, headers: tuple[str, ...]) -> None:
    folder = server.base / "input" / "acestep_api"
    before = set(folder.glob("*"))
    words = ["curl", "-sS", "-o", os.devnull, "-w", "%{http_code}", "-X", "POST"]
    words += [f"{server.url}/acestep/v1/upload", "-F", f"file=@{server.base / 'input' / SONG}"]
    words += [word for header in headers for word in ("-H", header)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout == "403"
    assert set(folder.glob("*")) == before


def test_fifty_at_once(server: Running) -> None:
    """They finish in the order in which they were accepted, each with an id of its own."""
    client, began = Client(server.url), time.monotonic()
    ids = [curl_free(server, QUICK) for _ in range(50)]
    queued = time.monotonic() - began
    assert len(set(ids)) == 50
    ended: list[str] = []
    until = time.monotonic() + 400
    while len(ended) < 50:
        assert time.monotonic() < until
        over = [one for one in ids if one not in ended and client.result(one).is_over]
        ended += over
        time.sleep(0.2)
    assert ended == ids
    answers = [client.result(one) for one in ids]
    assert {one.status for one in answers} == {"completed"}
    assert len({one.outputs for one in answers}) == 50
    assert len({str(one.input["seed"]) for one in answers}) == 50
    times = [file_of(server, one.outputs[0]).stat().st_mtime_ns for one in answers]
    assert times == sorted(times)
    log.info(
        "%s: 50 queued in %.1f s, done in %.0f s", server.version, queued, time.monotonic() - began
    )


def curl_free(server: Running, body: dict[str, Any]) -> str:
    """Queued without curl, whose start takes longer than the request."""
    data = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(server.url + FAL_QUEUE, data, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())["request_id"]


def test_killed_in_the_middle_and_started_again(
    checkout: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    base = comfyui.make_base(tmp_path)
    write_folder(base / "models" / "acestep" / "tiny")
    write_source(base / "input" / SONG)
    with comfyui.running(checkout, base) as server:
        client = Client(server.url)
        finished = curl_free(server, {**QUICK, "seed": 3})
        list(client.progress(finished, every=0.1))
        before = client.result(finished)
        assert before.status == "completed", before.error
        long = {"tags": "pop", "duration": 240}
        cut = [client.submit("text-to-audio", long).id for _ in range(3)]
        until = time.monotonic() + 60
        while client.result(cut[0]).status != "processing":
            assert time.monotonic() < until
            time.sleep(0.1)
        os.kill(server.pid, signal.SIGKILL)
    with comfyui.running(checkout, base) as server:
        client = Client(server.url)
        after = client.result(finished)
        assert (after.status, after.input) == (before.status, before.input)
        assert after.milliseconds == before.milliseconds > 0
        assert file_of(server, after.outputs[0]).is_file()
        for job_id in cut:
            job = client.result(job_id)
            assert (job.status, job.error) == ("failed", RESTARTED)
            assert client.cancel(job_id).error == RESTARTED
        assert len(list(client.progress(cut[0]))) == 1


def test_token_and_urls(checkout: Path, tmp_path: Path) -> None:
    base = comfyui.make_base(tmp_path)
    write_source(base / "input" / SONG)
    more = {"ACESTEP_API_TOKEN": "s3cret", "ACESTEP_API_URLS": "1"}
    with comfyui.running(checkout, base, 180, **more) as server:
        for token in ("", "wrong"):
            with pytest.raises(RequestRefusedError) as caught:
                Client(server.url, token).submit("text-to-audio", {"tags": "pop"})
            assert caught.value.status == 401
        client = Client(server.url, "s3cret")
        assert client.submit("text-to-audio", {"tags": "pop"}).status == "created"
        for url in ("https://127.0.0.1/a.wav", "https://localhost:8188/", "http://example.com/"):
            with pytest.raises(RequestRefusedError) as caught:
                client.submit("audio-inpaint", {"audio": url, "tags": "pop"})
            assert (caught.value.status, set(caught.value.fields)) == (400, {"audio"})
        assert "s3cret" not in server.log


def test_example_script(server: Running, tmp_path: Path) -> None:
    """Both of its ways, as a user starts it."""
    for number, words in enumerate((["--duration", "5"], [str(server.base / "input" / SONG)])):
        out = tmp_path / f"{number}.flac"
        command = [sys.executable, "-m", "scripts.api_example", *words]
        command += ["--url", server.url, "-o", str(out)]
        done = subprocess.run(
            command, cwd=comfyui.PACK, capture_output=True, text=True, check=False, timeout=WAIT
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == str(out)
        assert read_audio(out)[0].abs().max() > 1e-3


def test_many_ask_while_one_works(server: Running) -> None:
    """The routes answer while a song is made: nothing in them waits for it."""
    client = Client(server.url)
    long = client.submit("text-to-audio", {"tags": "pop", "duration": 240, "seed": 2})

    def ask(_: int) -> tuple[bool, float]:
        began = time.monotonic()
        return client.result(long.id).is_over, time.monotonic() - began

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(80)))
    client.cancel(long.id)
    times = sorted(took for _, took in answers)
    log.info("%s: median %.3f s, slowest %.3f s", server.version, times[40], times[-1])
    assert not any(is_over for is_over, _ in answers)
