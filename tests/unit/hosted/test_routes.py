"""The routes over HTTP, as a script for the hosted services sends its requests."""

from __future__ import annotations

import base64
import json
import logging
import re
import socket
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.unit.hosted.kit import MOST_BYTES, Answer, Server, form, serving, write_wav
from tests.unit.hosted.schema import check_answer

OWN, THEIRS = "/acestep/v1", "/api/v3"
FAL = "/fal-ai/ace-step/audio-to-audio"
FAL_QUEUE = "/acestep/queue" + FAL
# As the services' documents print them, with what they leave out.
BODIES: dict[str, dict[str, Any]] = {
    "ace-step": {"lyrics": "", "duration": 60, "seed": -1, "tags": "pop"},
    "ace-step/prompt-to-audio": {
        "instrumental": False,
        "duration": 60,
        "seed": -1,
        "prompt": "A cheerful pop song about summer memories.",
    },
    "ace-step/audio-to-audio": {
        "edit_mode": "remix",
        "original_lyrics": "",
        "lyrics": "",
        "seed": -1,
        "audio": "song.wav",
        "original_tags": "rock",
        "tags": "pop",
    },
    "ace-step/audio-inpaint": {
        "start_time_relative_to": "start",
        "start_time": 0,
        "end_time_relative_to": "start",
        "end_time": 30,
        "lyrics": "",
        "seed": -1,
        "audio": "song.wav",
        "tags": "pop",
    },
}
FAL_BODY = {
    "audio_url": "song.wav",
    "edit_mode": "remix",
    "original_tags": "lofi, hiphop, drum and bass, trap, chill",
    "original_lyrics": "",
    "tags": "lofi, hiphop, drum and bass, trap, chill",
    "number_of_steps": 27,
    "scheduler": "euler",
    "guidance_type": "apg",
    "granularity_scale": 10,
    "guidance_interval": 0.5,
    "guidance_interval_decay": 0,
    "guidance_scale": 15,
    "minimum_guidance_scale": 3,
    "tag_guidance_scale": 5,
    "lyric_guidance_scale": 1.5,
}


INPAINT = {"audio": "song.wav", "tags": "pop"}


@pytest.fixture(autouse=True)
def _song(tmp_path: Path) -> None:
    write_wav(tmp_path / "input" / "song.wav", 2.0)


def asked(
    server: Server, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> Answer:
    """Ask, and hold the answer against the document."""
    answer = server.ask(method, path, body, headers)
    check_answer(method, urlsplit(path).path, answer.status, answer.body)
    return answer


@pytest.mark.parametrize("model", BODIES)
def test_the_services_own_requests(server: Server, model: str) -> None:
    headers = {"Authorization": "Bearer of a key of theirs"}
    path = f"{THEIRS}/wavespeed-ai/{model}"
    created = asked(server, "POST", path, BODIES[model], headers)
    assert created.status == 200
    data = created.body["data"]
    assert (data["status"], data["outputs"], data["error"]) == ("created", [], "")
    assert (data["model"], data["timings"]) == (model, {"inference": 0})
    assert data["has_nsfw_contents"] == []
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", data["created_at"])
    assert 0 <= data["input"]["seed"] < 2**31
    assert data["urls"]["get"] == f"{server.url}{THEIRS}/predictions/{data['id']}/result"

    job_id = server.queue.start()
    assert job_id == data["id"]
    result = asked(server, "GET", f"{THEIRS}/predictions/{job_id}/result").body["data"]
    assert result["status"] == "processing"
    server.queue.end()
    result = server.get(data["urls"]["get"]).body["data"]
    assert (result["status"], result["timings"]) == ("completed", {"inference": 1234})
    (output,) = result["outputs"]
    assert output == (
        f"{server.url}/view?filename={job_id}_00001_.flac&subfolder=acestep_api&type=output"
    )
    assert result["input"] == data["input"]


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("text-to-audio", "ace-step"),
        ("prompt-to-audio", "ace-step/prompt-to-audio"),
        ("audio-to-audio", "ace-step/audio-to-audio"),
        ("audio-inpaint", "ace-step/audio-inpaint"),
    ],
)
def test_our_own_paths_with_and_without_api(server: Server, name: str, model: str) -> None:
    for prefix in ("", "/api"):
        answer = server.post(f"{prefix}{OWN}/{name}", BODIES[model])
        assert answer.status == 200
        assert f"{OWN}/predictions/" in answer.body["data"]["urls"]["get"]
    body = {"audio": "song.wav", "tags": "pop", "extend_before_duration": 5}
    outpaint = asked(server, "POST", f"{OWN}/audio-outpaint", body)
    assert outpaint.body["data"]["model"] == "ace-step/audio-outpaint"


