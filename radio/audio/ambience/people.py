"""People: a café, and someone typing."""

from __future__ import annotations

import math
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from radio.audio.ambience.curves import Curve, Draws, Indexes, Wander, slots
from radio.audio.noise import CHUNK, GRAIN, Grain, Noise, band, color, lower, ring, shape
from radio.types import SAMPLE_RATE, Frames, Seconds

_RATE: Final = 8_000
"""Sample rate of the voices; a room damps their treble."""
_RATIO: Final = SAMPLE_RATE // _RATE
_TABLE: Final = 256
_LONGEST: Final = 1_920
"""Length of the longest syllable in samples: 0.24 s."""
_VOWELS: Final = np.array(
    [
        (730, 1_090, 2_440), (530, 1_840, 2_480), (390, 1_990, 2_550), (570, 840, 2_410), (440, 1_020, 2_240),
        (640, 1_190, 2_390),
    ]
)  # fmt: skip
"""Formants in Hz. Source: Peterson and Barney, "Control methods used in a study of the vowels", JASA 24 (1952)."""
_WIDTHS: Final = np.array([90.0, 110.0, 170.0])
_RESONANCES: Final = np.array([1.0, 0.5, 0.25])
_HARMONICS: Final = np.arange(1, 33)
_HIGHEST: Final = 3_600.0
_GLOTTIS: Final = np.exp(-0.9j * _HARMONICS**1.5) / np.sqrt(_HARMONICS)
"""Level and phase of each harmonic before the formants."""


_KEY_HERTZ: Final = np.array([240.0, 410.0, 1_150.0, 2_600.0, 4_100.0])
_KEY_DECAY: Final = np.array([0.014, 0.011, 0.005, 0.0022, 0.0012])
_KEY_PEAK: Final = np.array([0.014, 0.014, 0.011, 0.008, 0.005])
"""Frequency, decay in seconds and peak of each mode of a key in its case."""


