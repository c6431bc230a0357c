"""The settings of the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from radio.types import LISTENER_FORMATS, Format, Seconds


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where the front listens and who may turn the controls."""

    host: str = "127.0.0.1"
    port: int = 8000
    """0–65535; 0 takes any free one."""
    control_token: str | None = None
    """Asked for as `Authorization: Bearer …` by whatever changes a station; none asks for nothing."""
    control: bool = True
    """False: nothing can be changed over HTTP."""
    burst: Mapping[Format, Seconds] = field(default_factory=lambda: dict.fromkeys(LISTENER_FORMATS, 22.0))
    """Audio that a new listener of each format gets at once, 0 to `BURST_LIMIT`."""
    listeners: int | None = None
    """How many one station takes; none for as many as come."""
    listeners_per_address: int | None = None
    """How many streams go to one address; none for as many as it asks for."""
    tracks: bool = True
    """Whether whoever may change something may have tracks made to order."""
    hosts: tuple[str, ...] = ()
    """Names of this machine, besides localhost, under which changes are taken without a token."""
