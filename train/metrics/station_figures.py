"""Measurements of composed bars: chord tones, backbeat, density, entropy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from math import log2

from radio.compose.composer import Bar
from radio.music.events import Note
from radio.music.rhythm import has_backbeat
from radio.music.tokenizer import events_to_notes
from radio.types import BEATS_PER_BAR, TICKS_PER_BAR, TICKS_PER_BEAT


@dataclass(frozen=True)
class StationFigures:
    """Measurements of consecutive bars; all but those of drums are of the keys."""

    bars: int
    chord_tone_share: float
    """The share of note time in the sounding chord."""
    backbeat_share: float
    """The share of bars, without fills, that have a snare, clap or rim on beats 2 and 4."""
    strikes_per_beat: float
    drum_hits_per_beat: float
    polyphony: float
    """The mean number of sounding notes while any sounds."""
    mean_velocity: float
    pitch_entropy: float
    """Bits, of pitch classes."""
    rhythm_entropy: float
    """Bits, of places in the bar."""
    longest_note: float
    """Beats."""
    silent_bars: int
    """Bars in which the keys or the drums play nothing although their density is above 0."""


def measure(bars: Sequence[Bar]) -> StationFigures:
    """Measure consecutive bars."""
    keys = events_to_notes(event for bar in bars for event in bar.events["keys"])
    inside = total = 0
    by_bar = {bar.plan.number: bar for bar in bars}
    for note in keys:
        for place in range(note.start // TICKS_PER_BEAT, -(-note.end // TICKS_PER_BEAT)):
            bar = by_bar.get(place // BEATS_PER_BAR)
            if bar is None:
                continue
            start, end = place * TICKS_PER_BEAT, (place + 1) * TICKS_PER_BEAT
            time = min(note.end, end) - max(note.start, start)
            total += time
            inside += time * (note.note % 12 in bar.plan.chords[place % BEATS_PER_BAR].tones)
    grooves = [bar for bar in bars if not bar.plan.fill]
    silent = sum(
        1
        for bar in bars
        for layer, part in (("keys", "piano"), ("drums", "drums"))
        if bar.plan.densities[part] and not any(event.velocity for event in bar.events[layer])
    )
    sounding = _union(keys)
    return StationFigures(
        bars=len(bars),
        chord_tone_share=inside / max(1, total),
        backbeat_share=sum(map(_backbeat, grooves)) / max(1, len(grooves)),
        strikes_per_beat=len(keys) / (len(bars) * BEATS_PER_BAR),
        drum_hits_per_beat=sum(bool(event.velocity) for bar in bars for event in bar.events["drums"])
        / (len(bars) * BEATS_PER_BAR),
        polyphony=sum(note.end - note.start for note in keys) / max(1, sounding),
        mean_velocity=sum(note.velocity for note in keys) / max(1, len(keys)),
        pitch_entropy=entropy(note.note % 12 for note in keys),
        rhythm_entropy=entropy(note.start % TICKS_PER_BAR for note in keys),
        longest_note=max((note.end - note.start for note in keys), default=0) / TICKS_PER_BEAT,
        silent_bars=silent,
    )


def _backbeat(bar: Bar) -> bool:
    return has_backbeat((event.tick - bar.plan.tick, event.note) for event in bar.events["drums"] if event.velocity)


def entropy(values: Iterable[Hashable]) -> float:
    """Return the Shannon entropy in bits of the frequencies of the values."""
    counts = Counter(values)
    total = sum(counts.values())
    return -sum(count / total * log2(count / total) for count in counts.values())


def _union(notes: Sequence[Note]) -> int:
    """Return the ticks in which any of `notes` sounds."""
    covered = until = 0
    for note in notes:
        covered += max(0, note.end - max(note.start, until))
        until = max(until, note.end)
    return covered
