"""Responses for supervisors."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from radio.server.api.body import Body
from radio.server.api.problem import Fault


class Liveness(Body):
    """The liveness of the process."""

    ok: bool
    lag: Annotated[float, Meta(description="Longest delay of the event loop in the last half minute, in seconds.")]


class Readiness(Body):
    """The readiness of the stations.

    A station is ready while it is on the air; after a silence, it must have been back for five seconds.
    """

    ok: bool
    stations: dict[str, bool]
    error: Fault | UnsetType = UNSET
