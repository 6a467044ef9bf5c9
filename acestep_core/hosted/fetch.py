"""Audio from an https URL, with every step checked before it is made.

    URL -> Target -> addresses, all public -> connection to one of them -> answer
                        ^                                                   |
                        +------------- redirect, at most three -------------+

aiohttp asks a resolver of ours where a name leads, once for each connection, and connects to what
it was told and to nothing else. No proxy, no cookies, no credentials, no compression.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urljoin

from .addresses import Target, check, is_address, no_public, target_of
from .errors import RequestError, shown

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession
    from aiohttp.abc import ResolveResult
    from yarl import URL

log = logging.getLogger(__name__)

BLOCK = 2**20
REDIRECTS = (301, 302, 303, 307, 308)
SOUND = ("audio/", "video/mp4", "video/webm", "application/ogg")
# What file hosts say of anything; the file itself is looked at later.
UNSAID = ("application/octet-stream", "binary/octet-stream", "")
HEADERS = {
    "Accept": "audio/*, application/octet-stream;q=0.5",
    "Accept-Encoding": "identity",
    "User-Agent": "ComfyUI-ACEStep-Suite",
}

Resolve = Callable[[str, int], Iterable[str]]


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


@dataclass(frozen=True)
class Network:
    """How names are resolved and spoken to; a test has its own names, and speaks without TLS."""

    resolve: Resolve = resolved
    scheme: str = "https"


@cache
def _lookups() -> ThreadPoolExecutor:
    """Threads of their own: a name server that does not answer must keep nobody else waiting."""
    return ThreadPoolExecutor(4, "acesuite-names")


async def fetched(
    url: str,
    out: BinaryIO,
    limits: Limits = Limits(),
    network: Network = Network(),
) -> int:
    """Write what the URL holds to `out`; the number of bytes, or RequestError."""
    import aiohttp

    try:
        return await asyncio.wait_for(_followed(url, out, limits, network), limits.seconds)
    except asyncio.TimeoutError:
        reason = "it took too long"
    except aiohttp.ClientPayloadError:
        raise RequestError("The URL's answer broke off before its end.") from None
    except aiohttp.ClientConnectorCertificateError:
        reason = "its certificate is not valid"
    except aiohttp.ClientResponseError:
        reason = "it does not answer as the web does"
    except (aiohttp.ClientError, OSError, UnicodeError) as error:
        # Without what aiohttp says of it, which are the address and pieces of the answer.
        reason = getattr(error, "strerror", None) or "the connection broke off"
    raise RequestError(f"The URL {shown(url)} cannot be fetched ({reason}).")


async def _followed(url: str, out: BinaryIO, limits: Limits, network: Network) -> int:
    async with _session(limits, network) as session:
        for _ in range(limits.redirects + 1):
            target = target_of(url, limits.ports)
            if is_address(target.host):  # aiohttp asks no resolver for one
                check(target.host, [target.host])
            async with session.get(_address(target, network), allow_redirects=False) as answer:
                if answer.status not in REDIRECTS:
                    return await _copied(answer, out, limits)
                url = urljoin(url, answer.headers.get("Location", ""))
    raise RequestError(f"The URL redirects more than {limits.redirects} times.")


def _session(limits: Limits, network: Network) -> ClientSession:
    """One fetch: nothing of it is used again, names are asked for anew at every connection."""
    import aiohttp
    from aiohttp.abc import AbstractResolver

    class Checked(AbstractResolver):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
        ) -> list[ResolveResult]:
            loop = asyncio.get_running_loop()
            addresses = await loop.run_in_executor(_lookups(), network.resolve, host, port)
            return [_place(host, one, port) for one in check(host, addresses)[:4]]

        async def close(self) -> None:
            """Nothing is held."""

    connector = aiohttp.TCPConnector(resolver=Checked(), use_dns_cache=False, force_close=True)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=HEADERS,
        # A piece at a time; the whole has its own clock.
        timeout=aiohttp.ClientTimeout(
            sock_connect=limits.read_seconds, sock_read=limits.read_seconds
        ),
        auto_decompress=False,
        trust_env=False,
    )


def _place(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return {
        "hostname": host,
        "host": address,
        "port": port,
        "family": family,
        "proto": 0,
        "flags": flags,
    }


def _address(target: Target, network: Network) -> URL:
    from yarl import URL

    # As it is: what was checked is what is asked for.
    return URL(f"{network.scheme}://{target.authority}{target.path}", encoded=True)


async def _copied(answer: ClientResponse, out: BinaryIO, limits: Limits) -> int:
    if answer.status != 200:
        raise RequestError(f"The URL answers with the status {answer.status}.")
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in UNSAID and not kind.startswith(SOUND):
        raise RequestError(f"The URL holds {shown(kind)}, not audio.")
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise RequestError("The URL answers compressed, which is not accepted.")
    if (answer.content_length or 0) > limits.most_bytes:
        raise _too_large(limits)
    size = 0
    async for block in answer.content.iter_chunked(BLOCK):
        size += len(block)
        if size > limits.most_bytes:
            raise _too_large(limits)
        await asyncio.to_thread(out.write, block)
    return size


def _too_large(limits: Limits) -> RequestError:
    text = f"The URL holds more than {limits.most_bytes / 2**20:g} MiB, which is the limit."
    return RequestError(text, status=413)


async def copy_to(path: Path, url: str, limits: Limits, network: Network) -> int:
    with path.open("wb") as out:
        return await fetched(url, out, limits, network)
