"""Fetching from servers that mean no good. Names and connections are the test's own.

`Hosts` says where names lead; every connection goes to a local server without TLS, and which
address it was meant for is noted.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import pytest

from acestep_core.hosted import fetch
from acestep_core.hosted.addresses import Target
from acestep_core.hosted.errors import RequestError
from acestep_core.hosted.fetch import Limits, Network, fetched

PUBLIC, OTHER = "93.184.216.34", "2606:4700:4700::1111"
GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nContent-Length: 4\r\n\r\nRIFF"
Serve = Callable[[socket.socket, bytes], None]


def says(answer: bytes) -> Serve:
    return lambda client, _: client.sendall(answer)


def redirect(to: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


@dataclass
class Hosts:
    """Names and their addresses; each call of a name takes the next of its lists."""

    port: int
    names: dict[str, list[list[str]]]
    resolved: list[str] = field(default_factory=list)
    connected: list[tuple[str, str]] = field(default_factory=list)
    asked: list[bytes] = field(default_factory=list)

    def resolve(self, host: str, port: int) -> list[str]:
        self.resolved.append(host)
        answers = self.names.get(host, [[host]])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def connect(self, address: str, target: Target, seconds: float) -> socket.socket:
        self.connected.append((address, target.host))
        return socket.create_connection(("127.0.0.1", self.port), timeout=seconds)

    @property
    def network(self) -> Network:
        return Network(self.resolve, self.connect)


@contextmanager
def hosts(*serves: Serve, **names: list[list[str]]) -> Iterator[Hosts]:
    """A server that treats the n-th connection as the n-th function says."""
    listener = socket.create_server(("127.0.0.1", 0))
    found = Hosts(listener.getsockname()[1], {k.replace("_", "."): v for k, v in names.items()})
    found.names.setdefault("example.com", [[PUBLIC]])

    listener.settimeout(0.02)
    is_over = threading.Event()

    def work() -> None:
        number = 0
        while not is_over.is_set():
            with suppress(OSError):
                client, _ = listener.accept()
                client.settimeout(5)
                with client:
                    request = client.recv(65536)
                    found.asked.append(request)
                    number += 1
                    serves[min(number, len(serves)) - 1](client, request)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        is_over.set()
        thread.join(10)
        listener.close()


def content(found: Hosts, url: str = "https://example.com/a.wav", **limits: float) -> bytes:
    out = io.BytesIO()
    size = fetched(url, out, Limits(**limits), found.network)  # pyright: ignore[reportArgumentType]
    assert size == len(out.getvalue())
    return out.getvalue()


def test_a_good_file() -> None:
    with hosts(says(GOOD)) as found:
        assert content(found, "https://example.com/a.wav?x=1#y") == b"RIFF"
    assert found.connected == [(PUBLIC, "example.com")]
    lines = found.asked[0].decode().split("\r\n")
    assert lines[0] == "GET /a.wav?x=1 HTTP/1.1"
    assert "Host: example.com" in lines
    assert not [line for line in lines if line.lower().startswith(("cookie", "authorization"))]


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with hosts(says(GOOD)) as found:
        assert content(found) == b"RIFF"
    assert found.asked[0].startswith(b"GET /a.wav ")


def test_redirects_are_followed_to_public_addresses() -> None:
    steps = [says(redirect("/b", 301)), says(redirect("https://other.org/c", 307)), says(GOOD)]
    with hosts(*steps, other_org=[[OTHER]]) as found:
        assert content(found) == b"RIFF"
    assert found.connected == [(PUBLIC, "example.com")] * 2 + [(OTHER, "other.org")]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "to",
    [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://2130706433/",
        "https://inner.example.org/",
        "//inner.example.org/",
        "http://example.com/",
        "file:///etc/passwd",
        "https://user@example.com/",
        "https://example.com:22/",
        "",
    ],
)
def test_redirects_to_private_addresses(status: int, to: str) -> None:
    with (
        hosts(says(redirect(to, status)), inner_example_org=[["10.0.0.7"]]) as found,
        pytest.raises(RequestError),
    ):
        content(found)
    assert {address for address, _ in found.connected} == {PUBLIC}


def test_endless_redirects() -> None:
    with (
        hosts(says(redirect("https://example.com/again"))) as found,
        pytest.raises(RequestError, match="more than 3 times"),
    ):
        content(found)
    assert len(found.asked) == 4


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        [PUBLIC, "127.0.0.1"],
        ["10.0.0.1", PUBLIC],
        [PUBLIC, "::1"],
        ["fe80::1%2"],
        [],
    ],
)
def test_names_that_resolve_to_private_addresses(addresses: list[str]) -> None:
    with hosts(says(GOOD), example_com=[addresses]) as found, pytest.raises(RequestError):
        content(found)
    assert not found.connected


def test_a_name_that_changes_between_check_and_connect() -> None:
    """It is resolved once, and the address that was checked is the one that is used."""
    with hosts(says(GOOD), example_com=[[PUBLIC], ["127.0.0.1"]]) as found:
        assert content(found) == b"RIFF"
        with pytest.raises(RequestError, match="no public address"):
            content(found)
    assert found.connected == [(PUBLIC, "example.com")]
    assert found.resolved == ["example.com", "example.com"]


def test_a_name_that_changes_between_redirects() -> None:
    steps = [says(redirect("/b")), says(GOOD)]
    with (
        hosts(*steps, example_com=[[PUBLIC], ["192.168.1.1"]]) as found,
        pytest.raises(RequestError, match="no public address"),
    ):
        content(found)
    assert found.connected == [(PUBLIC, "example.com")]


def test_tls_goes_to_the_pinned_address_under_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real connector: nothing is resolved again, and the certificate is of the name."""
    seen: list[object] = []

    def create(address: tuple[str, int], timeout: float) -> socket.socket:
        seen.append(address)
        return socket.socket()

    class Context:
        def wrap_socket(self, plain: socket.socket, server_hostname: str) -> socket.socket:
            seen.append(server_hostname)
            return plain

    monkeypatch.setattr(fetch.socket, "create_connection", create)
    monkeypatch.setattr(fetch.ssl, "create_default_context", Context)
    fetch.connected(PUBLIC, Target("example.com", 443, "/"), 1.0).close()
    assert seen == [(PUBLIC, 443), "example.com"]