def test_fal_direct(server: Server) -> None:
    server.queue.put = finishing(server)
    answer = asked(server, "POST", FAL, FAL_BODY, {"Authorization": "Key of theirs"})
    assert answer.status == 200
    assert set(answer.body) == {"audio", "seed", "tags", "lyrics"}
    assert (answer.body["tags"], answer.body["lyrics"]) == (FAL_BODY["tags"], "[inst]")
    assert answer.body["audio"]["url"].startswith(f"{server.url}/view?")


def finishing(server: Server, error: str = "") -> Any:
    """In place of put(): a run that is over at once."""
    put = server.queue.put

    async def work(job_id: str, graph: Any) -> None:
        await put(job_id, graph)
        server.queue.start()
        server.queue.end(error)

    return work


def test_fal_queue_by_the_name_of_its_host(server: Server) -> None:
    headers = {"Host": "queue.example.com"}
    answer = server.post(FAL, FAL_BODY, **headers)
    assert answer.body["status_url"].startswith(
        "http://queue.example.com/fal-ai/ace-step/requests/"
    )
    path = urlsplit(answer.body["status_url"]).path
    assert asked(server, "GET", path).body["status"] == "IN_QUEUE"


def test_fal_cancel(server: Server) -> None:
    submitted = server.post(FAL_QUEUE, FAL_BODY).body
    path = urlsplit(submitted["cancel_url"]).path
    answer = asked(server, "PUT", path)
    assert (answer.status, answer.body) == (202, {"status": "CANCELLATION_REQUESTED"})
    assert not server.queue.waiting
    failed = asked(server, "GET", path.removesuffix("/cancel"))
    assert (failed.status, failed.body["detail"]) == (422, "It was cancelled.")


def test_failed_run(server: Server) -> None:
    server.queue.put = finishing(server, "Load ACE-Step: no checkpoint was found")
    created = server.post(f"{OWN}/text-to-audio", BODIES["ace-step"]).body["data"]
    result = asked(server, "GET", f"{OWN}/predictions/{created['id']}/result")
    assert result.status == 200
    assert result.body["data"]["error"] == "Load ACE-Step: no checkpoint was found"
    answer = asked(server, "POST", FAL, FAL_BODY)
    assert (answer.status, answer.body["code"]) == (422, 422)


def test_cancel(server: Server) -> None:
    ids = [
        server.post(f"{OWN}/text-to-audio", BODIES["ace-step"]).body["data"]["id"] for _ in range(2)
    ]
    server.queue.start()
    for job_id in reversed(ids):
        data = asked(server, "POST", f"{OWN}/predictions/{job_id}/cancel").body["data"]
        assert (data["status"], data["error"]) == ("failed", "It was cancelled.")
    assert not server.queue.running
    assert not server.queue.waiting


def test_sync_mode_waits(server: Server) -> None:
    server.queue.put = finishing(server)
    body = {**BODIES["ace-step"], "enable_sync_mode": True}
    assert asked(server, "POST", f"{OWN}/text-to-audio", body).body["data"]["status"] == "completed"


def test_hanging_up_cancels(server: Server) -> None:
    place = urlsplit(server.url)
    content = json.dumps(FAL_BODY).encode()
    head = f"POST {FAL} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: application/json\r\n"
    with socket.create_connection((place.hostname or "", place.port or 0)) as connection:
        connection.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        until = time.monotonic() + 10
        while not server.queue.waiting:
            assert time.monotonic() < until
            time.sleep(0.01)
        server.queue.start()
        time.sleep(0.4)
        assert server.queue.running
    until = time.monotonic() + 10
    while server.queue.running:
        assert time.monotonic() < until, "still running although nobody waits"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (f"{OWN}/text-to-audio", {"tags": "pop", "duration": 4.9}, "duration"),
        (f"{THEIRS}/wavespeed-ai/ace-step", {"duration": 60}, "tags"),
        (f"{OWN}/prompt-to-audio", {"prompt": "x", "instrumental": "no"}, "instrumental"),
        (f"{OWN}/audio-inpaint", {"audio": "none.wav", "tags": "pop"}, "audio"),
        (f"{OWN}/audio-inpaint", {**INPAINT, "start_time": 9.0, "end_time": 12.0}, "end_time"),
        (f"{OWN}/audio-inpaint", {**INPAINT, "start_time": 1.5, "end_time": 0.5}, "end_time"),
        (f"{OWN}/audio-to-audio", {**BODIES["ace-step/audio-to-audio"], "x": 1}, "x"),
        (FAL, {**FAL_BODY, "number_of_steps": 61}, "number_of_steps"),
        (FAL_QUEUE, {**FAL_BODY, "scheduler": "pingpong"}, "scheduler"),
        (FAL, {**FAL_BODY, "audio_url": "../secret.wav"}, "audio_url"),
    ],
)
def test_errors_have_one_shape(server: Server, path: str, body: Any, field: str) -> None:
    answer = asked(server, "POST", path, body)
    assert answer.status == 400
    assert [one["field"] for one in answer.body["errors"]] == [field]
    assert answer.body["message"] == answer.body["detail"]
    assert field in answer.body["message"]
    assert not server.queue.graphs


