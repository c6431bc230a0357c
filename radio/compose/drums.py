"""The drums: loops of one or two bars, ranked, and fills.

In human hip-hop drumming, neighboring bars share 57% of their hits; in programmed loops, they share more. A hi-hat or a
ride is in 98.5% of the bars, and toms are 1.7% of the hits (jazz: 10.9%).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Final

from radio.compose.phrase import Phrase, phrase_of
from radio.music.events import Note
from radio.music.parts import DRUMS
from radio.music.rhythm import NEAR, has_backbeat
from radio.music.tokenizer import DRUM_GATE
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT, Tick

KICKS: Final = frozenset({35, 36})
SNARES: Final = frozenset({37, 38, 39, 40})
HATS: Final = frozenset({42, 44, 46})
CLOSED_HAT: Final = 42
RIDES: Final = frozenset({51, 53, 59})
CRASHES: Final = frozenset({49, 52, 55, 57})
TOMS: Final = frozenset({41, 43, 45, 47, 48, 50, 58})

BACKBEAT_STYLES: Final = frozenset(
    {"rock", "funk", "hiphop", "soul", "neworleans", "country", "pop", "blues", "gospel", "dance"}
)
"""Styles whose grooves have a snare on beats 2 and 4."""

SOFT_STYLES: Final = frozenset({"hiphop", "funk", "soul", "pop", "reggae", "dance"})
"""Styles whose grooves are kick, snare and hats. Hats replace the rides, which would be a wash over the keys."""

FILL_HITS: Final = 11
"""Number of hits in a bar of an unobtrusive fill."""

_PLAIN: Final = 0.35
"""Extra cost of a one-bar loop over a two-bar loop."""

_EIGHTH: Final[Tick] = TICKS_PER_BEAT // 2
_HATS_A_BAR: Final = 8
_FILLED_VELOCITY: Final = 58
"""Velocity of a hat that is added on an eighth that the model left empty."""


_SIXTEENTHS: Final[Sequence[Tick]] = (90, 330, 210, 450, 30, 270, 150, 390)
"""The sixteenths between the eighths of a bar, in the order in which hats are added."""
_ADDED_VELOCITY: Final = 40


@dataclass(frozen=True, slots=True)
class Level:
    """The level of one kind of hit in the mix: its mean velocity, and the share of the model's accents that is kept."""

    mean: float
    accent: float = 0.7


LEVELS: Final = {"kick": Level(82), "snare": Level(76), "hats": Level(54), "rest": Level(60)}
_SOFTEST, _LOUDEST = 10, 112
_GHOST: Final = 60
"""The highest velocity of ghost notes of the snare."""
_GHOSTS: Final[Sequence[Tick]] = (210, 450, 270, 150)
"""Sixteenths of a bar on which ghost notes are added, in that order: after and before the backbeat."""
_GHOST_VELOCITY: Final = 30
_SNARE, _OPEN_HAT = 38, 46


def kind_of(pad: int) -> str:
    """Return the kind of hit of a pad: kick, snare, hats or rest."""
    if pad in KICKS:
        return "kick"
    if pad in SNARES:
        return "snare"
    return "hats" if pad in HATS else "rest"


def is_firm_snare(pad: int, velocity: int) -> bool:
    """Return True for a snare hit that is not a ghost note."""
    return pad in SNARES and velocity > _GHOST


def forbidden(style: str, *, fill: bool) -> frozenset[int]:
    """Return the pads that are not sampled: crashes, and toms except in the fills of styles that are not soft."""
    if fill and style not in SOFT_STYLES:
        return CRASHES
    return TOMS | CRASHES


def loops_of(phrase: Phrase, style: str) -> list[Phrase]:
    """Return the loops that two sampled bars offer: each bar by itself, and both, adapted to the style."""
    bars = [phrase_of(phrase.bar(place, 0), 1) for place in range(phrase.bars)]
    return [_settled(loop, style) for loop in (*bars, phrase)]