def body(headers: str, content: bytes = b"") -> bytes:
    return f"HTTP/1.1 200 OK\r\n{headers}\r\n\r\n".encode() + content


def chunked(size: int) -> bytes:
    return b"%x\r\n" % size + b"x" * size + b"\r\n"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (body("Content-Type: audio/wav\r\nContent-Length: 99999999999"), "more than"),
        (body("Content-Type: audio/wav", b"x" * 3000), "more than"),
        (body("Content-Type: audio/wav\r\nTransfer-Encoding: chunked", chunked(3000)), "more than"),
        (body("Content-Type: audio/wav\r\nContent-Length: 900", b"x" * 10), "broke off"),
        (body("Content-Type: text/html\r\nContent-Length: 4", b"RIFF"), "not audio"),
        (body("Content-Type: application/vnd.apple.mpegurl", b"x"), "not audio"),
        (body("Content-Type: audio/wav\r\nContent-Encoding: gzip", b"x"), "compressed"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "status 404"),
        (b"HTTP/1.1 206 Partial\r\nContent-Length: 0\r\n\r\n", "status 206"),
        (b"SSH-2.0-OpenSSH_9\r\n", "cannot be fetched"),
        (b"", "cannot be fetched"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500, "cannot be fetched"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, "cannot be fetched"),
    ],
)
def test_bad_answers(answer: bytes, message: str) -> None:
    with hosts(says(answer)) as found, pytest.raises(RequestError, match=message):
        content(found, most_bytes=2000)


def drip(head: bytes) -> Serve:
    def serve(client: socket.socket, _: bytes) -> None:
        client.sendall(head)
        for _number in range(40):
            time.sleep(0.05)
            client.sendall(b"x")

    return serve


@pytest.mark.parametrize(
    "serve",
    [
        drip(b""),
        drip(b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nX: "),
        drip(body("Content-Type: audio/wav")),
        lambda client, _: time.sleep(1),
    ],
    ids=["status", "headers", "body", "silence"],
)
def test_slow_answers(serve: Serve) -> None:
    began = time.monotonic()
    with hosts(serve) as found, pytest.raises(RequestError, match="took too long"):
        content(found, seconds=0.4, read_seconds=0.3)
    assert time.monotonic() - began < 4


def test_slow_redirects_share_one_clock() -> None:
    def serve(client: socket.socket, _: bytes) -> None:
        time.sleep(0.25)
        client.sendall(redirect("/again"))

    with hosts(serve) as found, pytest.raises(RequestError, match="took too long"):
        content(found, seconds=0.4)
    assert len(found.asked) < 3


def test_an_address_that_does_not_answer_is_followed_by_the_next() -> None:
    with hosts(says(GOOD), example_com=[[OTHER, PUBLIC]]) as found:
        real = found.connect

        def connect(address: str, target: Target, seconds: float) -> socket.socket:
            if address == OTHER:
                raise ConnectionRefusedError("refused")
            return real(address, target, seconds)

        out = io.BytesIO()
        assert fetched("https://example.com/", out, Limits(), Network(found.resolve, connect)) == 4
    assert found.connected == [(PUBLIC, "example.com")]
