"""A slow control of loudness: it measures the grooves and brings the mix to a target over many bars."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from radio.audio.filters import Filters
from radio.audio.loudness import WEIGHTING, lufs
from radio.types import MIX_BLOCK, SAMPLE_RATE, Block, Seconds

_BLOCKS: Final = 10
"""Mixing blocks in a gating block: 400 ms."""
_MEMORY: Final[Seconds] = 150.0
"""Music that the measurement covers: about a track, so that sections keep their differences."""
_CAUTION: Final[Seconds] = 8.0
"""Music after which half of the measured error is corrected."""
_GATE_LUFS, _GATE_DB = -70.0, 10.0
_GROOVES_OVER_ALL: Final = -0.25
"""Grooves are louder than whole tracks by this much in dB: leads and lifted solos outweigh intros and endings."""
_RANGE: Final = 12.0
_PACE: Final = 1.0
"""Largest change within a bar, in dB."""


@dataclass(frozen=True, slots=True)
class LevelerState:
    """Everything that the next gain depends on; the measurement goes on within a block or two."""

    powers: tuple[float, ...]
    pending: tuple[float, ...]
    gain_db: float


class Leveler:
    """Gains that lead to a loudness, from the loudness that the music would have without them.

    The gain follows from a measurement of the music before the gain, so it cannot oscillate. It depends on the music
    alone, not on time or on the sizes that a caller requests.

    Args:
        target: loudness of whole tracks in LUFS; 0 leaves the music as it is.

    Source: the gates of ITU-R BS.1770-4, annex 1, over blocks that do not overlap.
    """

    def __init__(self, target: float) -> None:
        self._target = target
        self._weighting = Filters(WEIGHTING)
        self._powers: deque[float] = deque(maxlen=round(_MEMORY * SAMPLE_RATE / MIX_BLOCK / _BLOCKS))
        self._pending: list[float] = []
        self.gain_db = 0.0
        """The gain at the end of the latest bar."""

    def add(self, block: Block, gain: float) -> None:
        """Measure a block of the output, (MIX_BLOCK, 2), to which a linear gain was applied."""
        if not self._target or gain <= 0:
            return
        weighted = self._weighting.process(np.ascontiguousarray(block.T))
        self._pending.append(float(np.vdot(weighted, weighted)) / MIX_BLOCK / gain**2)
        if len(self._pending) == _BLOCKS:
            self._powers.append(sum(self._pending) / _BLOCKS)
            self._pending.clear()

    def next_bar(self) -> tuple[float, float]:
        """Return the gains in dB at the start and at the end of the next bar."""
        start = self.gain_db
        change = min(max(self._required() - start, -_PACE), _PACE)
        self.gain_db = round(start + change, 2)
        return start, self.gain_db

    def save(self) -> LevelerState:
        return LevelerState(tuple(self._powers), tuple(self._pending), self.gain_db)

    def restore(self, saved: LevelerState) -> None:
        self._powers = deque(saved.powers, self._powers.maxlen)
        self._pending, self.gain_db = list(saved.pending), saved.gain_db

    def _required(self) -> float:
        powers = np.array(self._powers)
        powers = powers[lufs(powers) > _GATE_LUFS]
        if not len(powers):
            return self.gain_db
        powers = powers[lufs(powers) > lufs(powers.mean()) - _GATE_DB]
        error = self._target + _GROOVES_OVER_ALL - float(lufs(powers.mean()))
        measured = len(powers) * _BLOCKS * MIX_BLOCK / SAMPLE_RATE
        return min(max(error * measured / (measured + _CAUTION), -_RANGE), _RANGE)
