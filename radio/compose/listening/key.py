"""The key of a piece, estimated from its pitch classes and from the usage of its chords in the radio's own loops.

`usage.npy` has the log frequencies of the chords of a key, and of changes between them, in loops of the chord model,
which was trained on pop songs, written progressions and jazz standards. `python -m train keys` writes it.

Source of the profiles: Albrecht and Shanahan, "The Use of Large Corpora to Train a New Type of Key-Finding Algorithm",
Music Perception 31 (2013).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from radio.music.chords import Chord, key_name, pitch_name
from radio.types import MODES, Mode

TABLE: Final = files("radio.compose.listening") / "usage.npy"
UNIT: Final = 0.1
"""Nats per unit of the table."""

KINDS: Final[Mapping[str, int]] = {
    "maj": 0, "maj7": 0, "maj9": 0, "6": 0, "min": 1, "min7": 1, "min9": 1, "dom7": 2, "sus": 3,
    "dim": 4, "hdim7": 4, "aug": 5,
}  # fmt: skip
"""Kinds of chords that the table distinguishes, by quality."""

FUNCTIONS: Final = 12 * (1 + max(KINDS.values()))
"""Number of chords in a key: each kind on each degree."""

_MAJOR: Final = (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081)
_MINOR: Final = (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052)
_PROFILES: Final = np.log(np.array([_MAJOR, np.roll(_MINOR, 9)]) + 0.003)
"""Log shares of the pitch classes above the tonic of a major key, in that key and in its relative minor."""

_SCALE: Final = np.isin(np.arange(12), (0, 2, 4, 5, 7, 9, 11)).astype(float)

_CHORDS_WEIGHT, _CHANGES_WEIGHT, _SCALE_WEIGHT, _PROFILE_WEIGHT = 0.95, 0.94, 6.3, 5.1
"""Weights of the chords, their changes, the scale and the profile, fitted by a softmax to renders, POP909 and tunes."""

_MODE_CHORDS, _MODE_PROFILE, _MODE_BIAS = 2.5, 3.8, 0.1

Numbers: TypeAlias = npt.NDArray[np.float64]


class Key(NamedTuple):
    """A key: the tonic, 0–11, of the major key with the same accidentals, and the mode."""

    tonic: int
    mode: Mode

    @property
    def major(self) -> str:
        """The name of the tonic; for a minor key, the tonic of the relative major."""
        return pitch_name(self.tonic)

    @property
    def name(self) -> str:
        """The key as musicians write it: `Eb` or `Cm`."""
        return key_name(self.major, self.mode)


class _Usage(NamedTuple):
    """Log probabilities of each function in either mode, and of changes between functions relative to chance."""

    modes: Numbers
    changes: Numbers

    @property
    def chords(self) -> Numbers:
        """Log probability of each function, averaged over the modes."""
        chords: Numbers = np.logaddexp(*self.modes) - np.log(len(MODES))
        return chords


def find_key(times: Numbers, chords: Sequence[Chord]) -> Key:
    """Return the key of a piece.

    Args:
        times: Sounding times of the twelve pitch classes.
        chords: One per half bar.
    """
    usage = _usage()
    sounding = [chord for chord in chords if chord.tones]
    shares = times / max(times.sum(), 1e-9)
    in_keys = [[function(chord, tonic) for chord in sounding] for tonic in range(12)]
    profiles = np.array([_PROFILES @ np.roll(shares, -tonic) for tonic in range(12)])
    scores = _SCALE_WEIGHT * np.array([_SCALE @ np.roll(shares, -tonic) for tonic in range(12)])
    scores += _PROFILE_WEIGHT * profiles.max(axis=1)
    if sounding:
        scores += [
            _CHORDS_WEIGHT * usage.chords[places].mean() + _CHANGES_WEIGHT * _mean_change(usage.changes, places)
            for places in in_keys
        ]
    tonic = int(scores.argmax())
    minor = _MODE_BIAS + _MODE_PROFILE * (profiles[tonic, 1] - profiles[tonic, 0])
    if sounding:
        major_logs, minor_logs = usage.modes[:, in_keys[tonic]].mean(axis=1)
        minor += _MODE_CHORDS * (minor_logs - major_logs)
    return Key(tonic, "minor" if minor > 0 else "major")


def usual_in(tonic: int, chords: Sequence[Chord]) -> Numbers:
    """Return the log frequencies, 0 on average, of chords in the major key of a tonic and its relative minor."""
    logs = _usage().chords
    usual: Numbers = logs[[function(chord, tonic) for chord in chords]] - logs.mean()
    return usual


def function(chord: Chord, tonic: int) -> int:
    """Return the function of a chord: its index among the chords of the major key of a tonic."""
    return 12 * KINDS[chord.quality] + (chord.root - tonic) % 12


def changes_of(places: Sequence[int]) -> list[tuple[int, int]]:
    """Return the changes from one function to another, including the one from the last to the first."""
    distinct = [place for number, place in enumerate(places) if number == 0 or place != places[number - 1]]
    return list(zip(distinct, [*distinct[1:], distinct[0]], strict=True))


def _mean_change(logs: Numbers, places: Sequence[int]) -> float:
    return float(np.mean([logs[change] for change in changes_of(places)]))


@cache
def _usage() -> _Usage:
    with TABLE.open("rb") as file:
        table = np.load(file, allow_pickle=False) * UNIT
    return _Usage(table[: len(MODES)], table[len(MODES) :])
