"""Slow loudness control: each track as a whole reaches a target, while its quiet bars stay quiet."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from radio.audio.filters import Filters
from radio.audio.loudness import WEIGHTING, lufs
from radio.settings.controls import PLAYED_LAYERS
from radio.types import MIX_BLOCK, Block, Frames

_BLOCKS: Final = 5
"""Mixing blocks in a gating block: 400 ms."""
_LONGEST: Final = 1_500
"""Most gating blocks kept of a track: ten minutes, because a held loop may last for hours."""
_GATE_LUFS, _GATE_DB = -70.0, 10.0
_USUAL: Final = -16.0
"""Assumed loudness of a station's full band before anything is measured; `gain_db` is set to achieve it."""
_SILENT: Final = -90.0
_FADED: Final = -9.0
"""Gain of the arrangement in dB below which a bar says little about the loudness of its layers."""
_BETWEEN_TRACKS: Final = 2.0
"""Standard deviation in dB of the loudness of a station's tracks."""
_BETWEEN_KINDS: Final = 0.7
_UNCERTAINTY: Final = 0.5
"""Standard deviation of a kind of bar within a track: `_BETWEEN_KINDS`, plus this per dB of its expected offset."""
_BETWEEN_BARS: Final = 1.0
_FORGETTING: Final = 0.97
"""Weight of a bar relative to the next one, because listeners change levels while a track plays."""
_LEARNING: Final = 0.2
"""Share of a track's deviation that the station's memory adopts; more for the first tracks."""
_COUNTED: Final = 8.0
"""Most bars of one kind that count for the memory."""
_RANGE: Final = 12.0
_CORRECTION: Final = 2.0
"""Largest distance in dB from the gain at which the whole track would be at the target."""
_PACE: Final = 1.0
"""Largest change within a bar, in dB."""
_LAST: Final = 0.2
"""Share of a track's power still to come when the pace begins to fall: the end of a track can correct little."""
_STEP: Final = 3.0
"""Largest change between two tracks, in dB. Only the tail of a track sounds there."""
_HALVINGS: Final = 12

Array = npt.NDArray[np.float64]


class BarShape(NamedTuple):
    """The properties of a bar that are known before it sounds.

    kind: the layers that sound and their filters, as words; bars of the same kind in a track are about equally loud. An
    empty string means silence. expected_db: typical loudness relative to the full band. gain_db: gain of the
    arrangement.
    """

    kind: str
    expected_db: float = 0.0
    gain_db: float = 0.0

    @property
    def layers(self) -> frozenset[str]:
        """The layers that sound."""
        return frozenset(self.kind.split()).intersection(PLAYED_LAYERS)


@dataclass(frozen=True, slots=True)
class Heard:
    """The mean power of a kind of bar at a gain of 0 dB, and the number of bars; later bars weigh more."""

    power: float
    bars: float


@dataclass(frozen=True, slots=True)
class LevelerState:
    """The state that the next gain depends on; after a restore, the weighting filter settles within a block or two.

    bars: start, end and shape of the bars that are not measured yet. powers: power of each gating block of the track.
    pending: power of each mixing block since the last gating block. heard: the measured kinds of bars of this track.
    level: loudness of the full band over the tracks, in LUFS. offsets: loudness of each kind of bar relative to that.
    tracks: number of tracks in the memory.
    """

    gain_db: float
    bars: tuple[tuple[Frames, Frames, BarShape], ...]
    powers: tuple[float, ...]
    pending: tuple[float, ...]
    heard: Mapping[str, Heard]
    level: float
    offsets: Mapping[str, float]
    tracks: int


