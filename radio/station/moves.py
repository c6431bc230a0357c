"""The moves of the mix on the sample clock, converted from one move per bar to values for each block."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from radio.types import BEATS_PER_BAR, Frames, JsonValue, MixMove, MixState


@dataclass(frozen=True, slots=True)
class MovesState:
    """The moves of the upcoming bars, with the frames of each bar, and the values before them."""

    bars: tuple[tuple[Frames, Frames, MixMove], ...]
    last: MixState


class Moves:
    """The moves of the upcoming bars, in order."""

    def __init__(self) -> None:
        self._bars: deque[tuple[Frames, Frames, MixMove]] = deque()
        self._last = MixState()

    def add(self, start: Frames, end: Frames, move: MixMove) -> None:
        """Append the move of the bar from frame `start` to `end`."""
        self._bars.append((start, end, move))

    def at(self, frame: Frames) -> MixState:
        """Return the values at `frame`. Frames must never decrease, because past moves are forgotten."""
        while self._bars and self._bars[0][1] <= frame:
            start, end, move = self._bars.popleft()
            self._last = _state(move, 1.0)
        if not self._bars or self._bars[0][0] > frame:
            return self._last
        start, end, move = self._bars[0]
        return _state(move, (frame - start) / (end - start))

    def save(self) -> MovesState:
        return MovesState(tuple(self._bars), self._last)

    def restore(self, saved: MovesState) -> None:
        self._bars, self._last = deque(saved.bars), saved.last


def move_as_json(move: MixMove) -> JsonValue:
    """Return the move of a bar as JSON, for listeners and for replays."""
    return {
        "lowpass": [*move.lowpass], "gain_db": [*move.gain_db], "drums_band": move.drums_band, "stop": move.stop,
        "level_db": [*move.level_db], "keys_db": move.keys_db,
    }  # fmt: skip


def _state(move: MixMove, share: float) -> MixState:
    """Return the values after `share` of the bar, interpolated in perceptually even steps."""
    (low, high), (quiet, loud), (before, after) = move.lowpass, move.gain_db, move.level_db
    gain_db = quiet + (loud - quiet) * share + before + (after - before) * max(0.0, 2 * share - 1)
    slowed = max(0.0, BEATS_PER_BAR * share - (BEATS_PER_BAR - 1)) if move.stop else 0.0
    return MixState(
        low * (high / low) ** share, 10 ** (gain_db / 20), move.drums_band, 1.0 - slowed, 10 ** (move.keys_db / 20)
    )
