"""The requests to a composer that its conductor answers."""

from __future__ import annotations

from radio.compose.conductor import Conductor
from radio.compose.prime import Prime
from radio.compose.request import request_of
from radio.settings.controls import Controls
from radio.types import Action


class ConductedComposer:
    """The base of composers whose bars a conductor plans.

    Args:
        conductor: Plans the bars.
    """

    def __init__(self, conductor: Conductor) -> None:
        self._conductor = conductor
        self.writes_ahead = True
        """False where no track follows this one, so that none is written while it plays."""

    @property
    def next_loop(self) -> int:
        """The number of the bar at which another harmony would take effect."""
        return self._conductor.next_loop

    def act(self, action: Action, controls: Controls) -> int:
        """Do what a listener asks for, and return the number of the bar from which it counts.

        Raises:
            ControlError: There is no such track to like or dislike.
        """
        return self._conductor.act(action, request_of(controls)[0])

    def prime(self, prime: Prime, controls: Controls) -> int:
        """Let the track that begins next take up `prime`; return the number of its first bar."""
        return self._conductor.prime(prime, request_of(controls)[0])
