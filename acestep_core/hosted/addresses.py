"""Which addresses of the network a URL may lead to: public ones, and nothing else.

    URL -> Target (host, port, path), spelt in one way only
    host -> every address it has -> all public, or refused

A name with one private address among public ones is refused whole: which of them is taken is
the system's choice, not ours.
"""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from .errors import RequestError, shown

log = logging.getLogger(__name__)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

LONGEST_URL = 2_000
LOCAL_NAMES = ("localhost", "local", "internal", "localdomain", "home.arpa")
# Ways to write an IPv4 address as an IPv6 one: what they lead to depends on the network.
TRANSLATED = tuple(
    ipaddress.IPv6Network(net)
    for net in (
        "::/96",  # IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # NAT64, local
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
    )
)
# Public by the registries, private by use.
UNWANTED = tuple(
    ipaddress.ip_network(net)
    for net in (
        "100.64.0.0/10",  # carrier-grade NAT; a metadata service at 100.100.100.200
        "168.63.129.16/32",  # a metadata service
        "192.0.0.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",  # benchmarks
        "fec0::/10",  # site-local
    )
)


@dataclass(frozen=True)
class Target:
    """Where one request of a fetch goes."""

    host: str  # a name, or an address without brackets; lower case, ASCII
    port: int
    path: str  # with the query

    @property
    def authority(self) -> str:
        """For the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 443 else f"{host}:{self.port}"


def target_of(url: str, ports: Iterable[int] = (443,)) -> Target:
    """The parts of an https URL; RequestError for what could be read in two ways."""
    if len(url) > LONGEST_URL or re.search(r"[\x00-\x20\\\x7f]", url):
        raise RequestError(f"The URL {shown(url)} is too long, or has spaces or backslashes in it.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise RequestError(f"The URL {shown(url)} cannot be read ({error}).") from None
    if parts.scheme != "https":
        raise RequestError(f"The URL {shown(url)} does not begin with https://.")
    if "@" in parts.netloc:
        raise RequestError(f"The URL {shown(url)} has a user or a password in it. Leave them out.")
    port = 443 if port is None else port
    if port not in tuple(ports):
        raise RequestError(f"The URL {shown(url)} has the port {port}, which is not allowed.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(_host(url, parts.hostname or ""), port, _escaped(path))


def check(host: str, addresses: Iterable[str]) -> tuple[str, ...]:
    """The addresses, if every one is public."""
    found = tuple(dict.fromkeys(addresses))
    private = [text for text in found if not is_public(text)]
    if private or not found:
        log.info("%s leads to %s: not fetched", host, private or "no address")
        raise no_public(host)
    return found


def no_public(host: str) -> RequestError:
    """One sentence for a name that leads inwards and for one that leads nowhere: what names are
    known in here is not told to whoever asks."""
    return RequestError(f"{host} leads to no public address. Upload the file instead.")


def is_address(host: str) -> bool:
    """Whether a target's host is an address itself, which nobody resolves."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_public(text: str) -> bool:
    """Whether an address, as the system resolved it, belongs to the open internet."""
    try:
        address: Address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if address.version == 6 and (
        address.scope_id is not None or any(address in net for net in TRANSLATED)
    ):
        return False
    if any(address.version == net.version and address in net for net in UNWANTED):
        return False
    is_special = (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
    )
    return address.is_global and not is_special


def _host(url: str, host: str) -> str:
    """One spelling: lower case, ASCII, no final dot; an address only in its usual form."""
    if ":" in host:
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError:
            raise RequestError(f"The URL {shown(url)} has a broken address in it.") from None
    try:
        name = host.encode("idna").decode("ascii").lower().rstrip(".")
    except UnicodeError:
        raise RequestError(f"The URL {shown(url)} has a name that is none.") from None
    labels = name.split(".")
    if not re.fullmatch(r"[a-z0-9_.-]+", name) or "" in labels:
        raise RequestError(f"The URL {shown(url)} has no usable host in it.")
    if any(name == local or name.endswith("." + local) for local in LOCAL_NAMES):
        raise RequestError(f"{name} is not a public name. Upload the file instead.")
    # The system also takes 2130706433, 0x7f.1 and 0177.0.0.1 for addresses.
    if re.fullmatch(r"\d+|0x[0-9a-f]*", labels[-1]):
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            raise RequestError(f"The URL {shown(url)} has a number for a host.") from None
    if len(labels) == 1:
        raise RequestError(f"{name} is not a public name. Upload the file instead.")
    return name


def _escaped(path: str) -> str:
    """ASCII alone may go into a request line."""
    return "".join(
        char
        if char.isascii()
        else "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "replace"))
        for char in path
    )
