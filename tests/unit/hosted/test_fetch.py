"""Fetching from servers that mean no good. Names and connections are the test's own.

`Hosts` says where names lead; every connection goes to a local server without TLS, and which
address the loop was told to connect to is noted.
"""

from __future__ import annotations

import asyncio
import io
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from acestep_core.hosted.errors import RequestError
from acestep_core.hosted.fetch import Limits, Network, fetched

Done = TypeVar("Done")
PUBLIC, OTHER = "93.184.216.34", "1.1.1.1"
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
    connected: list[str] = field(default_factory=list)
    asked: list[bytes] = field(default_factory=list)
    silent: tuple[str, ...] = ()  # addresses where nobody answers
    scheme: str = "http"

    def resolve(self, host: str, port: int) -> list[str]:
        self.resolved.append(host)
        answers = self.names.get(host, [[host]])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    @property
    def network(self) -> Network:
        return Network(self.resolve, self.scheme)

    def run(self, work: Coroutine[Any, Any, Done]) -> Done:
        """In a loop that takes every connection to the local server."""

        async def within() -> Done:
            loop = asyncio.get_running_loop()
            connect = loop.sock_connect

            async def take(sock: socket.socket, address: Any) -> None:
                self.connected.append(address[0])
                if address[0] in self.silent:
                    raise ConnectionRefusedError("refused")
                await connect(sock, ("127.0.0.1", self.port))

            loop.sock_connect = take
            return await work

        return asyncio.run(within())


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
    chosen = Limits(**limits)  # pyright: ignore[reportArgumentType]
    size = found.run(fetched(url, out, chosen, found.network))
    assert size == len(out.getvalue())
    return out.getvalue()


def test_a_good_file() -> None:
    with hosts(says(GOOD)) as found:
        assert content(found, "https://example.com/a.wav?x=1#y") == b"RIFF"
    assert found.connected == [PUBLIC]
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
    assert found.connected == [PUBLIC, PUBLIC, OTHER]
    assert b"Host: other.org\r\n" in found.asked[2]


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
    assert set(found.connected) == {PUBLIC}


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
    assert found.connected == [PUBLIC]
    assert found.resolved == ["example.com", "example.com"]


def test_a_name_that_changes_between_redirects() -> None:
    steps = [says(redirect("/b")), says(GOOD)]
    with (
        hosts(*steps, example_com=[[PUBLIC], ["192.168.1.1"]]) as found,
        pytest.raises(RequestError, match="no public address"),
    ):
        content(found)
    assert found.connected == [PUBLIC]


def test_tls_goes_to_the_pinned_address_under_the_name() -> None:
    """What is not answered in TLS is not spoken to; the first thing said names the host."""
    with hosts(says(GOOD)) as found:
        found.scheme = "https"
        with pytest.raises(RequestError, match="cannot be fetched"):
            content(found)
    assert found.connected == [PUBLIC]
    assert found.asked[0][:1] == b"\x16"  # a handshake
    assert b"example.com" in found.asked[0]
    assert Network().scheme == "https"


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "169.254.169.254", "10.1.2.3"])
def test_addresses_in_place_of_names(host: str) -> None:
    """No resolver is asked for them, so they are looked at beforehand."""
    with hosts(says(GOOD)) as found, pytest.raises(RequestError, match="no public address"):
        content(found, f"https://{host}/a.wav")
    assert not found.connected
    assert not found.resolved


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
        drip(b"HTTP/1.1 200 "),
        drip(b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nX: "),
        drip(body("Content-Type: audio/wav")),
        lambda client, _: time.sleep(1),
    ],
    ids=["status", "headers", "body", "silence"],
)
def test_slow_answers(serve: Serve) -> None:
    with hosts(serve) as found, pytest.raises(RequestError, match="took too long"):
        content(found, seconds=0.4, read_seconds=0.3)


def test_slow_redirects_share_one_clock() -> None:
    def serve(client: socket.socket, _: bytes) -> None:
        time.sleep(0.25)
        client.sendall(redirect("/again"))

    with hosts(serve) as found, pytest.raises(RequestError, match="took too long"):
        content(found, seconds=0.4)
    assert len(found.asked) < 3


def test_an_address_that_does_not_answer_is_followed_by_the_next() -> None:
    with hosts(says(GOOD), example_com=[[OTHER, PUBLIC]]) as found:
        found.silent = (OTHER,)
        assert content(found) == b"RIFF"
    assert found.connected == [OTHER, PUBLIC]


def test_what_a_connection_failed_at_is_told_without_the_address() -> None:
    with hosts(says(GOOD)) as found:
        found.silent = (PUBLIC,)
        with pytest.raises(RequestError, match="cannot be fetched") as caught:
            content(found)
    assert PUBLIC not in str(caught.value)


def test_a_name_server_that_does_not_answer() -> None:
    is_over = threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        is_over.wait(20)
        return [PUBLIC]

    limits = Limits(seconds=0.3)
    work = fetched("https://example.com/", io.BytesIO(), limits, Network(resolve))
    with hosts(says(GOOD)) as found, pytest.raises(RequestError, match="took too long"):
        found.run(work)
    is_over.set()
