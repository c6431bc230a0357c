"""The response to a reload of the config."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from radio.server.api.body import Body


class Reload(Body):
    """The effect of a reload."""

    added: Annotated[list[str], Meta(description="Stations that were not on the air before.")]
    changed: Annotated[list[str], Meta(description="Stations that continue with other settings.")]
    removed: Annotated[list[str], Meta(description="Stations that are no longer on the air.")]
    failed: Annotated[dict[str, str], Meta(description="Stations that could not be added or changed, with the reason.")]
    at_next_start: Annotated[list[str], Meta(description="Server settings that take effect at the next start.")]
