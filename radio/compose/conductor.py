"""The conductor: gives the endless stream a form. Tracks of 32 bars, each in a key over a looped progression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

from radio.compose.plan import BarPlan, Track
from radio.music.chords import Chord, pitch_class
from radio.types import BEATS_PER_BAR

FORM: Final = "A" * 8 + "B" * 8 + "C" * 12 + "D" * 4
"""Sparse, build, full, breakdown: a letter a bar."""

_BUSIER: Final = {"A": (-1.0, -1), "B": (-0.25, 0), "C": (0.5, 1), "D": (-1.0, -2)}
"""By section, levels added to the density of (piano, drums). Of every four bars, as many as a piano's fraction says are
played a level fuller, the last ones: between two levels lie lo-fi's 1.94 notes and 1.06 onsets a beat."""

BACKBEAT_STYLES: Final = frozenset(
    {"rock", "funk", "hiphop", "soul", "neworleans", "country", "pop", "blues", "gospel", "dance"}
)
"""Styles whose grooves are asked for with a backbeat."""

CYMBALS: Final = frozenset({49, 51, 52, 53, 55, 57, 59})
SOFT_STYLES: Final = frozenset({"hiphop", "funk", "soul", "pop", "reggae", "dance"})
"""Styles whose grooves are played on kick, snare and hats: a ride or a crash in every bar is a wash over the keys."""

_FIRST: Final = (
    "Amber", "Borrowed", "Distant", "Faded", "Folded", "Half-lit", "Hollow", "Idle", "Late", "Lantern", "Lowered",
    "Milky", "Mossy", "Muted", "Paper", "Quiet", "Rainy", "Rusted", "Second", "Sleepy", "Slow", "Soft", "Spare",
    "Sunday", "Tender", "Threadbare", "Unsent", "Velvet", "Warm", "Window",
)  # fmt: skip
_SECOND: Final = (
    "Afternoon", "Avenue", "Balcony", "Bus Stop", "Corner", "Cup", "Drizzle", "Elevator", "Evening", "Garden",
    "Harbour", "Hours", "Kettle", "Letters", "Light", "Moths", "Notebook", "Orchard", "Platform", "Postcard", "Rooftop",
    "Room", "Shelves", "Steps", "Stairwell", "Tape", "Tea", "Tram", "Umbrella", "Weather",
)  # fmt: skip


@dataclass(frozen=True)
class Saved:
    """A conductor between two bars."""

    generator: tuple[Any, ...]
    track: Track
    following: Track
    bar: int


class Conductor:
    """Plans bar after bar for ever.

    Args:
        progressions: chord loops as in C major or A minor, one chord a bar.
        keys: tonics that tracks may be in.
        style: what the drums are asked for.
    """

    def __init__(self, *, progressions: Sequence[Sequence[Chord]], keys: Sequence[str], style: str, seed: int) -> None:
        self._progressions = [tuple(progression) for progression in progressions]
        self._keys = tuple(keys)
        self._style = style
        self._random = Random(seed)
        self._bar = 0
        self._track = self._drawn(None)
        self._following = self._drawn(self._track)

    def next_bar(self, density: float) -> tuple[Track, BarPlan]:
        """The next bar, and the track it belongs to.

        Args:
            density: 0–1, how busy the station is asked to be.
        """
        track, bar = self._track, self._bar
        place = bar - track.first_bar
        section = FORM[place]
        chord = self._chord(track, bar)
        last_of_section = place + 1 == len(FORM) or FORM[place + 1] != section
        fill = last_of_section and section in "BC"
        piano, drums = _BUSIER[section]
        plan = BarPlan(
            number=bar,
            section=section,
            chords=(chord,) * BEATS_PER_BAR,  # type: ignore[arg-type]
            densities={
                "piano": min(max(int(1 + 4 * density + piano + place % 4 / 4), 1), 7),
                "drums": min(max(2 + round(4 * density) + drums, 1), 7),
            },
            style=self._style,
            fill=fill,
            backbeat=not fill and self._style in BACKBEAT_STYLES,
            without=CYMBALS if self._style in SOFT_STYLES else frozenset(),
        )
        self._bar += 1
        if self._bar == self._following.first_bar:
            self._track, self._following = self._following, self._drawn(self._following)
        return track, plan

    def skip(self) -> None:
        """Let the next bar open the next track, unless it opens one already."""
        if self._bar != self._track.first_bar:
            self._track = replace(self._following, first_bar=self._bar)
            self._following = self._drawn(self._track)

    @property
    def upcoming_chord(self) -> Chord:
        """The chord that the next bar opens with."""
        return self._chord(self._track, self._bar)

    def save(self) -> Saved:
        return Saved(self._random.getstate(), self._track, self._following, self._bar)

    def restore(self, saved: Saved) -> None:
        self._random.setstate(saved.generator)
        self._track, self._following, self._bar = saved.track, saved.following, saved.bar

    @staticmethod
    def _chord(track: Track, bar: int) -> Chord:
        return track.progression[(bar - track.first_bar) % len(track.progression)]

    def _drawn(self, last: Track | None) -> Track:
        """The track after `last`, in another key and over another loop where the station has more than one."""
        keys = [key for key in self._keys if last is None or key != last.key] or list(self._keys)
        key = self._random.choice(keys)
        loops = [tuple(chord.transposed(pitch_class(key)) for chord in loop) for loop in self._progressions]
        others = [loop for loop in loops if last is None or loop != last.progression] or loops
        return Track(
            number=0 if last is None else last.number + 1,
            title=f"{self._random.choice(_FIRST)} {self._random.choice(_SECOND)}",
            key=key,
            progression=self._random.choice(others),
            first_bar=0 if last is None else last.first_bar + last.bars,
            bars=len(FORM),
        )