class CafeMurmur(Noise):
    """A café: a dozen voices without words, cups now and then, and the room around them.

    A voice is a series of syllables, about four per second, in phrases of a few seconds. Each syllable is a tone whose
    formants glide from one vowel to another.
    """

    tail: ClassVar[Frames] = 14_400

    _ROOM: Final = lower(shape(band(120, 900, 3.0), -52.0), 8_000)
    _VOICES: Final = 11

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._draws = Draws(seed, "cafe")
        voice = np.arange(self._VOICES)
        self._periods = 0.19 + 0.07 * self._draws.uniform(voice, 70)
        self._pitches = np.where(voice % 2, 185.0, 112.0) * 2 ** (0.5 * (self._draws.uniform(voice, 71) - 0.5))
        self._levels = 10 ** ((-11 * self._draws.uniform(voice, 72) - 1) / 20)
        angles = (np.linspace(-0.9, 0.9, self._VOICES)[np.argsort(self._draws.uniform(voice, 73))] + 1) * math.pi / 4
        self._sides = np.stack((np.cos(angles), np.sin(angles)), axis=1).astype(np.float32)
        self._phrases = Wander(self._draws, 1.7)

    def grain(self, number: int, generator: np.random.Generator) -> Grain:
        """Return the room with the syllables and the cups of this chunk."""
        voice, syllable, moment = self._begun(number)
        frames = CHUNK + self.tail
        voices = np.zeros((2, frames // _RATIO), np.float32)
        sounds = self._syllables(voice, syllable)[:, None] * self._sides[voice][:, :, None]
        starts = ((moment - number * (CHUNK / SAMPLE_RATE)) * _RATE).astype(np.int64)
        for start, sound in zip(starts.tolist(), sounds, strict=True):
            voices[:, start : start + _LONGEST] += sound
        grain = np.asarray(np.fft.irfft(np.fft.rfft(voices, axis=1), n=frames, axis=1), np.float32) * np.float32(_RATIO)
        grain[:, :GRAIN] += color(generator, self._ROOM)
        self._cups(grain, generator)
        return grain

    def _begun(self, number: int) -> tuple[Indexes, Indexes, Curve]:
        """Return the voice, the number and the start in seconds of each syllable that begins in a chunk."""
        begin, length = number * CHUNK / SAMPLE_RATE, CHUNK / SAMPLE_RATE
        first = np.floor(begin / self._periods).astype(np.int64) - 1
        syllable = first[:, None] + np.arange(6)
        voice = np.repeat(np.arange(self._VOICES)[:, None], 6, axis=1)
        moment = (syllable + 0.3 * self._draws.uniform(syllable, voice)) * self._periods[:, None]
        talks = self._phrases.at(moment, 80 + voice) > -0.15
        begun = talks & (moment >= begin) & (moment < begin + length)
        return voice[begun], syllable[begun], moment[begun]

    def _syllables(self, voice: Indexes, syllable: Indexes) -> npt.NDArray[np.float32]:
        """Return the sounds, (syllables, _LONGEST) at `_RATE`."""
        length, melody, fall, first, last, soft = (
            self._draws.uniform(8 * syllable + column, 20 + voice)[:, None] for column in range(6)
        )
        share = np.minimum(np.arange(_LONGEST) / ((0.13 + 0.11 * length) * _RATE), 1)
        hertz = self._pitches[voice][:, None] * 2 ** (0.25 * (melody - 0.5))
        phase = np.cumsum(hertz * (1 + 0.12 * (fall - 0.6) * share), axis=1) * (_TABLE / _RATE)
        place = phase.astype(np.int32)
        part = (phase - place).astype(np.float32)
        share = share.astype(np.float32)
        rows, sound = np.arange(len(voice))[:, None], np.zeros_like(part)
        for vowel, blend in ((first, 1 - share), (last, share)):
            table = _periods(_VOWELS[(len(_VOWELS) * vowel[:, 0]).astype(int)], hertz)
            here, there = table[rows, place % _TABLE], table[rows, (place + 1) % _TABLE]
            sound += blend * (here + part * (there - here))
        envelope = (np.minimum(1, share / 0.22) * np.minimum(1, (1 - share) / 0.45)) ** 2
        loud = 0.02 * self._levels[voice][:, None] * 10 ** (-6 * soft / 20)
        return np.asarray(loud.astype(np.float32) * envelope * sound, np.float32)

    def _cups(self, grain: Grain, generator: np.random.Generator) -> None:
        for _ in range(generator.poisson(0.35 * CHUNK / SAMPLE_RATE)):
            modes = generator.uniform(1_900, 3_100) * np.array([1.0, 1.87, 2.41])
            ring(
                grain,
                np.full(3, generator.integers(0, CHUNK)),
                hertz=modes,
                decay=np.array([0.035, 0.024, 0.014]),
                peak=generator.uniform(0.002, 0.006) * np.array([1.0, 0.5, 0.35]),
                pan=np.full(3, generator.uniform(-0.9, 0.9)),
            )


class Keyboard(Noise):
    """Typing: bursts of keys, each a click and a thock on the way down and a fainter one on the way up."""

    _ROOM: Final = lower(shape(band(90, 400, 3.0), -60.0), 4_000)
    _PERIOD: Final[Seconds] = 0.142

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._draws = Draws(seed, "keyboard")
        self._bursts = Wander(self._draws, 1.1, 9)

    def grain(self, number: int, generator: np.random.Generator) -> Grain:
        """Return the keystrokes of this chunk, in a quiet room."""
        grain = color(generator, self._ROOM)
        begin = number * CHUNK / SAMPLE_RATE
        stroke = np.array(slots(begin - 3 * self._PERIOD, begin + CHUNK / SAMPLE_RATE, self._PERIOD))
        late, wide, soft, held, side = (self._draws.uniform(stroke, column) for column in range(5))
        moment = (stroke + 0.55 * late) * self._PERIOD
        space = wide < 0.16
        loud = np.where(space, 1.25, 1.0) * 10 ** ((8 * soft - 5) / 20) * (self._bursts.at(moment) > -0.25)
        bright = np.where(space, 0.7, 1.0)
        for delay, level, higher in ((0.0, 1.0, 1.0), (0.075 + 0.05 * held, 0.35, 1.35)):
            start = np.floor((moment + delay - begin) * SAMPLE_RATE).astype(np.int64)
            struck = (start >= 0) & (start < CHUNK) & (loud > 0)
            _keys(
                grain,
                start[struck],
                generator,
                loud=(level * loud)[struck],
                bright=(higher * bright)[struck],
                side=side[struck],
            )
        return grain


def _periods(formants: npt.NDArray[np.float64], hertz: Curve) -> npt.NDArray[np.float32]:
    """Return one period of each voice with an RMS of 1, (voices, _TABLE), from formants (voices, 3) and pitches."""
    at = _HARMONICS * hertz
    resonances = _RESONANCES / (1 + ((at[:, :, None] - formants[:, None]) / _WIDTHS) ** 2)
    amplitudes = (resonances.sum(axis=2) + 0.02) * (at < _HIGHEST) * _GLOTTIS
    amplitudes /= np.sqrt(np.square(np.abs(amplitudes)).sum(axis=1, keepdims=True) / 2)
    spectrum = np.zeros((len(hertz), _TABLE // 2 + 1), np.complex64)
    spectrum[:, _HARMONICS] = amplitudes * (_TABLE / 2)
    return np.asarray(np.fft.irfft(spectrum, n=_TABLE, axis=1), np.float32)


def _keys(
    grain: Grain, start: Indexes, generator: np.random.Generator, *, loud: Curve, bright: Curve, side: Curve
) -> None:
    """Add keystrokes to a grain, each with five modes."""
    hertz = bright[:, None] * _KEY_HERTZ * 2 ** generator.uniform(-0.2, 0.2, (len(start), len(_KEY_HERTZ)))
    ring(
        grain,
        np.repeat(start, len(_KEY_HERTZ)),
        hertz=hertz.ravel(),
        decay=np.tile(_KEY_DECAY, len(start)),
        peak=(loud[:, None] * _KEY_PEAK).ravel(),
        pan=np.repeat(1.2 * (side - 0.5), len(_KEY_HERTZ)),
    )