class Leveler:
    """A gain control that brings each track to a target loudness.

    At each bar line, the loudness of the remaining bars is predicted for each kind of bar, from the measurements of
    this track and from earlier tracks. The gain is chosen so that the played and the remaining bars together reach the
    target. So a wrong guess at the beginning of a track is corrected by its end, while intros, breakdowns and endings
    keep their distance from the rest.

    The gain depends only on the music, not on time or on the sizes that a caller requests. The measured power is
    divided by the gain, so that the control cannot oscillate.

    Args:
        target: loudness of whole tracks in LUFS; 0 turns the control off.

    Source: the gates of ITU-R BS.1770-4, annex 1, over blocks that do not overlap. The prediction is the conditional
    mean of a normal distribution over the loudness of all kinds, given the measured ones.
    """

    def __init__(self, target: float) -> None:
        self._target = target
        self._weighting = Filters(WEIGHTING)
        self.gain_db = 0.0
        """The gain at the end of the latest bar."""
        self._bars: deque[tuple[Frames, Frames, BarShape]] = deque()
        self._powers: deque[float] = deque(maxlen=_LONGEST)
        self._pending: list[float] = []
        self._heard: dict[str, Heard] = {}
        self._level = _USUAL
        self._offsets: dict[str, float] = {}
        self._tracks = 0

    def add(self, block: Block, frame: Frames, gain: float, silenced: frozenset[str] = frozenset()) -> None:
        """Measure a block of the output, (MIX_BLOCK, 2), that begins at `frame` and includes a linear `gain`.

        Bars of which listeners have `silenced` all layers do not count: they say nothing about the music.
        """
        if not self._target:
            return
        weighted = self._weighting.process(np.ascontiguousarray(block.T))
        power = float(np.vdot(weighted, weighted)) / MIX_BLOCK
        self._pending.append(power)
        if len(self._pending) == _BLOCKS:
            self._powers.append(sum(self._pending) / _BLOCKS)
            self._pending.clear()
        while len(self._bars) > 1 and self._bars[0][1] <= frame:
            self._bars.popleft()
        if not self._bars:
            return
        start, end, shape = self._bars[0]
        if shape.layers and shape.layers <= silenced:
            return
        if shape.kind and shape.gain_db > _FADED and start <= frame < end and gain > 0:
            share = MIX_BLOCK / (end - start)
            before = self._heard.get(shape.kind, Heard(0.0, 0.0))
            bars = before.bars * _FORGETTING**share
            total = before.power * bars + power / gain**2 * share
            self._heard[shape.kind] = Heard(total / (bars + share), bars + share)

    def next_bar(self, start: Frames, end: Frames, track: Sequence[BarShape], place: int) -> tuple[float, float]:
        """Return the gains in dB at the start and at the end of the next bar.

        Args:
            start: its first frame.
            end: the first frame after it.
            track: the shapes of all bars of the track, as far as they are known.
            place: index of the bar in the track, from 0.
        """
        if not self._target:
            return 0.0, 0.0
        if place == 0:
            self._remember()
            self._powers.clear()
            self._pending.clear()
        shape = track[place] if place < len(track) else BarShape("")
        self._bars.append((start, end, shape))
        for bar in (shape, *track):
            self._offsets.setdefault(bar.kind, bar.expected_db)
        before = self.gain_db
        required, left = self._required(track, place, (end - start) / (MIX_BLOCK * _BLOCKS))
        if place == 0:
            reach = _STEP if self._tracks else _RANGE
            before = self.gain_db = round(min(max(required, before - reach), before + reach), 2)
        else:
            pace = _PACE * min(1.0, left / _LAST)
            self.gain_db = round(min(max(required, before - pace), before + pace), 2)
        return before, self.gain_db

    def save(self) -> LevelerState:
        return LevelerState(
            self.gain_db,
            tuple(self._bars),
            tuple(self._powers),
            tuple(self._pending),
            dict(self._heard),
            self._level,
            dict(self._offsets),
            self._tracks,
        )

    def restore(self, saved: LevelerState) -> None:
        self.gain_db, self._level, self._tracks = saved.gain_db, saved.level, saved.tracks
        self._bars = deque(saved.bars)
        self._powers, self._pending = deque(saved.powers, _LONGEST), list(saved.pending)
        self._heard, self._offsets = dict(saved.heard), dict(saved.offsets)

    def _required(self, track: Sequence[BarShape], place: int, blocks: float) -> tuple[float, float]:
        """Return the gain at which the track reaches the target, and the share of its power still to come.

        The gain applies to all bars from the one at `place` onward.

        Args:
            blocks: gating blocks in a bar.
        """
        predicted = self._predicted([bar.kind for bar in track])
        levels = np.array([predicted[bar.kind] + bar.gain_db if bar.kind else _SILENT for bar in track])
        powers = _power(levels)
        coming = powers[place:]
        whole = _gated(powers, np.ones(len(powers)))
        if whole <= _SILENT or not len(coming):
            return self.gain_db, 0.0
        low, high = (self._target - whole + side for side in (-_CORRECTION, _CORRECTION))
        weights = np.concatenate((np.ones(len(self._powers)), np.full(len(coming), blocks)))
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            track_powers = np.concatenate((np.array(self._powers), coming * 10 ** (middle / 10)))
            if _gated(track_powers, weights) < self._target:
                low = middle
            else:
                high = middle
        return min(max((low + high) / 2, -_RANGE), _RANGE), float(coming.sum() / powers.sum())

    def _predicted(self, kinds: Sequence[str]) -> dict[str, float]:
        """Return the expected loudness of `kinds` and of the measured kinds of bars, at a gain of 0 dB."""
        names = list(dict.fromkeys((*kinds, *self._heard)))
        offsets = np.array([self._offsets[kind] for kind in names])
        expected = self._level + offsets
        places = [place for place, kind in enumerate(names) if kind in self._heard]
        if places:
            kinds_heard = [self._heard[names[place]] for place in places]
            errors = lufs(np.array([kind.power for kind in kinds_heard])) - expected[places]
            spread = np.diag((_BETWEEN_KINDS + _UNCERTAINTY * np.abs(offsets)) ** 2) + _BETWEEN_TRACKS**2
            noise = np.diag([_BETWEEN_BARS**2 / kind.bars for kind in kinds_heard])
            expected = expected + spread[:, places] @ np.linalg.solve(spread[np.ix_(places, places)] + noise, errors)
        return dict(zip(names, expected.tolist(), strict=True))

    def _remember(self) -> None:
        """Add the finished track to the memory."""
        if not self._heard:
            return
        predicted = self._predicted(())
        news = {kind: level - self._level - self._offsets[kind] for kind, level in predicted.items()}
        counts = {kind: min(bar.bars, _COUNTED) for kind, bar in self._heard.items()}
        common = sum(news[kind] * counts[kind] for kind in news) / sum(counts.values())
        share = max(_LEARNING, 1 / (self._tracks + 2))
        self._level += share * common
        for kind, change in news.items():
            self._offsets[kind] += share * (change - common)
        self._tracks += 1
        self._heard.clear()


def _power(levels: Array) -> Array:
    """Return the powers of loudness levels in LUFS."""
    return np.asarray(10 ** ((levels + 0.691) / 10))


def _gated(powers: Array, weights: Array) -> float:
    """Return the gated loudness of weighted blocks, or `_SILENT` if all of them are silent."""
    levels = lufs(powers)
    above = levels > _GATE_LUFS
    if not above.any():
        return _SILENT
    above &= levels > _mean(powers, weights, above) - _GATE_DB
    return _mean(powers, weights, above)


def _mean(powers: Array, weights: Array, chosen: npt.NDArray[np.bool_]) -> float:
    """Return the combined loudness of the chosen blocks."""
    return float(lufs(np.float64((powers * weights)[chosen].sum() / weights[chosen].sum())))
