"""The conductor: gives the endless stream a form. Tracks of 32 bars, each in a key over chord loops of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from radio.compose.loop_writer import Harmony, LoopWriter
from radio.compose.plan import BarPlan, Track
from radio.music.chord_loops import Loop
from radio.music.chords import Chord, pitch_class
from radio.types import MOODS, MoodChoice

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


_REMEMBERED: Final = 24
"""A loop does not come again within so many tracks: three quarters of an hour."""


@dataclass(frozen=True)
class Saved:
    """A conductor between two bars."""

    seed: int
    track: Track
    following: Track
    recent: tuple[Loop, ...]
    bar: int


class Conductor:
    """Plans bar after bar for ever.

    Args:
        writer: draws the harmony of tracks where `progressions` are empty, or a mood is asked for.
        progressions: chord loops as in C major or A minor; a track takes one.
        keys: tonics that tracks may be in.
        style: what the drums are asked for.
    """

    def __init__(
        self, *, writer: LoopWriter, progressions: Sequence[Loop], keys: Sequence[str], style: str, seed: int
    ) -> None:
        self._writer = writer
        self._progressions = tuple(progressions)
        self._keys = tuple(keys)
        self._style = style
        self._seed = seed
        self._bar = 0
        self._recent: tuple[Loop, ...] = ()
        self._track = self._drawn(None, "any")
        self._following = self._drawn(self._track, "any")

    def next_bar(self, density: float, mood: MoodChoice = "any") -> tuple[Track, BarPlan]:
        """The next bar, and the track it belongs to.

        Args:
            density: 0–1, how busy the station is asked to be.
            mood: what the chords are to feel like from the next loop on.
        """
        if mood != self._track.mood and self._bar == self.next_loop:
            self._turn(mood)
        track, bar = self._track, self._bar
        place = bar - track.first_bar
        section, within = _section(track, bar)
        loop = track.sections[section]
        last_of_section = place + 1 == len(FORM) or FORM[place + 1] != section
        fill = last_of_section and section in "BC"
        piano, drums = _BUSIER[section]
        plan = BarPlan(
            number=bar,
            section=section,
            chords=loop.beats(within),
            densities={
                "piano": min(max(int(1 + 4 * density + piano + place % 4 / 4), 1), 7),
                "drums": min(max(2 + round(4 * density) + drums, 1), 7),
            },
            style=self._style,
            fill=fill,
            backbeat=not fill and self._style in BACKBEAT_STYLES,
            without=CYMBALS if self._style in SOFT_STYLES else frozenset(),
            held=within > 0 and loop.is_held(within),
            loop=loop,
            place=within % loop.bars,
        )
        self._bar += 1
        if self._bar == self._following.first_bar:
            self._advance(self._following)
        return track, plan

    def skip(self) -> None:
        """Let the next bar open the next track, unless it opens one already."""
        if self._bar != self._track.first_bar:
            self._advance(replace(self._following, first_bar=self._bar))

    @property
    def upcoming_chord(self) -> Chord:
        """The chord that the next bar opens with, if no other mood is asked for until then."""
        section, within = _section(self._track, self._bar)
        return self._track.sections[section].beats(within)[0]

    @property
    def next_loop(self) -> int:
        """The first bar, of those not planned yet, at which a loop begins: where another mood would be heard from."""
        bar = self._bar
        while bar < self._following.first_bar:
            section, within = _section(self._track, bar)
            if within % self._track.sections[section].bars == 0:
                return bar
            bar += 1
        return bar

    def save(self) -> Saved:
        return Saved(self._seed, self._track, self._following, self._recent, self._bar)

    def restore(self, saved: Saved) -> None:
        self._seed, self._track, self._following = saved.seed, saved.track, saved.following
        self._recent, self._bar = saved.recent, saved.bar

    def _advance(self, track: Track) -> None:
        """Begin `track`, and draw the one after it."""
        self._recent = (*self._recent, _plain(self._track))[-_REMEMBERED:]
        self._track = track
        self._following = self._drawn(track, track.mood)

    def _turn(self, mood: MoodChoice) -> None:
        """Go on in another mood, this track and the next."""
        self._track = replace(self._dressed(self._track, mood, self._recent), turned=self._bar)
        self._following = self._dressed(self._following, mood, (*self._recent, _plain(self._track)))

    def _drawn(self, last: Track | None, mood: MoodChoice) -> Track:
        """The track after `last`, in another key and over another loop where the station has more than one."""
        number = 0 if last is None else last.number + 1
        random = Random(f"{self._seed}/{number}")
        keys = [key for key in self._keys if last is None or key != last.key] or list(self._keys)
        track = Track(
            number=number,
            title=f"{random.choice(_FIRST)} {random.choice(_SECOND)}",
            key=random.choice(keys),
            mode=None,
            mood=mood,
            sections={},
            first_bar=0 if last is None else last.first_bar + last.bars,
            bars=len(FORM),
        )
        return self._dressed(track, mood, self._recent if last is None else (*self._recent, _plain(last)))

    def _dressed(self, track: Track, mood: MoodChoice, recent: Sequence[Loop]) -> Track:
        """`track` over harmony of that mood: a function of the seed, the track's number and what came before."""
        if mood == "any" and self._progressions:
            others = [loop for loop in self._progressions if not recent or loop != recent[-1]] or self._progressions
            loop = Random(f"{self._seed}/{track.number}/loop").choice(others)
            harmony = Harmony(None, dict.fromkeys(_BUSIER, loop))
        else:
            asked = None if mood == "any" else mood
            place = 0 if asked is None else MOODS.index(asked) + 1
            harmony = self._writer.harmony(asked, recent, (self._seed, track.number, place))
        moved = harmony.transposed(pitch_class(track.key))
        return replace(track, mood=mood, mode=moved.mode, sections=moved.sections)


def _section(track: Track, bar: int) -> tuple[str, int]:
    """The section of the track that `bar` lies in, and how many bars before it the section's loop began."""
    section = FORM[bar - track.first_bar]
    return section, bar - max(track.first_bar + FORM.index(section), track.turned)


def _plain(track: Track) -> Loop:
    """A track's first loop as in C major or A minor."""
    return track.sections["A"].transposed(-pitch_class(track.key))
