"""Audio from an https URL, with every step checked before it is made.

    URL -> Target -> addresses, all public -> connection to one of them -> answer
                        ^                                                   |
                        +------------- redirect, at most three -------------+

The address that was checked is the one that is connected to: a name is resolved once for each
hop and not asked again. No proxy, no cookies, no credentials, no compression.
"""

from __future__ import annotations

import http.client
import io
import logging
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urljoin

from .addresses import Target, check, no_public, target_of
from .errors import RequestError, shown

log = logging.getLogger(__name__)

BLOCK = 64 * 1024
REDIRECTS = (301, 302, 303, 307, 308)
SOUND = ("audio/", "video/mp4", "video/webm", "application/ogg")
# What file hosts say of anything; the file itself is looked at later.
UNSAID = ("application/octet-stream", "binary/octet-stream", "")

Resolve = Callable[[str, int], Iterable[str]]
Connect = Callable[[str, Target, float], socket.socket]  # address, target, seconds


@dataclass(frozen=True)
class Limits:
    most_bytes: int = 256 * 2**20
    seconds: float = 120.0  # for everything together
    read_seconds: float = 15.0  # for one piece
    redirects: int = 3
    ports: tuple[int, ...] = (443,)


def resolved(host: str, port: int) -> list[str]:
    """Every address of a name, as the system finds them."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        log.info("%s cannot be found: %s", host, error)
        raise no_public(host) from None
    return [str(one[4][0]) for one in found]


def connected(address: str, target: Target, seconds: float) -> socket.socket:
    """TLS to that very address; the certificate has to be of the name."""
    plain = socket.create_connection((address, target.port), timeout=seconds)
    try:
        return ssl.create_default_context().wrap_socket(plain, server_hostname=target.host)
    except BaseException:
        plain.close()
        raise


@dataclass(frozen=True)
class Network:
    """How names are resolved and addresses connected to; a test brings its own."""

    resolve: Resolve = resolved
    connect: Connect = connected


@dataclass
class _Clock:
    """What is left of the time for the whole fetch."""

    until: float
    piece: float

    @property
    def left(self) -> float:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("it took too long")
        return min(left, self.piece)


def fetched(
    url: str,
    out: BinaryIO,
    limits: Limits = Limits(),
    network: Network = Network(),
) -> int:
    """Write what the URL holds to `out`; the number of bytes, or RequestError."""
    clock = _Clock(time.monotonic() + limits.seconds, limits.read_seconds)
    try:
        for _ in range(limits.redirects + 1):
            target = target_of(url, limits.ports)
            connection = _connection(target, network, clock)
            try:
                answer = _asked(connection, target)
                if answer.status not in REDIRECTS:
                    return _copied(answer, out, limits)
                url = urljoin(url, answer.getheader("Location") or "")
            finally:
                connection.hang_up()
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        text = "it took too long" if isinstance(error, TimeoutError) else str(error)[:120]
        raise RequestError(f"The URL {shown(url)} cannot be fetched ({text}).") from None
    raise RequestError(f"The URL redirects more than {limits.redirects} times.")


def _connection(target: Target, network: Network, clock: _Clock) -> _Pinned:
    """To the first of the checked addresses that answers."""
    addresses = check(target.host, network.resolve(target.host, target.port))
    failure: OSError | None = None
    for address in addresses[:4]:
        try:
            return _Pinned(target, network.connect(address, target, clock.left), clock)
        except OSError as error:
            failure = error
    raise failure or OSError("no address answers")


class _Pinned(http.client.HTTPConnection):
    """A connection that was made already, and whose every read watches the clock."""

    def __init__(self, target: Target, made: socket.socket, clock: _Clock) -> None:
        super().__init__(target.host, target.port)
        self.sock = _Timed(made, clock)  # pyright: ignore[reportAttributeAccessIssue]
        self._made = made

    def connect(self) -> None:
        raise OSError("the server closed the connection")

    def hang_up(self) -> None:
        self.close()
        self._made.close()


class _Timed:
    """The three things http.client asks of a socket."""

    def __init__(self, made: socket.socket, clock: _Clock) -> None:
        self._made, self._clock = made, clock

    def sendall(self, data: bytes) -> None:
        self._made.settimeout(self._clock.left)
        self._made.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReads(self._made, self._clock))

    def close(self) -> None:
        """http.client closes a socket while its answer is still being read."""


class _TimedReads(io.RawIOBase):
    def __init__(self, made: socket.socket, clock: _Clock) -> None:
        self._made, self._clock = made, clock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        # A server that sends a byte now and then does not start the clock anew.
        self._made.settimeout(self._clock.left)
        return self._made.recv_into(buffer)


def _asked(connection: _Pinned, target: Target) -> http.client.HTTPResponse:
    connection.putrequest("GET", target.path, skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", target.authority)
    connection.putheader("Accept", "audio/*, application/octet-stream;q=0.5")
    connection.putheader("Accept-Encoding", "identity")
    connection.putheader("User-Agent", "ComfyUI-ACEStep-Suite")
    connection.putheader("Connection", "close")
    connection.endheaders()
    return connection.getresponse()


def _copied(answer: http.client.HTTPResponse, out: BinaryIO, limits: Limits) -> int:
    if answer.status != 200:
        raise RequestError(f"The URL answers with the status {answer.status}.")
    kind = (answer.getheader("Content-Type") or "").partition(";")[0].strip().lower()
    if kind not in UNSAID and not kind.startswith(SOUND):
        raise RequestError(f"The URL holds {shown(kind)}, not audio.")
    if (answer.getheader("Content-Encoding") or "identity").lower() != "identity":
        raise RequestError("The URL answers compressed, which is not accepted.")
    if (answer.length or 0) > limits.most_bytes:
        raise _too_large(limits)
    size = 0
    while block := answer.read1(BLOCK):
        size += len(block)
        if size > limits.most_bytes:
            raise _too_large(limits)
        out.write(block)
    if answer.length:
        raise RequestError("The URL's answer broke off before its end.")
    return size


def _too_large(limits: Limits) -> RequestError:
    text = f"The URL holds more than {limits.most_bytes / 2**20:g} MiB, which is the limit."
    return RequestError(text, status=413)


def copy_to(path: Path, url: str, limits: Limits, network: Network) -> int:
    with path.open("wb") as out:
        return fetched(url, out, limits, network)
