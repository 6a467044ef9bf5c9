"""Addresses that a URL must not lead to, in every spelling."""

from __future__ import annotations

import pytest

from acestep_core.hosted.addresses import check, is_public, target_of
from acestep_core.hosted.errors import RequestError
from acestep_core.hosted.fetch import resolved

_PRIVATE = """
127.0.0.1 127.1.2.3 0.0.0.0 10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1
169.254.169.254 169.254.0.1 100.64.0.1 100.100.100.200 100.127.255.255 192.0.0.192 192.0.2.1
198.18.0.1 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
168.63.129.16 192.88.99.1 :: ::1 fe80::1 fe80::1%eth0 fe80::1%1 febf::1 fc00::1 fd00:ec2::254
fec0::1 ff02::1 ff0e::1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:10.0.0.1 ::ffff:8.8.8.8
::127.0.0.1 ::8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:1::1
2002:7f00:1:: 2002:a00:1::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:db8::1 100::1
2606:4700::1111%eth0 nonsense 127.1 2130706433 0x7f.0.0.1
"""
PRIVATE = _PRIVATE.split()
_PUBLIC = """
1.1.1.1 8.8.8.8 93.184.216.34 172.32.0.1 100.128.0.1 2606:4700:4700::1111
"""
PUBLIC = _PUBLIC.split()

_LOOPBACK = """
https://127.0.0.1/ https://127.1/ https://127.0.1/ https://2130706433/ https://0x7f000001/
https://0x7f.0.0.1/ https://0x7F.1/ https://0177.0.0.1/ https://017700000001/ https://0/
https://127.0.0.1./ https://127.0.0.1#@example.com/ https://127.000.000.001/ https://[::1]/
https://[0:0:0:0:0:0:0:1]/ https://[::ffff:127.0.0.1]/ https://[::ffff:7f00:1]/
https://[::127.0.0.1]/ https://[::]/ https://[fe80::1%25eth0]/ https://[64:ff9b::127.0.0.1]/
https://[2002:7f00:1::]/ https://localhost/ https://LOCALHOST/ https://localhost./
https://a.localhost/ https://printer.local/ https://metadata.google.internal/
https://router.home.arpa/ https://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460/
https://\uff11\uff12\uff17.0.0.1/ https://127\u30020\u30020\u30021/
https://169.254.169.254/latest/meta-data/ https://10.0.0.1/
"""
LOOPBACK = _LOOPBACK.split()
ODD = [
    "http://example.com/a.mp3",
    "ftp://example.com/a.mp3",
    "file:///etc/passwd",
    "gopher://example.com",
    "HTTPS:example.com",
    "https:///a.mp3",
    "https://",
    "https://user@example.com/",
    "https://user:word@example.com/",
    "https://example.com@127.0.0.1/",
    "https://example.com\\@127.0.0.1/",
    "https://example.com:80/",
    "https://example.com:8443/",
    "https://example.com:0/",
    "https://example.com:99999/",
    "https://example.com:x/",
    "https://exa mple.com/",
    "https://example.com/a\r\nHost: x",
    "https://example.com/\0",
    "https://[::1/",
    "https://[nonsense]/",
    "https://example..com/",
    "https://%6c%6f%63alhost/",
    "https://intranet/",
    "https://exam_ple!.com/",
    "https://" + "a" * 300 + ".com/",
    "https://example.com/" + "a" * 3000,
    "https://1.2.3/",
    "https://a.0x7f/",
]


def looked_up(url: str) -> tuple[str, ...]:
    target = target_of(url)
    return check(target.host, resolved(target.host, target.port))


@pytest.mark.parametrize("address", PRIVATE)
def test_private(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(RequestError):
        check("example.com", [address])
    with pytest.raises(RequestError, match="no public address"):
        check("example.com", ["93.184.216.34", address])


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert is_public(address)
    assert check("example.com", [address, address]) == (address,)


def test_a_name_without_address() -> None:
    with pytest.raises(RequestError, match="no public address"):
        check("example.com", [])


@pytest.mark.parametrize("url", LOOPBACK)
def test_loopback_in_all_spellings(url: str) -> None:
    """By the system's own resolver, for what the spelling alone does not give away."""
    with pytest.raises(RequestError):
        looked_up(url)


@pytest.mark.parametrize("url", ODD)
def test_odd_urls(url: str) -> None:
    with pytest.raises(RequestError):
        target_of(url)


def test_parts_of_a_good_url() -> None:
    target = target_of("https://EXAMPLE.com./a%20b/\u00e9.mp3?x=1&y=\u00fc#part")
    assert (target.host, target.port, target.authority) == ("example.com", 443, "example.com")
    assert target.path == "/a%20b/%C3%A9.mp3?x=1&y=%C3%BC"
    assert target_of("https://b\u00fccher.example/").host == "xn--bcher-kva.example"
    assert target_of("https://[2606:4700:4700::1111]/").authority == "[2606:4700:4700::1111]"
    assert target_of("https://example.com:8443/", (443, 8443)).authority == "example.com:8443"
