"""The composer: conductor, performers and bass, bar by bar, on one clock of ticks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from radio.compose import conductor as conducting
from radio.compose import performer as performing
from radio.compose.bass import bass_line
from radio.compose.conductor import Conductor
from radio.compose.dynamics import Dynamics
from radio.compose.performer import Performer
from radio.compose.plan import BarPlan, Track
from radio.model.engines.base import Engine
from radio.model.sampling import Sampling
from radio.music.events import NoteEvent
from radio.music.parts import DRUMS, PIANO
from radio.settings.controls import Controls
from radio.types import MoodChoice


@dataclass(frozen=True, slots=True)
class Bar:
    """A composed bar: its plan, its track, and each layer's events in order of tick."""

    plan: BarPlan
    track: Track
    events: Mapping[str, Sequence[NoteEvent]]

    @property
    def opens_track(self) -> bool:
        return self.plan.number == self.track.first_bar


@dataclass(frozen=True)
class Saved:
    """A composer between two bars."""

    next_number: int
    conductor: conducting.Saved
    performers: Mapping[str, performing.Saved]
    means: Mapping[str, dict[str, float]]


def asked(controls: Controls) -> tuple[float, MoodChoice, Sampling]:
    """All that a composer reads of the controls: density, mood, and how the models choose."""
    sampling = Sampling(
        controls.temperature,
        controls.top_p,
        controls.top_k,
        controls.alpha_presence,
        controls.alpha_frequency,
        controls.alpha_decay,
    )
    return controls.density, controls.mood, sampling


class Composer:
    """Composes bar after bar; a function of (models, settings, seed, controls given at each bar)."""

    def __init__(self, piano: Engine, drums: Engine, conductor: Conductor, *, seed: int) -> None:
        self._conductor = conductor
        self._performers = {
            "drums": Performer(drums, DRUMS, (seed, 1)),
            "keys": Performer(piano, PIANO, (seed, 0)),
        }
        self._dynamics = {layer: Dynamics(layer) for layer in self._performers}
        self.next_number = 0
        """The number of the bar that comes next."""

    def next_bar(self, controls: Controls) -> Bar:
        """Compose the next bar under `controls`."""
        density, mood, sampling = asked(controls)
        track, plan = self._conductor.next_bar(density, mood)
        events = {
            layer: self._dynamics[layer].level(performer.play(plan, sampling))
            for layer, performer in self._performers.items()
        }
        events["bass"] = bass_line(plan, self._conductor.upcoming_chord, events["drums"])
        self.next_number += 1
        return Bar(plan, track, events)

    @property
    def next_loop(self) -> int:
        """The number of the bar from which another mood would be heard."""
        return self._conductor.next_loop

    def skip(self) -> None:
        """Let the next bar open the next track, unless it opens one already."""
        self._conductor.skip()

    def save(self) -> Saved:
        return Saved(
            self.next_number,
            self._conductor.save(),
            {layer: performer.save() for layer, performer in self._performers.items()},
            {layer: dynamics.save() for layer, dynamics in self._dynamics.items()},
        )

    def restore(self, saved: Saved) -> None:
        self.next_number = saved.next_number
        self._conductor.restore(saved.conductor)
        for layer, performer in self._performers.items():
            performer.restore(saved.performers[layer])
        for layer, dynamics in self._dynamics.items():
            dynamics.restore(saved.means[layer])
