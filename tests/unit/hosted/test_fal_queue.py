"""fal's queue form, as its clients read it: every name of their types, and the header they want."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.unit.hosted.kit import Server, write_wav
from tests.unit.hosted.test_routes import BODIES, FAL, FAL_BODY, FAL_QUEUE, OWN, asked, finishing

REQUEST = {"request_id", "status_url", "response_url", "cancel_url"}
ID = "x-fal-request-id"


@pytest.fixture(autouse=True)
def _song(tmp_path: Path) -> None:
    write_wav(tmp_path / "input" / "song.wav", 2.0)


def id_of(headers: dict[str, str]) -> str | None:
    return {name.lower(): value for name, value in headers.items()}.get(ID)


def test_fal_queue(server: Server) -> None:
    answer = asked(server, "POST", FAL_QUEUE, FAL_BODY)
    submitted = answer.body
    assert set(submitted) == {*REQUEST, "status", "queue_position"}
    assert (submitted["status"], submitted["queue_position"]) == ("IN_QUEUE", 0)
    second = asked(server, "POST", FAL_QUEUE, FAL_BODY).body
    assert second["queue_position"] == 1
    path = f"{FAL_QUEUE}/requests/{submitted['request_id']}"
    status = asked(server, "GET", f"{path}/status?logs=1").body
    assert (status["status"], status["queue_position"]) == ("IN_QUEUE", 0)
    waiting = asked(server, "GET", path)
    assert (waiting.status, waiting.body["detail"]) == (400, "The request is still in progress.")
    server.queue.start()
    status = server.get(submitted["status_url"]).body
    assert status["status"] == "IN_PROGRESS"
    (line,) = status["logs"]
    assert line["message"] == "AceSuiteTextToAudio: 3 of 27"
    assert set(line) == {"message", "level", "source", "timestamp"}
    assert server.get(submitted["status_url"]).body["logs"] == [line]  # not said again
    server.queue.end()
    status = server.get(submitted["status_url"]).body
    assert (status["status"], status["metrics"]) == ("COMPLETED", {"inference_time": 1.234})
    assert (status["error"], status["error_type"]) == (None, None)
    assert status["logs"][0] == line  # for who was not there to hear it
    assert [one["message"] for one in status["logs"][1:]] == ["finished in 1.2 s"]
    assert server.get(submitted["response_url"]).body["lyrics"] == "[inst]"
    assert asked(server, "PUT", f"{path}/cancel").body == {"status": "ALREADY_COMPLETED"}


def test_every_answer_has_the_id_where_fals_clients_look(server: Server) -> None:
    answer = asked(server, "POST", FAL_QUEUE, FAL_BODY)
    job_id = answer.body["request_id"]
    assert id_of(answer.headers) == job_id
    server.queue.start()
    server.queue.end()
    path = f"{FAL_QUEUE}/requests/{job_id}"
    for method, where in (("GET", path), ("GET", f"{path}/status"), ("PUT", f"{path}/cancel")):
        assert id_of(asked(server, method, where).headers) == job_id
    put = server.queue.put
    for error, status in (("", 200), ("no room", 422)):
        server.queue.put = put
        server.queue.put = finishing(server, error)
        direct = asked(server, "POST", FAL, FAL_BODY)
        assert direct.status == status
        assert id_of(direct.headers)


def test_what_came_to_nothing_says_so_in_its_status(server: Server) -> None:
    for is_cancelled in (True, False):
        submitted = server.post(FAL_QUEUE, FAL_BODY).body
        if is_cancelled:
            asked(server, "PUT", urlsplit(submitted["cancel_url"]).path)
        else:
            server.queue.start()
            server.queue.end("no room")
        status = asked(server, "GET", urlsplit(submitted["status_url"]).path).body
        kind = "client_cancelled" if is_cancelled else "internal_error"
        assert (status["status"], status["error_type"]) == ("COMPLETED", kind)
        assert status["error"] == ("It was cancelled." if is_cancelled else "no room")
        result = asked(server, "GET", urlsplit(submitted["response_url"]).path)
        assert result.headers["x-fal-error-type"] == kind


@pytest.mark.parametrize("path", [FAL_QUEUE, FAL, f"{OWN}/text-to-audio"])
@pytest.mark.parametrize("name", ["fal_webhook", "webhook", "seed"])
def test_settings_in_the_address_are_refused_by_name(server: Server, path: str, name: str) -> None:
    body = FAL_BODY if "fal" in path else BODIES["ace-step"]
    answer = server.post(f"{path}?{name}=https://example.org/hook", body)
    assert answer.status == 400
    assert [one["field"] for one in answer.body["errors"]] == [name]
    assert ("Nothing is called from here" in answer.body["message"]) == ("webhook" in name)
    assert not server.queue.graphs


def events_of(url: str) -> list[Any]:
    request = urllib.request.Request(url, headers={"Accept": "text/event-stream"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert answer.headers[ID]
        lines = answer.read().decode().split("\n\n")
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data")]


def test_the_status_as_a_stream(server: Server) -> None:
    submitted = server.post(FAL_QUEUE, FAL_BODY).body
    seen: list[Any] = []
    thread = threading.Thread(
        target=lambda: seen.extend(events_of(f"{submitted['status_url']}/stream?logs=1"))
    )
    thread.start()
    for step in (server.queue.start, server.queue.end):
        time.sleep(0.7)
        step()
    thread.join(20)
    assert [one["status"] for one in seen] == ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]
    assert {one["request_id"] for one in seen} == {submitted["request_id"]}
    assert seen[1]["logs"][0]["message"] == "AceSuiteTextToAudio: 3 of 27"


def test_a_stream_of_an_unknown_id(server: Server) -> None:
    assert server.get(f"{FAL_QUEUE}/requests/none/status/stream").status == 404


def test_who_hangs_up_on_a_stream_is_no_fault(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    submitted = server.post(FAL_QUEUE, FAL_BODY).body
    for _ in range(3):
        answer = urllib.request.urlopen(f"{submitted['status_url']}/stream", timeout=30)
        answer.close()
    server.queue.start()
    time.sleep(0.5)
    server.queue.end()
    assert server.get(submitted["status_url"]).body["status"] == "COMPLETED"
    time.sleep(0.5)
    assert "Traceback" not in caplog.text


def test_a_time_to_begin_in_is_obeyed(server: Server) -> None:
    """fal's start_timeout: 504, and a header that keeps its clients from trying again."""
    late = {"x-fal-request-timeout": "0.05"}
    answer = asked(server, "POST", FAL, FAL_BODY, late)  # waits for its end
    assert answer.status == 504
    assert answer.headers["x-fal-request-timeout-type"] == "user"
    assert answer.headers["x-fal-error-type"] == "request_timeout"
    submitted = asked(server, "POST", FAL_QUEUE, FAL_BODY, {"x-fal-request-timeout": "60"}).body
    status = asked(server, "GET", urlsplit(submitted["status_url"]).path).body
    assert status["status"] == "IN_QUEUE"


@pytest.mark.parametrize("given", ["soon", "0", "-1", "nan", "inf", ""])
def test_a_time_that_is_none_is_refused_by_name(server: Server, given: str) -> None:
    for path in (FAL, FAL_QUEUE):
        answer = asked(server, "POST", path, FAL_BODY, {"x-fal-request-timeout": given})
        assert answer.status == 400
        assert [one["field"] for one in answer.body["errors"]] == ["x-fal-request-timeout"]
    assert not server.queue.graphs
