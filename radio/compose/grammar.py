"""The grammar: the tokens that may be sampled next, as a mask over a model's rows.

Within a tick, releases come before strikes and both are in order of pitch, as in training, so that each tick has
finitely many tokens. Any sequence that the mask allows decodes to valid MIDI without hanging notes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from radio.music.parts import Part
from radio.music.vocab import BASE_SIZE, NOTE_BASE, VELOCITY_BINS, parse_note_token, wait_ticks
from radio.types import TICKS_PER_BEAT, Tick, TokenId

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on sampled notes, narrower than the part's own range."""

    without: frozenset[int] = frozenset()
    """Notes that must not be struck."""
    low: int = 0
    high: int = 127
    voices: int = 10
    """Most notes of a pitched part that may sound together; the default is ten fingers."""


@dataclass(frozen=True, slots=True)
class GrammarState:
    """The state of a grammar between two tokens."""

    tick: Tick
    sounding: Mapping[int, Tick]
    last_strike: int
    last_release: int


class Grammar:
    """A grammar that follows the tokens of one part and returns those that may come next.

    Args:
        part: Range and grid of the part.
        tokens: Vocabulary ids of the model's rows, in order.
    """

    def __init__(self, part: Part, tokens: Sequence[TokenId]) -> None:
        self.part = part
        self.tick: Tick = 0
        """The current tick of the part."""
        self.sounding: dict[int, Tick] = {}
        """The sounding notes, each with the tick at which it was struck; pitched parts only."""
        self._waits = np.array([wait_ticks(token) for token in tokens])
        self._pitch = np.array(
            [-1 if parse_note_token(token) is None else (token - NOTE_BASE) // VELOCITY_BINS for token in tokens]
        )
        is_note = np.array([NOTE_BASE <= token < BASE_SIZE for token in tokens])
        velocity_bin = np.array([(token - NOTE_BASE) % VELOCITY_BINS for token in tokens])
        in_range = (self._pitch >= part.low) & (self._pitch <= part.high)
        self._strikes = is_note & (velocity_bin > 0) & in_range
        releases = is_note & (velocity_bin == 0) & in_range & part.note_offs
        self._strikes_of = [(self._strikes & (self._pitch == note)).nonzero()[0] for note in range(128)]
        self._releases_of = [(releases & (self._pitch == note)).nonzero()[0] for note in range(128)]
        """The rows of each note."""
        self._none = np.zeros(len(tokens), dtype=bool)
        self._last_strike = -1
        self._last_release = -1
        landings = np.zeros(TICKS_PER_BEAT, dtype=bool)
        landings[[*part.onsets, *part.releases]] = True
        self._may_land = landings
        self._landing: dict[tuple[Tick, Tick], Mask] = {}
        """Masks of waits, by start within the beat and longest allowed wait in ticks."""
        self._within_limits: dict[tuple[Limits, int], Mask] = {}
        """Masks of strikes, by limits and the note that they must be above."""

    def allowed(self, until: Tick, limits: Limits | None = None, *, must_strike: bool = False) -> Mask:
        """Return a mask (rows,) of the tokens that may come next.

        Args:
            until: The next tick at which the host feeds tokens; no wait goes beyond it.
            limits: Bounds on the notes.
            must_strike: Allow no wait before a note is struck.
        """
        limits = limits or Limits()
        if self.tick % TICKS_PER_BEAT not in self.part.onsets or len(self.sounding) >= limits.voices:
            allowed: Mask = self._none.copy()
        else:
            allowed = self._strikes_within(limits, self._last_strike).copy()
            for note in self.sounding:
                allowed[self._strikes_of[note]] = False
        if self._last_strike < 0:
            for note in self.sounding:
                if note > self._last_release:
                    allowed[self._releases_of[note]] = True
        if not (must_strike and allowed.any()):
            allowed |= self._landings(self.tick % TICKS_PER_BEAT, until - self.tick)
        return allowed

    def save(self) -> GrammarState:
        """Return everything that the next token depends on; the tables depend only on the part."""
        return GrammarState(self.tick, dict(self.sounding), self._last_strike, self._last_release)

    def restore(self, saved: GrammarState) -> None:
        """Continue from a saved state."""
        self.tick, self.sounding = saved.tick, dict(saved.sounding)
        self._last_strike, self._last_release = saved.last_strike, saved.last_release

    def _landings(self, place: Tick, reach: Tick) -> Mask:
        """Return a mask of the waits from `place` in the beat, at most `reach` ticks, that end on the part's grid."""
        if (place, reach) not in self._landing:
            waits = (self._waits > 0) & (self._waits <= reach)
            waits &= self._may_land[(place + self._waits) % TICKS_PER_BEAT]
            self._landing[place, reach] = waits
        return self._landing[place, reach]

    def _strikes_within(self, limits: Limits, above: int) -> Mask:
        """Return a mask of the strikes of notes above `above` that `limits` allow."""
        if (limits, above) not in self._within_limits:
            allowed = (self._pitch >= limits.low) & (self._pitch <= limits.high) & (self._pitch > above)
            allowed &= ~np.isin(self._pitch, list(limits.without))
            self._within_limits[limits, above] = self._strikes & allowed
        return self._within_limits[limits, above]

    def take(self, token: TokenId) -> bool:
        """Advance by `token`, sampled or forced. Return True if it strikes a note."""
        if ticks := wait_ticks(token):
            self.tick += ticks
            self._last_strike = self._last_release = -1
            return False
        pair = parse_note_token(token)
        if pair is None:
            return False
        note, velocity_bin = pair
        if velocity_bin:
            self._last_strike = note
            if self.part.note_offs:
                self.sounding[note] = self.tick
            return True
        self._last_release = note
        self.sounding.pop(note, None)
        return False
