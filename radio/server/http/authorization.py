"""Who may change something: whoever has the token, if there is one, and no web page but our own.

A radio on loopback asks for no token, and every page that the owner's browser shows can reach it. Such a page must not
turn its knobs or start its jobs, so that what changes something is refused when the browser says that it comes from
elsewhere (Fetch Metadata, or the Origin header, RFC 6454), and, where no token is asked for, when it is addressed to a
name that is not this machine's: a stranger's domain that points to 127.0.0.1 (DNS rebinding) has an origin like ours.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web

from radio.server.http.problems import ProblemError

_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Authorization:
    """Who may turn the controls: nobody when `control` is off, else whoever has the token, if there is one.

    `hosts` are names of this machine under which changes are taken without a token, besides those of loopback.
    """

    control: bool
    token: str | None
    hosts: tuple[str, ...] = ()

    @property
    def mode(self) -> str:
        """What a page may offer: `off`, `token` where one is asked for, `open` where nothing is."""
        return "off" if not self.control else "open" if self.token is None else "token"

    def admit(self, request: web.Request) -> None:
        """Raise ProblemError 403 or 401 unless this request may change a station."""
        if not self.control:
            raise ProblemError(403, "control_off", "the controls of this radio are switched off")
        if self.token is None:
            return
        given = request.headers.get("Authorization", "").encode(errors="surrogateescape")  # any bytes may come
        if not hmac.compare_digest(given, f"Bearer {self.token}".encode()):
            message = "controls need the token of this radio: send 'Authorization: Bearer <control_token>'"
            raise ProblemError(401, "no_token", message, field="Authorization", allowed="Bearer <control_token>")

    def check_origin(self, request: web.Request) -> None:
        """Raise ProblemError 403 where a browser sends this request for a page that is not ours."""
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        if site is not None:
            ours = site in {"same-origin", "none"}
        else:
            ours = origin is None or _netloc(origin) == request.headers.get("Host", "").lower()
        if not ours:
            message = "a page of another site may not do this: open the radio's own page"
            raise ProblemError(403, "foreign_page", message, field="Origin", allowed="the address of this radio")
        if self.control and self.token is None and not self._is_ours(request.headers.get("Host", "")):
            allowed = ", ".join(("localhost", "127.0.0.1", "[::1]", *self.hosts))
            message = "without a token, changes are taken under a name of this machine only: see hosts in stations.yaml"
            raise ProblemError(403, "foreign_host", message, field="Host", allowed=allowed)

    def _is_ours(self, host: str) -> bool:
        # No host is no browser: HTTP/1.0, and scripts.
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            return False
        return name is None or is_loopback(name) or name in self.hosts


AUTHORIZATION: web.AppKey[Authorization] = web.AppKey("authorization", Authorization)


@web.middleware
async def reject_foreign_pages(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse whatever could change something, where another site's page asks for it."""
    if request.method not in _HARMLESS:
        request.app[AUTHORIZATION].check_origin(request)
    return await handler(request)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`, an address or a name."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
