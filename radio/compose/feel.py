"""Human timing: swing, and notes that are late or early by a few milliseconds.

The timing was measured (`radio.compose.drum_timing`). A drummer's lateness is the sum of a constant for each place in
the bar, a random deviation of each hit, and a slow drift that all limbs share. Keys and bass follow that drift, as a
band follows its drummer. They lag behind the drums by a time that is drawn for each track from the lags of jazz trios,
and vary around it with a short memory of their own (AR(1), φ ≈ 0.37, as measured in human tapping and drumming: Hennig,
"Synchronization in human musical rhythms and mutually interacting complex systems", PNAS 2014).

Keys and lead scale their lateness by a looseness that is drawn for each track. One lo-fi loop in four is exactly on the
grid, and others are farther from it than any trio.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import exp
from random import Random
from typing import Final

from radio.compose.drum_timing import FURTHEST_MS, KINDS, STEADY, Timing, kind_of, place_of
from radio.music.clock import Clock, to_grid
from radio.types import GRID, SAMPLE_RATE, TICKS_PER_BEAT, Frames, Tick

_PAIR: Tick = TICKS_PER_BEAT // 2
"""A pair of sixteenths; swing moves the second one."""

_STEP: Tick = TICKS_PER_BEAT // 4
"""Distance between the knots of the shared drift, which is linear between them."""

_PHI: Final = 0.37

_LOOSE_LAYERS: Final = frozenset({"keys", "lead"})
_TIGHT_SHARE: Final = 0.25
_TIGHT, _LOOSE = (0.0, 0.15), (0.6, 2.0)
"""Ranges of the looseness of tracks on the grid and of others. The mean over tracks is 1, a jazz trio."""

_WORDS: Final = struct.Struct("<625I")


@dataclass(frozen=True, slots=True)
class RandomState:
    """The state of a generator of the standard library: 625 words of 32 bits, and a cached normal variate."""

    words: bytes
    gauss: float | None

    @classmethod
    def of(cls, random: Random) -> RandomState:
        """Return the state of `random`."""
        _, words, gauss = random.getstate()
        return cls(_WORDS.pack(*words), gauss)

    def restore(self, random: Random) -> None:
        """Restore `random` to this state."""
        random.setstate((3, _WORDS.unpack(self.words), self.gauss))


@dataclass(frozen=True, slots=True)
class DriftState:
    """The state of a drift between two events."""

    random: RandomState
    knot: int
    here: float
    next: float


@dataclass(frozen=True, slots=True)
class FeelState:
    """The state of the timing of one layer between two events."""

    random: RandomState
    drift: DriftState
    tick: Tick
    own: float
    hits: Mapping[int, float]
    latest: Frames
    track: int


class Drift:
    """The lateness of the whole band, in ms: random knots a sixteenth apart, whose correlation decays exponentially.

    The drift depends only on the seed, not on the requested ticks, which must be in order.
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

    def save(self) -> DriftState:
        return DriftState(RandomState.of(self._random), self._knot, self._here, self._next)

    def restore(self, saved: DriftState) -> None:
        saved.random.restore(self._random)
        self._knot, self._here, self._next = saved.knot, saved.here, saved.next


