"""The human part that preparation rounded away: swing, and being late or early by a few milliseconds.

Lateness is the same every bar, since it is repetition that makes a feel; on top drifts a slow, correlated error
(AR(1), φ ≈ 0.37, as measured in human tapping and drumming: Hennig, "Synchronization in human musical rhythms and
mutually interacting complex systems", PNAS 2014) rather than noise on each hit.
"""

from __future__ import annotations

from random import Random
from typing import Any, Final

from radio.music.clock import Clock, to_grid
from radio.types import GRID, SAMPLE_RATE, TICKS_PER_BEAT, Frames, Tick

_PAIR: Tick = TICKS_PER_BEAT // 2
"""A pair of sixteenths: swing moves its second."""

_LATE_MS: Final = {"keys": 5.0, "bass": 4.0, "drums": 0.0}
_LATE_MS_BY_PAD: Final = {
    **dict.fromkeys((37, 38, 39, 40), 10.0),  # snare, side stick, clap: behind the beat
    **dict.fromkeys((42, 44, 46, 51, 53, 59), -3.0),  # hats and rides: a little ahead
}
_DRIFT_MS: Final = {"keys": 2.5, "bass": 1.5, "drums": 1.5}
_PHI: Final = 0.37
EARLIEST_MS: Final = 20.0
"""No event sounds earlier than this before its tick."""


class Feel:
    """Places the events of one layer in time. Ticks must come in order; those of one tick share its drift."""

    def __init__(self, layer: str, seed: int) -> None:
        self._layer = layer
        self._random = Random(seed)
        self._tick: Tick = -1
        self._drift = 0.0

    def place(self, tick: Tick, note: int, clock: Clock, swing: float) -> Frames:
        """The frame, on the grid, at which `note` at `tick` is heard; `swing` in % (50 straight)."""
        if tick != self._tick:
            self._tick = tick
            innovation = self._random.gauss(0.0, _DRIFT_MS[self._layer] * (1 - _PHI**2) ** 0.5)
            self._drift = _PHI * self._drift + innovation
        late = _LATE_MS_BY_PAD.get(note, 0.0) if self._layer == "drums" else _LATE_MS[self._layer]
        late_ms = max(-EARLIEST_MS, late + self._drift)
        frames_per_tick = 60 * SAMPLE_RATE / (clock.tempo * TICKS_PER_BEAT)
        offset = swung(tick % _PAIR, swing) * frames_per_tick + late_ms * SAMPLE_RATE / 1000
        return to_grid(clock.frame(tick) + round(offset))

    def save(self) -> tuple[tuple[Any, ...], Tick, float]:
        return self._random.getstate(), self._tick, self._drift

    def restore(self, saved: tuple[tuple[Any, ...], Tick, float]) -> None:
        self._random.setstate(saved[0])
        self._tick, self._drift = saved[1:]


def swung(within: Tick, swing: float) -> float:
    """How many ticks later than written a place `within` a pair of sixteenths (0–59) falls, at `swing` %.

    The pair's middle moves from 50 % to `swing` %, its ends stay, and what lies between moves in proportion.
    """
    half = _PAIR / 2
    shift = (swing / 100 - 0.5) * _PAIR
    return shift * (within / half if within <= half else (_PAIR - within) / half)


LOOKAHEAD: Frames = to_grid(int(EARLIEST_MS * SAMPLE_RATE / 1000)) + GRID
"""How far before a bar line the bar's first events may sound."""