def rank(loop: Phrase, style: str, level: int) -> float:
    """Return the cost of a loop for `style` at density `level`; 0 is perfect.

    Penalizes a missing kick on the first beat, bars without a kick or with more than four, a missing backbeat and extra
    snares if the style has a backbeat, eighths without hats or ride, hits off the sixteenth grid, deviations from the
    density, bars that differ, and loops of one bar.
    """
    cost = 0.0
    for place in range(loop.bars):
        notes = loop.bar(place, 0)
        kicks = [note.start for note in notes if note.note in KICKS]
        cost += 1.5 * (0 not in kicks and place == 0)
        cost += 0.4 * max(0, 1 - len(kicks)) + 0.5 * max(0, len(kicks) - 4)
        if style in BACKBEAT_STYLES:
            cost += 2.0 * (not has_backbeat((note.start, note.note) for note in notes))
            extra = sum(is_firm_snare(note.note, note.velocity) for note in notes) - 2
            cost += 0.3 * max(0, extra)
        cost += 0.35 * (_HATS_A_BAR - _eighths_with_cymbal(notes))
        cost += 0.25 * sum(note.start % (TICKS_PER_BEAT // 4) != 0 for note in notes)
        cost += 0.4 * abs(DRUMS.density(len(notes)) - level)
    return cost / loop.bars + 3.0 * max(0.0, 0.75 - _similarity(loop)) + _PLAIN * (loop.bars == 1)


def related(loop: Phrase, other: Phrase) -> Phrase:
    """Return `loop` with the kicks of `other`, as if the same drummer played another pattern."""
    rest = [note for place in range(other.bars) for note in loop.bar(place, place * TICKS_PER_BAR)]
    kicks = [note for note in other.notes if note.note in KICKS]
    return phrase_of([*(note for note in rest if note.note not in KICKS), *kicks], other.bars)


def kicks_of(loop: Phrase) -> list[frozenset[Tick]]:
    """Return, for each bar, the ticks of its kicks, counted from the bar line."""
    return [frozenset(note.start for note in loop.bar(place, 0) if note.note in KICKS) for place in range(loop.bars)]


def with_hats(loop: Phrase, style: str) -> Phrase:
    """Return the loop; in a soft style, with a closed hat on each eighth that has no cymbal."""
    if style not in SOFT_STYLES:
        return loop
    added = []
    for place in range(loop.bars):
        notes = loop.bar(place, 0)
        covered = {note.start for note in notes if note.note in HATS | RIDES}
        for number in range(_HATS_A_BAR):
            tick = number * _EIGHTH
            if not any(abs(start - tick) <= NEAR for start in covered):
                velocity = _FILLED_VELOCITY - 12 * (number % 2)
                start = place * TICKS_PER_BAR + tick
                added.append(Note(start, start + DRUM_GATE, CLOSED_HAT, velocity))
    return phrase_of([*loop.notes, *added], loop.bars)


def at_density(loop: Phrase, style: str, density: float) -> Phrase:
    """Return the loop at a density: 0.5 leaves it unchanged, less removes dispensable hits, more adds hats.

    At 0 the first kick, the backbeat and the cymbals on the beats remain; at 1 a soft style has hats on sixteenths.
    """
    if density < 0.5:
        spare = sorted((place, note.start, note) for note in loop.notes if (place := _spare(note)) is not None)
        removed = {note for _, _, note in spare[: round(len(spare) * (1 - 2 * density))]}
        return phrase_of((note for note in loop.notes if note not in removed), loop.bars)
    if style not in SOFT_STYLES:
        return loop
    places = _SIXTEENTHS[: round(len(_SIXTEENTHS) * (2 * density - 1))]
    ticks = [bar * TICKS_PER_BAR + place for bar in range(loop.bars) for place in places]
    covered = {note.start for note in loop.notes if note.note in HATS | RIDES}
    hats = [Note(tick, tick + DRUM_GATE, CLOSED_HAT, _ADDED_VELOCITY) for tick in ticks if tick not in covered]
    return phrase_of([*loop.notes, *hats], loop.bars)


def _spare(note: Note) -> int | None:
    """Return a hit's position in the order of removal, 0 first; None for hits that carry the groove."""
    on_sixteenth, on_beat = note.start % _EIGHTH != 0, note.start % TICKS_PER_BEAT == 0
    if note.note in KICKS:
        return None if note.start % TICKS_PER_BAR == 0 else 4 if on_beat else 2
    if note.note in SNARES:
        return None if note.start % (2 * TICKS_PER_BEAT) == TICKS_PER_BEAT else 1
    if on_sixteenth:
        return 0
    return None if on_beat else 3


def leveled(loop: Phrase) -> Phrase:
    """Return the loop with each kind of hit at its level in the mix; accents are partly kept."""
    means = {
        kind: fmean(values)
        for kind in LEVELS
        if (values := [note.velocity for note in loop.notes if kind_of(note.note) == kind])
    }
    return Phrase(loop.bars, tuple(replace(note, velocity=_level(note, means)) for note in loop.notes))


def with_ghosts(bar: Sequence[Note]) -> list[Note]:
    """Return a bar with two ghost notes of the snare between the other hits; ticks count from the bar line."""
    snares = [note.note for note in bar if note.note in SNARES]
    taken = {note.start for note in bar if note.note in SNARES | KICKS}
    free = [tick for tick in _GHOSTS if not any(abs(tick - start) <= NEAR for start in taken)]
    pad = max(snares, key=snares.count, default=_SNARE)
    return sorted([*bar, *(Note(tick, tick + DRUM_GATE, pad, _GHOST_VELOCITY) for tick in free[:2])])


def with_open_hat(bar: Sequence[Note]) -> list[Note]:
    """Return a bar whose last eighth, if a closed hat plays it, has an open one; ticks count from the bar line."""
    last = TICKS_PER_BAR - _EIGHTH
    return sorted(
        replace(note, note=_OPEN_HAT) if note.note == CLOSED_HAT and abs(note.start - last) <= NEAR else note
        for note in bar
    )


def filled(groove: Sequence[Note], fill: Sequence[Note], beats: int) -> list[Note]:
    """Return a bar of the groove whose last `beats` beats are the fill; ticks count from the bar line."""
    turn = TICKS_PER_BAR - beats * TICKS_PER_BEAT
    return sorted([*(note for note in groove if note.start < turn), *(note for note in fill if note.start >= turn)])


def _level(note: Note, means: dict[str, float]) -> int:
    kind = kind_of(note.note)
    velocity = LEVELS[kind].mean + LEVELS[kind].accent * (note.velocity - means[kind])
    return min(max(round(velocity), _SOFTEST), _LOUDEST)


def _settled(loop: Phrase, style: str) -> Phrase:
    """Return the loop; in a soft style, with rides moved to the closed hat, and one hit per pad and tick."""
    if style not in SOFT_STYLES:
        return loop
    hits = {
        (note.start, CLOSED_HAT if note.note in RIDES else note.note): note
        for note in sorted(loop.notes, key=lambda note: note.velocity)
    }
    return phrase_of((replace(note, note=pad) for (_, pad), note in hits.items()), loop.bars)


def _eighths_with_cymbal(notes: Sequence[Note]) -> int:
    """Count the eighths of a bar on which a hat or a ride sounds."""
    starts = [note.start for note in notes if note.note in HATS | RIDES]
    return sum(any(abs(start - number * _EIGHTH) <= NEAR for start in starts) for number in range(_HATS_A_BAR))


def _similarity(loop: Phrase) -> float:
    """Return the mean share of hits that neighboring bars have in common, the last bar and the first included."""
    bars = [{(note.start, note.note) for note in loop.bar(place, 0)} for place in range(loop.bars)]
    pairs = list(zip(bars, [*bars[1:], bars[0]], strict=True))
    return fmean(len(a & b) / max(1, len(a | b)) for a, b in pairs)
