"""A slow control of loudness: each track as a whole comes to a target, and its quiet bars stay quiet."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from radio.audio.filters import Filters
from radio.audio.loudness import WEIGHTING, lufs
from radio.types import MIX_BLOCK, Block, Frames

_BLOCKS: Final = 5
"""Mixing blocks in a gating block: 400 ms."""
_LONGEST: Final = 1_500
"""Gating blocks that are remembered of a track: ten minutes, as a held loop may last for hours."""
_GATE_LUFS, _GATE_DB = -70.0, 10.0
_USUAL: Final = -16.0
"""Loudness of a station's whole band before anything is measured: its `gain_db` puts it there."""
_SILENT: Final = -90.0
_FADED: Final = -9.0
"""Gain of the arrangement in dB below which a bar says little about the loudness of its layers."""
_BETWEEN_TRACKS: Final = 2.0
"""Standard deviation in dB of the loudness of a station's tracks."""
_BETWEEN_KINDS: Final = 0.7
_UNCERTAINTY: Final = 0.5
"""That of a kind of bar within a track: the least, and what each dB adds by which it is expected to differ."""
_BETWEEN_BARS: Final = 1.0
_FORGETTING: Final = 0.97
"""Weight of a bar against the bar after it, as listeners move levels while a track plays."""
_LEARNING: Final = 0.2
"""Share of what is new about a track that the memory of the station takes up; more of the first tracks."""
_COUNTED: Final = 8.0
"""Bars of one kind that count for the memory."""
_RANGE: Final = 12.0
_CORRECTION: Final = 2.0
"""Largest distance in dB from the gain at which the whole track would have the target."""
_PACE: Final = 1.0
"""Largest change within a bar, in dB."""
_LAST: Final = 0.2
"""Share of a track's power that is left when the pace begins to fall: the end of a track cannot make good much."""
_STEP: Final = 3.0
"""Largest change between two tracks, in dB. Nothing but the end of a track sounds there."""
_HALVINGS: Final = 12

Array = npt.NDArray[np.float64]


class BarShape(NamedTuple):
    """The properties of a bar that are known before it sounds.

    kind: bars of one kind in a track are about equally loud; the empty text is silence. expected_db: its loudness
    beside that of the whole band, as stations have it usually. gain_db: what the arrangement adds.
    """

    kind: str
    expected_db: float = 0.0
    gain_db: float = 0.0


@dataclass(frozen=True, slots=True)
class Heard:
    """The mean power of a kind of bar at a gain of 0 dB, and the number of bars, of which later ones count more."""

    power: float
    bars: float


@dataclass(frozen=True, slots=True)
class LevelerState:
    """Everything that the next gain depends on; the measurement goes on within a block or two.

    bars: start, end and shape of the bars that are not measured yet. powers, pending: of the gating blocks of the
    track, and of the mixing blocks since. heard: kinds of bars in this track. level: loudness of the whole band in
    LUFS over the tracks. offsets: kinds of bars beside it. tracks: those that the memory has taken up.
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
    """Gains under which each track has a loudness.

    At each bar line the bars to come are predicted: from what this track measured so far, by kinds of bars, and from
    what is remembered of earlier tracks. The gain is the one under which these bars, with those that have sounded, come
    to the target. So a wrong guess at the beginning of a track is made good by its end, while intros, breakdowns and
    endings keep their distance from the rest.

    The gain depends on the music alone, not on time or on the sizes that a caller requests, and what is measured is
    divided by the gain, so that it cannot oscillate.

    Args:
        target: loudness of whole tracks in LUFS; 0 leaves the music as it is.

    Source: the gates of ITU-R BS.1770-4, annex 1, over blocks that do not overlap. The prediction is the mean of a
    normal distribution of the kinds' loudness, given those that were heard.
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

    def add(self, block: Block, frame: Frames, gain: float) -> None:
        """Measure a block of the output, (MIX_BLOCK, 2), that begins at `frame`, after a linear gain."""
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
            place: that of the bar among them; a track begins at 0.
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
        """Return the gain under which the track comes to the target, and the share of its power that is left.

        The gain is the same in all bars from the one at `place` on.

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
        """Return the loudness that is expected of kinds of bars, and of those that were heard, at a gain of 0 dB."""
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
        """Take the track that has ended into the memory."""
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
    """Return the power of a loudness in LUFS."""
    return np.asarray(10 ** ((levels + 0.691) / 10))


def _gated(powers: Array, weights: Array) -> float:
    """Return the gated loudness of blocks that count as often as `weights` says; that of silence if all are silent."""
    levels = lufs(powers)
    above = levels > _GATE_LUFS
    if not above.any():
        return _SILENT
    above &= levels > _mean(powers, weights, above) - _GATE_DB
    return _mean(powers, weights, above)


def _mean(powers: Array, weights: Array, chosen: npt.NDArray[np.bool_]) -> float:
    """Return the loudness of the chosen blocks together."""
    return float(lufs(np.float64((powers * weights)[chosen].sum() / weights[chosen].sum())))
