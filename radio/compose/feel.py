"""The human part that preparation rounded away: swing, and being late or early by a few milliseconds.

Drums are late or early as the drummers were from whom their timing was measured (`compose.timing`): by the same at the
same place of every bar, since it is repetition that makes a feel, by a little more or less at each hit, and by a slow
drift that all limbs share. Keys and bass follow that drift, as a band follows its drummer, and waver around it on their
own with a short memory (AR(1), φ ≈ 0.37, as measured in human tapping and drumming: Hennig, "Synchronization in human
musical rhythms and mutually interacting complex systems", PNAS 2014).
"""

from __future__ import annotations

from math import exp
from random import Random
from typing import Any, Final

from radio.compose.drum_timing import FURTHEST_MS, KINDS, STEADY, Timing, kind_of, place_of
from radio.music.clock import Clock, to_grid
from radio.types import GRID, SAMPLE_RATE, TICKS_PER_BEAT, Frames, Tick

_PAIR: Tick = TICKS_PER_BEAT // 2
"""A pair of sixteenths: swing moves its second."""

_STEP: Tick = TICKS_PER_BEAT // 4
"""From one knot of the shared drift to the next; between them it moves evenly."""

_LATE_MS: Final = {"keys": 5.0, "bass": 4.0}
_OWN_MS: Final = {"keys": 2.5, "bass": 1.5}
"""How far keys and bass waver on their own: standard deviations."""

_PHI: Final = 0.37


class Drift:
    """How late the whole band is, in ms: knots a sixteenth apart with an exponentially fading memory, and no end.

    The same seed drifts the same way, whichever ticks it is asked for; they must come in order.
    """

    def __init__(self, timing: Timing, seed: str) -> None:
        self._random = Random(seed)
        self._keeps = exp(-_STEP / TICKS_PER_BEAT / timing.memory)
        self._moves = timing.drift * (1 - self._keeps**2) ** 0.5
        self._knot = 0
        self._here = self._random.gauss(0.0, timing.drift)
        self._next = self._after(self._here)

    def at(self, tick: Tick) -> float:
        while self._knot < tick // _STEP:
            self._knot += 1
            self._here, self._next = self._next, self._after(self._next)
        share = tick % _STEP / _STEP
        return (1 - share) * self._here + share * self._next

    def _after(self, knot: float) -> float:
        return self._keeps * knot + self._random.gauss(0.0, self._moves)

    def save(self) -> tuple[Any, ...]:
        return self._random.getstate(), self._knot, self._here, self._next

    def restore(self, saved: tuple[Any, ...]) -> None:
        self._random.setstate(saved[0])
        self._knot, self._here, self._next = saved[1:]


class Feel:
    """Places the events of one layer in time. Ticks must come in order.

    Args:
        layer: `keys`, `bass` or `drums`.
        seed: the station's; layers of one seed drift together.
        timing: how the drummer plays.
    """

    def __init__(self, layer: str, seed: int, timing: Timing = STEADY) -> None:
        self._layer = layer
        self._timing = timing
        self._drift = Drift(timing, f"{seed}/band")
        self._random = Random(f"{seed}/{layer}")
        habits = Random(f"{seed}/habits")
        self._late = {
            kind: [late + habits.gauss(0.0, timing.habit) for late in timing.late[kind]] for kind in KINDS
        }  # ms at each of PLACES, by this drummer
        self._tick: Tick = -1
        self._own = 0.0
        self._hits: dict[int, float] = {}
        """By how much the pads struck at this tick are late for no reason, in ms."""

    def place(self, tick: Tick, note: int, clock: Clock, swing: float) -> Frames:
        """The frame, on the grid, at which `note` at `tick` is heard; `swing` in % (50 straight)."""
        begun = tick == self._tick
        if not begun:
            self._tick = tick
            self._hits.clear()
        late = self._drift.at(tick) + (self._hit(note) if self._layer == "drums" else self._wavering(begun))
        late_ms = min(max(late, -FURTHEST_MS), FURTHEST_MS)
        frames_per_tick = 60 * SAMPLE_RATE / (clock.tempo * TICKS_PER_BEAT)
        offset = swung(tick % _PAIR, swing) * frames_per_tick + late_ms * SAMPLE_RATE / 1000
        return to_grid(clock.frame(tick) + round(offset))

    def _wavering(self, begun: bool) -> float:
        """How late keys or bass are by themselves at this tick, in ms."""
        if not begun:
            innovation = self._random.gauss(0.0, _OWN_MS[self._layer] * (1 - _PHI**2) ** 0.5)
            self._own = _PHI * self._own + innovation
        return _LATE_MS[self._layer] + self._own

    def _hit(self, pad: int) -> float:
        """How late the drummer strikes `pad` at this tick beside the band, in ms; a second asking is told the same."""
        if pad not in self._hits:
            self._hits[pad] = self._random.gauss(0.0, self._timing.hit)
        return self._late[kind_of(pad)][place_of(self._tick)] + self._hits[pad]

    def save(self) -> tuple[Any, ...]:
        return self._random.getstate(), self._drift.save(), self._tick, self._own, dict(self._hits)

    def restore(self, saved: tuple[Any, ...]) -> None:
        self._random.setstate(saved[0])
        self._drift.restore(saved[1])
        self._tick, self._own = saved[2:4]
        self._hits = dict(saved[4])


def swung(within: Tick, swing: float) -> float:
    """How many ticks later than written a place `within` a pair of sixteenths (0–59) falls, at `swing` %.

    The pair's middle moves from 50 % to `swing` %, its ends stay, and what lies between moves in proportion.
    """
    half = _PAIR / 2
    shift = (swing / 100 - 0.5) * _PAIR
    return shift * (within / half if within <= half else (_PAIR - within) / half)


LOOKAHEAD: Frames = to_grid(int(FURTHEST_MS * SAMPLE_RATE / 1000)) + GRID
"""How far before a bar line the bar's first events may sound."""
