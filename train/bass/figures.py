"""Figures of the bass model: bits per note on held-out performances, and the intervals of walking lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import numpy.typing as npt

from radio.compose.bass import write_bass
from radio.compose.phrase import Phrase, chord_at
from radio.errors import SettingsError
from radio.model.bass_model import LOWEST, PITCHES, BassModel
from radio.music.chords import Chord
from radio.music.vocab import QUALITIES
from radio.types import BEATS_PER_BAR, TICKS_PER_BEAT, JsonValue
from train.data.bass_corpus import Example, Performance, examples

Shares = npt.NDArray[np.float64]

_FEWEST_BARS = 4


@dataclass(frozen=True, slots=True)
class BassFigures:
    """Figures on held-out performances.

    bits, unigram_bits, quality_bits: bits per note of the interval to the chord's root, by the model, by a unigram, and
    by a unigram for each chord quality. pitch_bits, pitch_unigram_bits: bits per note of the pitch. intervals: shares
    of the intervals 0–11. walking: the same for the radio's walking lines over the same chords. overlap: of the two.
    """

    performances: int
    notes: int
    bits: float
    unigram_bits: float
    quality_bits: float
    pitch_bits: float
    pitch_unigram_bits: float
    intervals: Sequence[float]
    walking: Sequence[float]
    overlap: float

    def as_json(self) -> dict[str, JsonValue]:
        """Return the figures in the form of the model's card."""
        return {
            "performances": self.performances,
            "notes": self.notes,
            "bits_per_note": round(self.bits, 4),
            "unigram_bits_per_note": round(self.unigram_bits, 4),
            "unigram_by_quality_bits_per_note": round(self.quality_bits, 4),
            "pitch_bits_per_note": round(self.pitch_bits, 4),
            "pitch_unigram_bits_per_note": round(self.pitch_unigram_bits, 4),
            "intervals": [round(share, 4) for share in self.intervals],
            "walking_intervals": [round(share, 4) for share in self.walking],
            "walking_overlap": round(self.overlap, 4),
        }

    def table(self) -> str:
        """Return the figures as Markdown."""
        cells = (f"{share:.3f} | {other:.3f}" for share, other in zip(self.intervals, self.walking, strict=True))
        return "\n".join(
            [
                f"| {self.performances} held-out performances, {self.notes:,} notes | bits per note |",
                "| --- | ---: |",
                f"| interval to the root, model | {self.bits:.3f} |",
                f"| unigram by scale step | {self.unigram_bits:.3f} |",
                f"| unigram by scale step and chord quality | {self.quality_bits:.3f} |",
                f"| pitch, model | {self.pitch_bits:.3f} |",
                f"| pitch, unigram | {self.pitch_unigram_bits:.3f} |",
                "",
                "| semitones above the root | held-out bass | walking lines |",
                "| ---: | ---: | ---: |",
                *(f"| {number} | {cell} |" for number, cell in enumerate(cells)),
                f"| overlap | | {self.overlap:.3f} |",
            ]
        )


def measure_bass(model: BassModel, performances: Sequence[Performance]) -> BassFigures:
    """Measure `model` on the held-out performances; unigrams are counted on the others.

    Raises:
        SettingsError: There are no notes to count or to measure.
    """
    held_out = [performance for performance in performances if performance.held_out]
    unseen = [example for performance in held_out for example in examples(performance)]
    seen = [example for performance in performances if not performance.held_out for example in examples(performance)]
    if not seen or not unseen:
        raise SettingsError(
            "too few bass notes to measure; some numbers of performances must end in 3, and some must not"
        )
    bits, pitch_bits = _model_bits(model, unseen)
    steps = [(0, _interval(example)) for example in seen], [(0, _interval(example)) for example in unseen]
    by_quality = tuple(
        [(QUALITIES.index(example.context.chord.quality), _interval(example)) for example in part]
        for part in (seen, unseen)
    )
    pitches = tuple([(0, example.note - LOWEST) for example in part] for part in (seen, unseen))
    intervals = _shares(step for _, step in steps[1])
    walking = walking_intervals(model, held_out)
    return BassFigures(
        performances=len(held_out),
        notes=len(unseen),
        bits=bits,
        unigram_bits=_unigram_bits(*steps, values=12),
        quality_bits=_unigram_bits(*by_quality, values=12),
        pitch_bits=pitch_bits,
        pitch_unigram_bits=_unigram_bits(*pitches, values=len(PITCHES)),
        intervals=intervals.tolist(),
        walking=walking.tolist(),
        overlap=float(np.minimum(intervals, walking).sum()),
    )


def walking_intervals(model: BassModel, performances: Iterable[Performance]) -> Shares:
    """Return the shares of the intervals on the beats of walking lines over the chords of performances."""
    intervals: list[int] = []
    for performance in performances:
        chords = _chords(performance)
        bars = len(chords) // BEATS_PER_BAR
        if bars >= _FEWEST_BARS:
            line = write_bass(chords, bars, [], "jazz", Random(performance.number), model=model)
            intervals += intervals_on_beats(line, chords)
    return _shares(intervals)


def intervals_on_beats(line: Phrase, chords: Sequence[Chord]) -> list[int]:
    """Return the intervals, 0–11, from the roots of the chords to the notes on beats."""
    return [
        (note.note - chord_at(chords, note.start).root) % 12 for note in line.notes if note.start % TICKS_PER_BEAT == 0
    ]


def _chords(performance: Performance) -> list[Chord]:
    """Return the chords of whole bars, one per beat; beats without a chord are left out."""
    chords: list[Chord] = []
    for beat in performance.beats:
        if beat.chord is not None and beat.place == len(chords) % BEATS_PER_BAR:
            chords.append(beat.chord)
    return chords[: len(chords) // BEATS_PER_BAR * BEATS_PER_BAR]


def _interval(example: Example) -> int:
    return (example.note - example.context.chord.root) % 12


def _model_bits(model: BassModel, unseen: Sequence[Example]) -> tuple[float, float]:
    """Return the mean bits of the interval and of the pitch."""
    intervals, pitches = [], []
    for example in unseen:
        probabilities = model.probabilities(example.context)
        intervals.append(-np.log2(probabilities[(PITCHES - example.note) % 12 == 0].sum()))
        pitches.append(-np.log2(probabilities[example.note - LOWEST]))
    return float(np.mean(intervals)), float(np.mean(pitches))


def _unigram_bits(seen: Sequence[tuple[int, int]], unseen: Sequence[tuple[int, int]], *, values: int) -> float:
    """Return the mean bits of (group, value) pairs, from add-one counts of the values in each group."""
    groups = 1 + max(group for group, _ in (*seen, *unseen))
    counts = np.ones((groups, values))
    np.add.at(counts, tuple(np.array(seen).T), 1)
    shares = counts / counts.sum(axis=1, keepdims=True)
    return float(-np.log2(shares[tuple(np.array(unseen).T)]).mean())


def _shares(intervals: Iterable[int]) -> Shares:
    counts = np.bincount(np.fromiter(intervals, dtype=np.intp), minlength=12)
    shares: Shares = counts / max(1, counts.sum())
    return shares