class Feel:
    """The timing of the events of one layer. Ticks must be in order.

    Args:
        layer: `keys`, `bass`, `drums` or `lead`.
        seed: the station's; layers with the same seed drift together.
        timing: the drummer's timing.
    """

    def __init__(self, layer: str, seed: int, timing: Timing = STEADY) -> None:
        self._layer = layer
        self._timing = timing
        self._drift = Drift(timing, f"{seed}/band")
        self._random = Random(f"{seed}/{layer}")
        self._seed = seed
        self._follower = timing.followers.get(layer, timing.followers["keys"])
        self._wavers = self._follower.own * (1 - _PHI**2) ** 0.5
        self.begin_track(0)
        self._latest: Frames = 0
        self._tick: Tick = -1
        self._own = 0.0
        self._hits: dict[int, float] = {}
        """Random lateness of the pads struck at this tick, in ms."""

    def begin_track(self, number: int) -> None:
        """Draw the habits of the drummer and the lateness of the player for the station's track `number`."""
        self._track = number
        habits = Random(f"{self._seed}/{number}/habits")
        self._late = {
            kind: [late + habits.gauss(0.0, self._timing.habit) for late in self._timing.late[kind]] for kind in KINDS
        }  # ms at each of PLACES, by this drummer
        behind = self._follower.draw(Random(f"{self._seed}/{number}/{self._layer}/behind"))
        self._behind = self._timing.on_beats + behind  # ms, for this band
        self._looseness = 1.0
        if self._layer in _LOOSE_LAYERS:
            self._looseness = draw_looseness(Random(f"{self._seed}/{number}/looseness"))

    def begin_bar(self, tick: Tick) -> None:
        """Advance to a bar line. The timing is the same without this call.

        A layer that has rested for days would otherwise catch up on the drift in its first bar, for seconds.
        """
        self._drift.at(tick)

    def place(self, tick: Tick, note: int, clock: Clock, swing: float) -> Frames:
        """Return the frame, on the grid, at which `note` at `tick` sounds; `swing` is in percent (50 is straight)."""
        begun = tick == self._tick
        if not begun:
            self._tick = tick
            self._hits.clear()
        late = self._drift.at(tick) + (self._hit(note) if self._layer == "drums" else self._wavering(begun))
        late_ms = min(max(self._looseness * late, -FURTHEST_MS), FURTHEST_MS)
        frames_per_tick = 60 * SAMPLE_RATE / (clock.tempo * TICKS_PER_BEAT)
        offset = swung(tick % _PAIR, swing) * frames_per_tick + late_ms * SAMPLE_RATE / 1000
        frame = to_grid(clock.frame(tick) + round(offset))
        if self._layer == "drums":
            return frame
        self._latest = max(self._latest, frame)  # a release never follows the next strike of its note
        return self._latest

    def _wavering(self, begun: bool) -> float:
        """Return the lateness in ms of keys or bass at this tick, without the drift."""
        if not begun:
            self._own = _PHI * self._own + self._random.gauss(0.0, self._wavers)
        return self._behind + self._own

    def _hit(self, pad: int) -> float:
        """Return the lateness in ms of `pad` at this tick, without the drift; a second call returns the same."""
        if pad not in self._hits:
            self._hits[pad] = self._random.gauss(0.0, self._timing.hit)
        return self._late[kind_of(pad)][place_of(self._tick)] + self._hits[pad]

    def save(self) -> FeelState:
        return FeelState(
            RandomState.of(self._random),
            self._drift.save(),
            self._tick,
            self._own,
            dict(self._hits),
            self._latest,
            self._track,
        )

    def restore(self, saved: FeelState) -> None:
        saved.random.restore(self._random)
        self._drift.restore(saved.drift)
        self._tick, self._own, self._hits, self._latest = saved.tick, saved.own, dict(saved.hits), saved.latest
        self.begin_track(saved.track)


def draw_looseness(random: Random) -> float:
    """Draw the ratio of a track's lateness to a jazz trio's.

    The distances from the grid then have the quartiles of 131 windows of lo-fi loops: 0, 0.08 and 0.15 of a sixteenth.
    """
    return random.uniform(*(_TIGHT if random.random() < _TIGHT_SHARE else _LOOSE))


def swung(within: Tick, swing: float) -> float:
    """Return the delay in ticks, at `swing` percent, of a place `within` a pair of sixteenths (0–59).

    The middle of the pair moves from 50 to `swing` percent, its ends stay, and places in between move proportionally.
    """
    half = _PAIR / 2
    shift = (swing / 100 - 0.5) * _PAIR
    return shift * (within / half if within <= half else (_PAIR - within) / half)


LOOKAHEAD: Frames = to_grid(int(FURTHEST_MS * SAMPLE_RATE / 1000)) + GRID
"""Longest time before a bar line at which the bar's first events may sound."""