def test_a_refusal_of_comfyui_is_passed_on(server: Server) -> None:
    server.queue.refusal = "AceSuiteLoad: Value not in list"
    answer = asked(server, "POST", f"{OWN}/text-to-audio", BODIES["ace-step"])
    assert (answer.status, answer.body["message"]) == (400, "AceSuiteLoad: Value not in list")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "audio/wav"])
def test_other_types_of_body(server: Server, kind: str) -> None:
    path = f"{OWN}/text-to-audio"
    answer = asked(server, "POST", path, b'{"tags": "pop"}', {"Content-Type": kind})
    assert answer.status == 415
    assert kind in answer.body["message"]


def test_bodies_that_are_too_large(server: Server) -> None:
    body = b'{"tags": "' + b"a" * MOST_BYTES + b'"}'
    answer = asked(server, "POST", f"{OWN}/text-to-audio", body)
    assert answer.status == 413
    assert "too large" in answer.body["message"]


def test_unknown_ids(server: Server) -> None:
    for method, path in (
        ("GET", f"{OWN}/predictions/none/result"),
        ("GET", f"{THEIRS}/predictions/none/result"),
        ("POST", f"{OWN}/predictions/none/cancel"),
        ("GET", f"{FAL_QUEUE}/requests/none/status"),
        ("GET", f"{FAL_QUEUE}/requests/none"),
        ("PUT", f"{FAL_QUEUE}/requests/none/cancel"),
    ):
        assert asked(server, method, path).status == 404
    for name in ("%00", "%ff%fe", "%ed%a0%80", "%F0%9F%98%80", "..%2f..%2fx", "a" * 3000):
        assert server.get(f"{OWN}/predictions/{name}/result").status == 404


def test_fal_answers_of_other_endpoints_are_not_given(server: Server) -> None:
    server.queue.put = finishing(server)
    job_id = server.post(f"{OWN}/text-to-audio", BODIES["ace-step"]).body["data"]["id"]
    assert asked(server, "GET", f"{FAL_QUEUE}/requests/{job_id}").status == 404


# --- audio ---------------------------------------------------------------------------------


def test_upload_and_use(server: Server) -> None:
    content = (server.root / "input" / "song.wav").read_bytes()
    for path in (f"{OWN}/upload", f"{THEIRS}/media/upload/binary"):
        body, kind = form({"file": ("../../evil.sh", content)}, {})
        answer = asked(server, "POST", path, body, {"Content-Type": kind})
        assert answer.status == 200
        data = answer.body["data"]
        assert data["size"] == len(content)
        assert re.fullmatch(r"acestep_api/[0-9a-f]{32}\.wav", data["filename"])
    for audio in (data["filename"], data["download_url"]):
        used = server.post(f"{OWN}/audio-inpaint", {"audio": audio, "tags": "pop"})
        assert used.body["data"]["input"]["audio"] == f"{data['filename']} [input]"
    graph = server.queue.graphs[used.body["data"]["id"]]
    (loader,) = (node for node in graph.values() if node["class_type"] == "AceSuiteOpenAudio")
    assert loader["inputs"]["audio"] == f"{data['filename']} [input]"


def test_a_form_in_place_of_json(server: Server) -> None:
    content = (server.root / "input" / "song.wav").read_bytes()
    body, kind = form(
        {"audio": ("a.wav", content)}, {"tags": "pop", "end_time": "1.5", "seed": "7"}
    )
    answer = asked(server, "POST", f"{OWN}/audio-inpaint", body, {"Content-Type": kind})
    assert answer.status == 200, answer.body
    given = answer.body["data"]["input"]
    assert (given["end_time"], given["seed"]) == (1.5, 7)
    assert given["audio"].startswith("acestep_api/")
    body, kind = form({}, {"audio": "song.wav", "tags": "pop"})
    answer = asked(server, "POST", f"{OWN}/audio-inpaint", body, {"Content-Type": kind})
    assert answer.body["data"]["input"]["audio"] == "song.wav [input]"


def test_data(server: Server) -> None:
    content = base64.b64encode((server.root / "input" / "song.wav").read_bytes()).decode()
    body = {**FAL_BODY, "audio_url": f"data:audio/wav;base64,{content}"}
    assert asked(server, "POST", FAL_QUEUE, body).status == 200


