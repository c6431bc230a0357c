"""Which tokens may be drawn next: the host's rules, as a mask over a model's rows.

Within a tick, releases come before strikes and both go up in pitch, as in training; so every tick ends after finitely
many tokens whatever the model would like. What the mask lets pass decodes to valid MIDI with no note left hanging.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from radio.music.parts import Part
from radio.music.vocab import BASE_SIZE, NOTE_BASE, VELOCITY_BINS, parse_note_token, wait_ticks
from radio.types import TICKS_PER_BEAT, Tick, TokenId

MAX_SOUNDING = 10
"""Notes of a pitched part that may sound at once: ten fingers."""

Mask = npt.NDArray[np.bool_]


class Grammar:
    """Follows the tokens of one part and says what may come next.

    tick: where the part stands. sounding: notes that sound and the tick each was struck at (pitched parts only).
    """

    def __init__(self, part: Part, tokens: Sequence[TokenId]) -> None:
        self.part = part
        self.tick: Tick = 0
        self.sounding: dict[int, Tick] = {}
        self._waits = np.array([wait_ticks(token) for token in tokens])
        self._pitch = np.array(
            [-1 if parse_note_token(token) is None else (token - NOTE_BASE) // VELOCITY_BINS for token in tokens]
        )
        is_note = np.array([NOTE_BASE <= token < BASE_SIZE for token in tokens])
        velocity_bin = np.array([(token - NOTE_BASE) % VELOCITY_BINS for token in tokens])
        in_range = (self._pitch >= part.low) & (self._pitch <= part.high)
        self._strikes = is_note & (velocity_bin > 0) & in_range
        self._releases = is_note & (velocity_bin == 0) & in_range & part.note_offs
        self._last_strike = -1
        self._last_release = -1
        landings = np.zeros(TICKS_PER_BEAT, dtype=bool)
        landings[[*part.onsets, *part.releases]] = True
        self._may_land = landings
        self._landing: dict[tuple[Tick, Tick], Mask] = {}
        """Waits by where in the beat they begin and how far they may go: a part's few places, within a beat."""
        self._spared: dict[frozenset[int], Mask] = {}
        """Strikes of all but some notes, by those: the conductor has two such sets."""

    def allowed(self, until: Tick, *, must_strike: bool = False, without: frozenset[int] = frozenset()) -> Mask:
        """Rows that may come next.

        Args:
            until: the next tick at which the host speaks; no wait goes beyond it.
            must_strike: let no time pass before a note is struck.
            without: notes not to be struck.
        """
        strikes = self._sparing(without) & (self._pitch > self._last_strike)
        if self.tick % TICKS_PER_BEAT not in self.part.onsets:
            strikes[:] = False
        if self.part.note_offs:
            sounding = np.zeros(128, dtype=bool)
            sounding[list(self.sounding)] = True
            here = sounding[self._pitch]
            strikes &= ~here
            if len(self.sounding) >= MAX_SOUNDING:
                strikes[:] = False
            releases = self._releases & here & (self._pitch > self._last_release)
            if self._last_strike >= 0:
                releases[:] = False
        else:
            releases = self._releases
        allowed: Mask = strikes | releases
        if not (must_strike and allowed.any()):
            allowed |= self._landings(self.tick % TICKS_PER_BEAT, until - self.tick)
        return allowed

    def __deepcopy__(self, memo: dict[int, object]) -> Grammar:
        """A save: the tables are shared, for they only follow from the part."""
        twin = copy.copy(self)
        twin.sounding = dict(self.sounding)
        return twin

    def _landings(self, place: Tick, reach: Tick) -> Mask:
        """Waits of at most `reach` ticks that end where notes may stand, from `place` in the beat."""
        if (place, reach) not in self._landing:
            waits = (self._waits > 0) & (self._waits <= reach)
            waits &= self._may_land[(place + self._waits) % TICKS_PER_BEAT]
            self._landing[place, reach] = waits
        return self._landing[place, reach]

    def _sparing(self, without: frozenset[int]) -> Mask:
        """Strikes of notes that are not in `without`."""
        if without not in self._spared:
            self._spared[without] = self._strikes & ~np.isin(self._pitch, list(without))
        return self._spared[without]

    def take(self, token: TokenId) -> bool:
        """Follow `token`, drawn or forced; True where it strikes a note."""
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
