"""Stage `harmony`: turn triads into sevenths and ninths by key and function, with a share of rarer chords.

Source of the functions: Mark Levine, "The Jazz Piano Book" (1989), chapters 3–6: diatonic sevenths, secondary
dominants, tritone substitution, passing diminished chords.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from radio.music.chords import NO_CHORD, Chord
from radio.types import BEATS_PER_BAR
from train.data.corpus.piece import Piece

KEY_BARS = 16
"""Bars on either side over which a key is estimated: enough to be reliable, few enough to follow a modulation."""

LOOP_BARS = 8
"""Bars after which a progression is assumed to repeat."""

_DIATONIC = {0: "maj", 2: "min", 4: "min", 5: "maj", 7: "maj", 9: "min", 11: "dim"}
FAMILY = {
    "maj": "maj", "maj7": "maj", "maj9": "maj", "6": "maj", "dom7": "maj", "sus": "sus", "min": "min", "min7": "min",
    "min9": "min", "dim": "dim", "hdim7": "dim", "aug": "aug", "none": "none",
}  # fmt: skip

_Choices = tuple[tuple[str, int], ...]

_BY_FUNCTION: dict[tuple[int, str], _Choices] = {
    (0, "maj"): (("maj9", 54), ("maj7", 28), ("6", 18)),
    (2, "min"): (("min9", 68), ("min7", 32)),
    (4, "min"): (("min7", 100),),
    (5, "maj"): (("maj9", 58), ("maj7", 36), ("6", 6)),
    (7, "maj"): (("dom7", 65), ("sus", 31), ("aug", 4)),
    (7, "min"): (("min9", 50), ("min7", 50)),
    (9, "min"): (("min9", 66), ("min7", 34)),
    (11, "dim"): (("hdim7", 100),),
    (5, "min"): (("min9", 40), ("min7", 60)),
    (3, "maj"): (("maj7", 70), ("maj9", 30)),
    (8, "maj"): (("maj7", 60), ("maj9", 40)),
    (10, "maj"): (("dom7", 60), ("maj9", 40)),
}
"""Degree in semitones above the tonic and family → qualities with weights."""

_BY_FAMILY: dict[str, _Choices] = {
    "maj": (("dom7", 85), ("aug", 8)),  # a major chord foreign to the key is nearly always a secondary dominant
    "min": (("min7", 70), ("min9", 30)),
    "sus": (("sus", 100),),
    "dim": (("dim", 70), ("hdim7", 30)),
    "aug": (("aug", 100),),
    "none": (("none", 100),),
}

TRITONE, PASSING, BORROWED = 0.06, 0.15, 0.20
"""Shares of dominants that are replaced by the one a tritone away, of whole-step approaches that get a passing
diminished chord, and of ii chords before a V that become half-diminished, as in minor."""


def enrich(piece: Piece, random: Random) -> Piece:
    """Return `piece` with enriched chords. The stage `voicing` fits the notes to them."""
    return replace(piece, chords=enrich_chords(piece.chords, random))


def enrich_chords(chords: Sequence[Chord], random: Random, tonic: int | None = None) -> list[Chord]:
    """Enrich chords, one per beat.

    A chord in the same context always gets the same result, so a loop stays a loop.

    Args:
        tonic: The tonic of the major key, or relative major, of all chords; estimated around each chord by default.
    """
    spans = _spans(chords)
    chosen: dict[_Context, tuple[str, str]] = {}
    result: list[Chord] = []
    for number, (start, end, chord) in enumerate(spans):
        around = chords[max(0, start - KEY_BARS * BEATS_PER_BAR) : end + KEY_BARS * BEATS_PER_BAR]
        key = tonic_of(around) if tonic is None else tonic
        following = spans[number + 1][2] if number + 1 < len(spans) else NO_CHORD
        place = _Context(
            degree=(chord.root - key) % 12,
            quality=chord.quality,
            motion=-1 if following.quality == "none" else (following.root - chord.root) % 12,
            bar=start // BEATS_PER_BAR % LOOP_BARS,
            beats=end - start,
        )
        if place not in chosen:
            chosen[place] = (_quality(place, random), _turn(random))
        quality, turn = chosen[place]
        result += _per_beat(Chord(chord.root, quality), place, turn)
    return result


def tonic_of(chords: Sequence[Chord]) -> int:
    """Return the tonic of the major key, or relative major, in which most chords are diatonic.

    Ties go to the key with the most time on I, vi and IV.
    """

    def fit(tonic: int) -> float:
        score = 0.0
        for chord in chords:
            degree, family = (chord.root - tonic) % 12, FAMILY[chord.quality]
            score += family == "sus" and degree in {0, 2, 5, 7, 9}
            score += _DIATONIC.get(degree) == family
            score += 0.2 * (degree in {0, 5, 9} and _DIATONIC[degree] == family)
        return score

    return max(range(12), key=fit)


def _spans(chords: Sequence[Chord]) -> list[tuple[int, int, Chord]]:
    """Return runs of one chord, at most a bar long, as (first beat, beat after the last, chord)."""
    spans: list[tuple[int, int, Chord]] = []
    for place, chord in enumerate(chords):
        if spans and spans[-1][2] == chord and place % BEATS_PER_BAR:
            spans[-1] = (spans[-1][0], place + 1, chord)
        else:
            spans.append((place, place + 1, chord))
    return spans


@dataclass(frozen=True, slots=True)
class _Context:
    """The context that decides how a chord is enriched."""

    degree: int
    """Semitones above the tonic."""
    quality: str
    motion: int
    """Semitones up to the next root; −1 if there is no next chord."""
    bar: int
    """The bar within the loop."""
    beats: int
    """The length of the chord."""


def _quality(place: _Context, random: Random) -> str:
    family = FAMILY[place.quality]
    choices = _BY_FUNCTION.get((place.degree, family)) or _BY_FAMILY[family]
    if place.degree == 0 and place.motion == 5 and place.quality == "dom7":
        choices = (("dom7", 100),)  # V7 of IV
    if place.degree == 2 and family == "min" and place.motion == 5 and random.random() < BORROWED:
        choices = (("hdim7", 100),)
    names, weights = zip(*choices, strict=True)
    return str(random.choices(names, weights)[0])


def _turn(random: Random) -> str:
    drawn = random.random()
    return "tritone" if drawn < TRITONE else "passing" if drawn < TRITONE + PASSING else ""


def _per_beat(chord: Chord, place: _Context, turn: str) -> list[Chord]:
    """Return the chord for each of its beats, with a resolved suspension, a passing chord or a substitute."""
    beats = place.beats
    if chord.quality == "sus" and place.degree == 7 and beats >= 2:
        return [chord] * (beats - beats // 2) + [Chord(chord.root, "dom7")] * (beats // 2)
    if chord.quality == "dom7" and place.motion == 5 and turn == "tritone":
        return [chord.transposed(6)] * beats
    if place.motion == 2 and beats >= 2 and turn == "passing":
        return [chord] * (beats - 1) + [Chord((chord.root + 1) % 12, "dim")]
    return [chord] * beats
