"""Animals: insects at night, and birds in the morning."""

from __future__ import annotations

import math
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from radio.audio.ambience.curves import Draws, Wander, linear, slots, spread, times
from radio.audio.noise import CHUNK, GRAIN, Grain, Noise, band, color, lower, shape
from radio.types import SAMPLE_RATE, Frames, Seconds

Tones = npt.NDArray[np.float64]
"""One tone per row: first frame, length in frames, Hz at the start, Hz at the end, peak, pan."""


class NightInsects(Noise):
    """A summer night: crickets near and far, each with its own pitch and rhythm, and a field that trills."""

    _FIELD: Final = shape(band(4_600, 5_600, 0.0), -50.0)
    _AIR: Final = lower(shape(band(120, 350, 3.0), -50.0), 3_000)
    _CRICKETS: Final = 6

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._draws = Draws(seed, "night insects")
        self._field = Wander(self._draws, 5.0, 40)
        cricket = np.arange(self._CRICKETS)
        self._hertz = 3_700 + 1_500 * self._draws.uniform(cricket, 50)
        self._periods = 0.42 + 0.5 * self._draws.uniform(cricket, 51)
        self._pulses = 3 + (3 * self._draws.uniform(cricket, 52)).astype(int)
        self._spacings = 0.034 + 0.016 * self._draws.uniform(cricket, 53)
        self._levels = 10 ** (-np.array([0, 4, 7, 9, 11, 12]) / 20)
        self._pans = 1.6 * (self._draws.uniform(cricket, 54) - 0.5)

    def grain(self, number: int, generator: np.random.Generator) -> Grain:
        """Return the field with the pulses of each cricket."""
        moments = times(number)
        trill = 0.75 + 0.25 * np.sin(2 * math.pi * 31 * moments + 3 * np.sin(2 * math.pi * 0.7 * moments))
        grain = color(generator, self._FIELD, self._AIR) * spread(trill * linear(2 * self._field.at(moments)))
        for cricket in range(self._CRICKETS):
            add_tones(grain, self._chirps(number, cricket))
        return grain

    def _chirps(self, number: int, cricket: int) -> Tones:
        """Return the pulses of one cricket that begin in a chunk. One in five groups of nine chirps is silent."""
        begin, period, spacing = number * CHUNK / SAMPLE_RATE, self._periods[cricket], self._spacings[cricket]
        chirps = np.array(slots(begin - 2 * period, begin + CHUNK / SAMPLE_RATE, period))
        late, sung = self._draws.uniform(chirps, 3 * cricket), self._draws.uniform(chirps // 9, 3 * cricket + 1)
        pulse = np.arange(self._pulses[cricket])
        moment = (chirps + 0.15 * late)[:, None] * period + pulse * spacing
        start = np.floor((moment - begin) * SAMPLE_RATE)
        chosen = (start >= 0) & (start < CHUNK) & (sung >= 0.2)[:, None]
        tones = np.empty((*start.shape, 6))
        tones[..., 0], tones[..., 1] = start, 0.68 * spacing * SAMPLE_RATE
        tones[..., 2] = self._hertz[cricket] * (1 + 0.004 * late)[:, None]
        tones[..., 3] = 0.985 * tones[..., 2]
        tones[..., 4] = 0.016 * self._levels[cricket] * np.minimum(1.0, 0.55 + 0.25 * pulse)
        tones[..., 5] = self._pans[cricket]
        return np.asarray(tones[chosen])


class Birds(Noise):
    """Birds in a garden: short phrases of gliding notes, answered from other trees, over a faint breeze."""

    tail: ClassVar[Frames] = 7_200

    _AIR: Final = shape(band(200, 1_400, 3.0), -53.0)
    _BIRDS: Final = 5
    _REPERTORY: Final = 4
    """Motifs per bird."""
    _PERIODS: Final = (2.6, 3.3, 2.1, 4.1, 2.9)
    """Seconds between the phrases of each bird."""
    _LONGEST: Final[Seconds] = 2.2
    """Longest time between the start of a motif and the start of its last echo."""
    _ECHOES: Final = ((0.0, 1.0, 1.0), (0.083, 0.22, -0.6), (0.151, 0.14, 0.5))
    """Delay in seconds, level and pan factor of each note itself and of its two echoes."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._draws = Draws(seed, "birds")
        self._air = Wander(self._draws, 3.0, 90)
        bird = np.arange(self._BIRDS)
        self._hertz = np.array([2_300, 3_100, 3_900, 2_700, 4_600]) * 2 ** (0.4 * (self._draws.uniform(bird, 91) - 0.5))
        self._pans = np.array([-0.7, 0.5, 0.1, 0.85, -0.25])
        self._levels = 10 ** (-np.array([0, 2, 4, 3, 6]) / 20)
        self._motifs = [self._motif(motif) for motif in range(self._BIRDS * self._REPERTORY)]

    def grain(self, number: int, generator: np.random.Generator) -> Grain:
        """Return the air with the notes of each bird."""
        grain = np.zeros((2, CHUNK + self.tail), np.float32)
        grain[:, :GRAIN] = color(generator, self._AIR) * spread(linear(3 * self._air.at(times(number))))
        for bird in range(self._BIRDS):
            add_tones(grain, self._notes(number, bird))
        return grain

    def _notes(self, number: int, bird: int) -> Tones:
        """Return the notes and echoes of one bird that begin in a chunk. It skips one in four groups of phrases."""
        begin, end, period = number * CHUNK / SAMPLE_RATE, (number + 1) * CHUNK / SAMPLE_RATE, self._PERIODS[bird]
        phrases = np.array(slots(begin - period - self._LONGEST, end, period))
        moments = (phrases + 0.4 * self._draws.uniform(phrases, 7 * bird + 1)) * period
        sung = self._draws.uniform(phrases // 3, 7 * bird) >= 0.25
        motifs = (self._REPERTORY * (self._draws.uniform(phrases // 2, 7 * bird + 2) + bird)).astype(int)
        rows = [np.empty((0, 6))]
        for phrase in np.flatnonzero(sung & (moments < end) & (moments > begin - self._LONGEST)):
            notes = self._motifs[motifs[phrase]]
            loud = 0.6 + 0.4 * self._draws.uniform(np.arange(len(notes)) + 16 * int(phrases[phrase]), 97 + bird)
            hertz = self._hertz[bird] * (0.97 + 0.06 * self._draws.one(int(phrases[phrase]), 110 + bird))
            for late, level, side in self._ECHOES:
                tones = np.empty((len(notes), 6))
                tones[:, 0] = np.floor((moments[phrase] + notes[:, 0] + late - begin) * SAMPLE_RATE)
                tones[:, 1] = notes[:, 1] * SAMPLE_RATE
                tones[:, 2:4] = hertz * notes[:, 2:]
                tones[:, 4] = 0.022 * self._levels[bird] * level * loud
                tones[:, 5] = side * self._pans[bird]
                rows.append(tones[(tones[:, 0] >= 0) & (tones[:, 0] < CHUNK)])
        return np.concatenate(rows)

    def _motif(self, motif: int) -> npt.NDArray[np.float64]:
        """Return the notes of a motif, (notes, 4): start and length in seconds, pitch factors at start and end."""
        index = np.arange(3 + int(6 * self._draws.one(motif, 92))) + 16 * motif
        lengths = 0.045 + 0.085 * self._draws.uniform(index, 93)
        gaps = 0.015 + 0.07 * self._draws.uniform(index, 94)
        first = 2 ** (0.5 * (self._draws.uniform(index, 95) - 0.5))
        last = first * 2 ** (0.7 * (self._draws.uniform(index, 96) - 0.5))
        if self._draws.one(motif, 98) < 0.4:  # a trill repeats one note
            lengths[:], gaps[:], first[:], last[:] = lengths[0] * 0.7, 0.02, first[0], last[0]
        begins = np.cumsum(lengths + gaps) - lengths - gaps
        return np.stack((begins, lengths, first, last), axis=1)


def add_tones(grain: Grain, tones: Tones) -> None:
    """Add gliding tones with soft ends to a grain; they must begin within its chunk and end within its tail."""
    for start, length, first, last, peak, pan in tones:
        count, begin = int(length), int(start)
        share = np.arange(count, dtype=np.float64) / count
        angle = 2 * math.pi * (first + 0.5 * (last - first) * share) * share * (count / SAMPLE_RATE)
        tone = (peak * np.sin(math.pi * share) ** 2 * np.sin(angle)).astype(np.float32)
        grain[0, begin : begin + count] += math.cos((pan + 1) * math.pi / 4) * tone
        grain[1, begin : begin + count] += math.sin((pan + 1) * math.pi / 4) * tone
