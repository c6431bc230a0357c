"""Authorization of requests that change something: by token, and by the page that sends them.

A radio on loopback needs no token, and every page in the owner's browser can reach it. Such a page must not change
controls or start jobs. A request that changes something is therefore refused if the browser says that a page of another
site sent it (Fetch Metadata, or the Origin header, RFC 6454). Without a token it is also refused if its Host is not a
name of this machine: a foreign domain that resolves to 127.0.0.1 (DNS rebinding) looks like the radio's own origin.
"""

from __future__ import annotations

import hmac
import logging
import math
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final, Literal
from urllib.parse import urlsplit

from aiohttp import web

from radio.errors import SettingsError
from radio.server.http.allowance import Allowance
from radio.server.http.client_address import client_address
from radio.server.http.problems import ProblemError

_log = logging.getLogger("radio.server")

WRONG_TOKENS: Final = 10
"""Wrong tokens that a client may send per minute, which prevents guessing."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(slots=True)
class Authorization:
    """The rules for requests that change something. They change when the config is reloaded.

    control: whether anything can be changed over HTTP.
    token: the control token; without one, no token is necessary.
    hosts: names of this machine, in addition to loopback, that a request without a token may be addressed to.
    failures: wrong tokens that each client may send.
    """

    control: bool
    token: str | None
    hosts: tuple[str, ...] = ()
    failures: Allowance = field(default_factory=lambda: Allowance(WRONG_TOKENS, 60.0), repr=False)

    @property
    def mode(self) -> Literal["off", "token", "open"]:
        """`off` if nothing can be changed, `token` if a change requires a token, else `open`."""
        return "off" if not self.control else "open" if self.token is None else "token"

    def require(self, request: web.Request) -> None:
        """Raise ProblemError unless the request may change a station: 403, 401, or 429 after many wrong tokens."""
        if not self.control:
            raise ProblemError(403, "control_off", "controls are disabled on this radio (control: false)")
        if self.token is not None and not self._has_token(request, self.token):
            message = "the control token is missing or wrong; send 'Authorization: Bearer <control_token>'"
            raise ProblemError(401, "no_token", message, field="Authorization", allowed="Bearer <control_token>")

    def is_operator(self, request: web.Request) -> bool:
        """Return True if the client may change stations, False if it is a guest.

        Raises:
            ProblemError: 429 after many wrong tokens.
        """
        if self.token is not None:
            return self._has_token(request, self.token)
        return self.control and is_loopback(client_address(request))

    def _has_token(self, request: web.Request, expected: str) -> bool:
        value = request.headers.get("Authorization", "").encode(errors="surrogateescape")
        scheme, _, token = value.partition(b" ")
        if scheme.lower() != b"bearer":  # a proxy may forward credentials that are meant for itself
            return False
        client = client_address(request)
        if wait := self.failures.wait(client, 1):
            message = "too many wrong control tokens came from this address; try again later"
            raise ProblemError(429, "too_many", message, field="Authorization", retry_after=math.ceil(wait))
        if hmac.compare_digest(token.strip(), expected.encode()):
            return True
        self.failures.spend(client, 1)
        _log.warning("a wrong control token from %s", client)
        return False

    def check_origin(self, request: web.Request) -> None:
        """Raise ProblemError 403 if a page of another site may have sent the request."""
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        if site is not None:
            own_page = site in {"same-origin", "none"}
        else:
            own_page = origin is None or _netloc(origin) == request.headers.get("Host", "").lower()
        if not own_page:
            message = "a page of another site sent this request; use the radio's own page"
            raise ProblemError(403, "foreign_page", message, field="Origin", allowed="the address of this radio")
        if self.control and self.token is None and not self._is_own_host(request.headers.get("Host", "")):
            allowed = ", ".join(("localhost", "127.0.0.1", "[::1]", *self.hosts))
            message = (
                "without a token, a change must be addressed to a name of this machine; see hosts in stations.yaml"
            )
            raise ProblemError(403, "foreign_host", message, field="Host", allowed=allowed)

    def _is_own_host(self, host: str) -> bool:
        # A browser always sends a Host; HTTP/1.0 clients and scripts may not.
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
    """Refuse requests from pages of other sites that could change something."""
    if request.method not in _SAFE_METHODS:
        request.app[AUTHORIZATION].check_origin(request)
    return await handler(request)


def check_hosts(hosts: Iterable[str], *, control: bool, token: str | None) -> None:
    """Raise SettingsError if other machines could change controls without a token.

    Args:
        hosts: The addresses or names that the server listens on.
        control: Whether anything can be changed over HTTP.
        token: The control token.
    """
    for host in hosts if control and token is None else ():
        if is_loopback(host):
            continue
        raise SettingsError(
            f"host {host} can be reached from other machines, which could change controls: "
            "set control_token, or control: false, in the config; or CONTROL_TOKEN in the environment; "
            "or use --no-control or --host 127.0.0.1; for a socket of systemd, ListenStream=127.0.0.1:PORT"
        )


def is_loopback(host: str) -> bool:
    """Return True if only this machine can reach `host`, an address or a name."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
