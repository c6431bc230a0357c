"""The settings of the server."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from radio.settings.containers import ListOf, OneOrMore, PerKey
from radio.settings.fields import check, declare, flag, number, optional, setting, whole
from radio.settings.kinds import Number, Whole, Word
from radio.types import BURST_LIMIT, LISTENER_FORMATS, Format, Seconds

SHORTEST_TOKEN: Final = 8
"""Minimum length of a control token; a shorter one can be guessed."""
_BURST: Final[Seconds] = 22.0
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


def _host(word: str) -> str:
    """Check an address or name to listen on."""
    try:
        ip_address(word)
    except ValueError:
        if _HOST.fullmatch(word):
            return word
    else:
        return word
    reason = f"'{word}' is not a host name or IP address"
    rest = word.split("://", 1)[-1].split("/", 1)[0]
    if "://" in word:
        reason += f"; leave out '{word.split('://', maxsplit=1)[0]}://'"
    if match := re.fullmatch(r"\[?([^\[\]]*)\]?:(\d+)", rest):
        reason += f"; write host: {match[1]} and port: {match[2]}"
    raise ValueError(reason)


def _token(word: str) -> str:
    if len(word) < SHORTEST_TOKEN:
        raise ValueError(f"the token has {len(word)} characters; it needs at least {SHORTEST_TOKEN}")
    return word


def _host_name(word: str) -> str:
    if not _NAME.fullmatch(word):
        raise ValueError(f"'{word}' is not a host name: lowercase letters, digits, hyphens and dots, without a port")
    return word


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """The address of the server, and its access rules.

    Raises:
        SettingsError: Values are not allowed; the message names each one.
    """

    host: str | tuple[str, ...] = setting(
        "127.0.0.1",
        OneOrMore(Word(_host, "a host name or IP address")),
        help="address to listen on, or a list of them; 0.0.0.0 means all networks of this machine, and '::' also those "
        "with IPv6",
    )
    port: int = whole(8000, 0, 65_535, help="port to listen on; 0 takes any free port")
    control_token: str | None = optional(
        Word(_token, f"text of at least {SHORTEST_TOKEN} characters"),
        help="token required for changes, as `Authorization: Bearer TOKEN`; null requires none, and is only allowed on "
        "loopback addresses",
    )
    control: bool = flag(True, help="allow changes over HTTP")
    burst: Mapping[Format, Seconds] = field(
        default_factory=lambda: dict.fromkeys(LISTENER_FORMATS, _BURST),
        metadata=declare(
            PerKey(LISTENER_FORMATS, Number(low=0, high=BURST_LIMIT, unit="s"), _BURST),
            help="audio that a new listener receives immediately, to bridge gaps in a weak network; "
            "one number, or one for each format, such as {opus: 22, mp3: 10, aac: 22}",
        ),
    )
    listeners: int | None = optional(
        Whole(low=1, high=1_000_000), help="maximum number of listeners per station; null sets no limit"
    )
    listeners_per_address: int | None = optional(
        Whole(low=1, high=1_000_000),
        help="maximum number of streams per address; null sets no limit. A proxy on another machine is one address",
    )
    tracks: bool = flag(True, help="allow listeners who may change controls to order tracks")
    drain: float = number(
        2,
        0,
        600,
        unit="s",
        help="time over which listeners are disconnected, one after another, when the server stops",
    )
    hosts: tuple[str, ...] = setting(
        (),
        ListOf(Word(_host_name, "a host name"), noun="a list of host names"),
        help="names of this machine, other than localhost, for which changes need no token, such as [radio.home]",
    )

    def __post_init__(self) -> None:
        check(self)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses or names to listen on."""
        return (self.host,) if isinstance(self.host, str) else self.host
