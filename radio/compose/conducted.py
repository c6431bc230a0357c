"""The part of a composer that delegates to its conductor."""

from __future__ import annotations

from radio.compose.conductor import Conductor
from radio.compose.prime import Prime
from radio.compose.request import request_of
from radio.settings.controls import Controls
from radio.types import Action


class ConductedComposer:
    """The base class of composers whose bars a conductor plans.

    Args:
        conductor: Plans the bars.
    """

    def __init__(self, conductor: Conductor) -> None:
        self._conductor = conductor

    @property
    def next_loop(self) -> int:
        """Number of the bar at which a new harmony would take effect."""
        return self._conductor.next_loop

    def act(self, action: Action, controls: Controls) -> int:
        """Perform a listener's action, and return the number of the bar at which it takes effect.

        Raises:
            ControlError: The track to like or dislike was not played recently.
        """
        return self._conductor.act(action, request_of(controls)[0])

    def prime(self, prime: Prime, controls: Controls) -> int:
        """Start the next track from `prime`; return the number of its first bar."""
        return self._conductor.prime(prime, request_of(controls)[0])
