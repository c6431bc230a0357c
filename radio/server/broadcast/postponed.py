"""Changes of controls that wait for a station's music to resume."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from radio.errors import StreamError
from radio.settings.controls import CONTROLS
from radio.station.later_steps import merged
from radio.worker.wire import ChangeControls

_MUSIC: Final = -1
_MIX: Final = -2
"""Numbers of the changes in messages. Requests have positive numbers."""


@dataclass(frozen=True, slots=True)
class Postponed:
    """A change of controls that no worker has made yet.

    patch: values by control. later: values for the bars after that, in order.
    """

    patch: Mapping[str, Any] = field(default_factory=dict)
    later: tuple[Mapping[str, Any], ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The controls that are changed."""
        return frozenset(name for step in (self.patch, *self.later) for name in step)

    def followed_by(self, patch: Mapping[str, Any], later: Sequence[Mapping[str, Any]] = ()) -> Postponed:
        """Return this change combined with a later one."""
        _, *steps = [*merged(({}, *self.later), patch, later)]
        return Postponed({**self.patch, **patch}, tuple(steps))

    def messages(self) -> tuple[ChangeControls, ...]:
        """Return the change as messages, one for the music and one for the mix, which can be made separately."""
        music = {name: value for name, value in self.patch.items() if CONTROLS[name].lands != "mix"}
        mix = {name: value for name, value in self.patch.items() if name not in music}
        parts = [ChangeControls(number, part) for number, part in ((_MUSIC, music), (_MIX, mix)) if part]
        if parts and self.later:
            parts[0] = ChangeControls(parts[0].number, parts[0].patch, self.later)
        return tuple(parts)

    def without(self, number: int) -> tuple[ChangeControls, Postponed]:
        """Return the part with this number, and the rest. Raise StreamError if there is no such part."""
        made = next((part for part in self.messages() if part.number == number), None)
        if made is None:
            raise StreamError(f"the worker reports that it made change {number}, which it was not sent")
        rest = {name: value for name, value in self.patch.items() if name not in made.patch}
        return made, Postponed(rest, () if made.later else self.later)
