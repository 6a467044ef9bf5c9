"""Whether a page in a browser may ask: pages of this very server, and no others.

    Origin, Sec-Fetch-Site, Host -> checked

Scripts and services send neither of the first two and are not concerned. ComfyUI's own check
ends where the server is not called by a loopback name, so ours does not build on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from .addresses import LOCAL_NAMES, is_address
from .errors import RequestError, shown

EVERYBODY = "*"  # of --enable-cors-header
ELSEWHERE = ("cross-site", "same-site")  # of Sec-Fetch-Site
# A name nobody on the internet can own. Any other may be a page's own that leads here for a
# moment (DNS rebinding): its origin and its host are then the same.
OWN_NAMES = (*LOCAL_NAMES, "lan", "home")


@dataclass(frozen=True)
class Origins:
    """Where pages that may ask come from, beside the address they ask."""

    public_url: str = ""
    allowed: str = ""  # what ComfyUI itself was started with: an origin, or *

    def check(self, origin: str | None, site: str, host: str) -> None:
        """RequestError for a page of somewhere else."""
        if self.allowed == EVERYBODY:
            return
        if origin is None and site not in ELSEWHERE:
            return
        if origin is not None and self._is_own(origin.lower(), host.lower()):
            return
        raise RequestError(
            f"A page of {shown(origin) if origin else 'another site'} may not ask here. Behind a"
            " proxy ACESTEP_API_PUBLIC_URL says where this server's own pages are.",
            status=403,
        )

    def _is_own(self, origin: str, host: str) -> bool:
        if origin in (_origin_of(self.public_url), _origin_of(self.allowed)):
            return True
        try:
            parts = urlsplit(origin)
            name = parts.hostname or ""
        except ValueError:
            return False
        return parts.scheme in ("http", "https") and parts.netloc == host and _is_unowned(name)


def _origin_of(url: str) -> str | None:
    parts = urlsplit(url.lower())
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else None


def _is_unowned(name: str) -> bool:
    if is_address(name):
        return True
    is_plain = bool(name) and "." not in name
    return is_plain or any(name.endswith(f".{own}") for own in OWN_NAMES)