@pytest.mark.parametrize(
    ("files", "fields", "status"),
    [
        ({"audio": ("a.wav", b"no sound")}, {"tags": "pop"}, 400),
        ({"audio": ("a.wav", b"")}, {"tags": "pop"}, 400),
        ({"audio": ("a.wav", b"RIFF")}, {}, 400),
        ({"other": ("a.wav", b"RIFF")}, {"tags": "pop"}, 400),
        ({"audio": ("a.wav", b"x" * 2**21)}, {"tags": "pop"}, 413),
        ({}, {"tags": "a" * 300_000}, 413),
        ({}, {f"f{i}": "" for i in range(60)}, 400),
    ],
)
def test_bad_forms(tmp_path: Path, files: Any, fields: dict[str, str], status: int) -> None:
    with serving(tmp_path, most_megabytes=1) as server:
        body, kind = form(files, fields)
        answer = asked(server, "POST", f"{OWN}/audio-inpaint", body, {"Content-Type": kind})
        assert answer.status == status, answer.body
        folder = tmp_path / "input" / "acestep_api"
        assert not folder.exists() or not list(folder.iterdir())
        assert not server.queue.graphs


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "multipart/form-data"),
        (b"--x--", "multipart/form-data; boundary=x"),
        (b"--x\r\n-2625--x--\r\n", "multipart/form-data; boundary=x"),
        (b"nothing of the kind", "multipart/form-data; boundary=x"),
        (b"--x\r\n\r\nno name\r\n--x--\r\n", "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Disposition: form-data; name=\"tags\"\r\n\r\n\xff\r\n--x--\r\n",
         "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Disposition: form-data; name=\"audio\"; filename=\"a\"\r\n\r\nRIF",
         "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y--\r\n--x--\r\n",
         "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Transfer-Encoding: nonsense\r\nContent-Disposition: form-data; name=a\r\n"
         b"\r\nb\r\n--x--\r\n", "multipart/form-data; boundary=x"),
    ],
)  # fmt: skip
def test_broken_forms(server: Server, body: bytes, kind: str) -> None:
    for path in (f"{OWN}/audio-inpaint", f"{OWN}/upload"):
        answer = asked(server, "POST", path, body, {"Content-Type": kind})
        assert answer.status == 400, answer.body


# --- who may ask -----------------------------------------------------------------------------


def test_token(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.DEBUG),
        serving(tmp_path, token="s3cret-\u00e9") as server,
    ):
        path, body = f"{OWN}/text-to-audio", BODIES["ace-step"]
        wrong = [
            "",
            "Bearer",
            "Bearer ",
            "Bearer wrong",
            "Basic s3cret-\u00e9",
            "s3cret-\u00e9",
            "Key s3cret",
        ]
        for header in wrong:
            sent = {"Authorization": header.encode().decode("latin-1")} if header else {}
            answer = asked(server, "POST", path, body, sent)
            assert (answer.status, answer.body["code"]) == (401, 401)
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert asked(server, "GET", f"{OWN}/predictions/x/result").status == 401
        assert asked(server, "GET", f"{OWN}/openapi.json").status == 200
        for scheme in ("Bearer", "Key", "bearer"):
            token = f"{scheme} s3cret-\u00e9".encode().decode("latin-1")
            assert asked(server, "POST", path, body, {"Authorization": token}).status == 200
    assert "s3cret" not in caplog.text


def test_no_token_is_asked_for_unless_set(server: Server) -> None:
    headers = {"Authorization": "Basic whatever"}
    assert server.post(f"{OWN}/text-to-audio", BODIES["ace-step"], **headers).status == 200


def test_the_public_address_stands_in_answers(tmp_path: Path) -> None:
    with serving(tmp_path, public_url="https://music.example.com/comfy") as server:
        data = server.post(f"{OWN}/text-to-audio", BODIES["ace-step"]).body["data"]
        assert data["urls"]["get"].startswith("https://music.example.com/comfy/acestep/v1/pred")


def test_the_document_is_served(server: Server) -> None:
    document = asked(server, "GET", f"{OWN}/openapi.json").body
    assert document["openapi"] == "3.1.0"


def test_a_fault_of_ours_says_nothing_of_the_inside(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any) -> None:
        raise KeyError("/home/somebody/secret")

    server.queue.put = broken
    answer = server.post(f"{OWN}/text-to-audio", BODIES["ace-step"])
    assert answer.status == 500
    assert set(answer.body) == {"code", "message", "detail", "errors"}
    assert "secret" not in json.dumps(answer.body)
    assert "secret" in caplog.text
