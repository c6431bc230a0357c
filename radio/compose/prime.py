"""Primes: music from a file, or random notes, that a station starts from before it returns to its own program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from random import Random
from typing import Any, Final

from radio.compose.phrase import Phrase, phrase_of
from radio.compose.texture import Texture
from radio.music.chord_loops import Loop, parse_loop
from radio.music.chords import key_name
from radio.music.events import Note
from radio.music.parts import PIANO
from radio.types import TICKS_PER_BAR, JsonValue, Mode

PRIMED_TRACKS: Final = 3
"""Number of tracks that start from a prime; the first plays its passage, the others vary it."""

_RANDOM_BARS: Final = 2
_RANDOM_NOTES: Final = 16


@dataclass(frozen=True, slots=True)
class Prime:
    """Music that a station starts from.

    name: name of its file. passage: notes of the keys, which the piano model is fed and continues. second: notes of the
    keys from elsewhere in the file, over another chord loop if it has one. literal: True if a track plays the passages
    unchanged as its phrases. tempo: BPM; None leaves it to the station. key: the tonic; for a minor piece, the tonic of
    the relative major; None leaves key and chords to the station. loops: the chord loop of each material, in that key.
    texture: texture of the passage. drums: a drum loop. motif: a line from which the lead is made.
    """

    name: str
    passage: Phrase
    second: Phrase | None = None
    literal: bool = True
    tempo: float | None = None
    key: str | None = None
    mode: Mode | None = None
    loops: Mapping[str, Loop] | None = None
    texture: Texture | None = None
    drums: Phrase | None = None
    motif: Phrase | None = None


def random_prime(seed: int) -> Prime:
    """Return two bars of random notes, as the reference thesis primes its model."""
    random = Random(f"{seed}/prime")
    starts = [
        bar * TICKS_PER_BAR + beat * 120 + random.choice(PIANO.onsets)
        for bar in range(_RANDOM_BARS)
        for beat in (random.randrange(4) for _ in range(_RANDOM_NOTES // _RANDOM_BARS))
    ]
    notes = [Note(start, start + 60, random.randint(48, 79), random.randint(50, 90)) for start in starts]
    distinct = {(note.start, note.note): note for note in notes}
    return Prime("random", phrase_of(distinct.values(), _RANDOM_BARS), literal=False)


def describe(prime: Prime) -> str:
    """Return a description of a prime."""
    words = [] if prime.tempo is None else [f"{prime.tempo:g} BPM"]
    if prime.key is not None:
        words.append(f"key {key_name(prime.key, prime.mode)}")
    if prime.loops is not None:
        words.append(f"chords {', '.join(prime.loops['A'].names())}")
    bars = "a bar" if prime.passage.bars == 1 else f"{prime.passage.bars} bars"
    words.append(f"{len(prime.passage.notes)} notes of keys in {bars}")
    words += ["a drum loop"] * (prime.drums is not None) + ["a melody"] * (prime.motif is not None)
    return "; ".join(words)


def as_json(prime: Prime) -> dict[str, JsonValue]:
    """Return a prime as JSON, for the log of controls and for other processes."""
    return {
        **asdict(prime),
        "passage": _phrase_json(prime.passage),
        "second": None if prime.second is None else _phrase_json(prime.second),
        "loops": None if prime.loops is None else {name: [*loop.names()] for name, loop in prime.loops.items()},
        "drums": None if prime.drums is None else _phrase_json(prime.drums),
        "motif": None if prime.motif is None else _phrase_json(prime.motif),
    }


def from_json(fields: Mapping[str, Any]) -> Prime:
    """Return the prime that `as_json` wrote. Raises ValueError, TypeError or KeyError for other values."""
    loops, texture, drums, motif = (fields[name] for name in ("loops", "texture", "drums", "motif"))
    second = fields.get("second")  # a history of an earlier version has none
    return Prime(
        **{
            **fields,
            "passage": _phrase(fields["passage"]),
            "second": None if second is None else _phrase(second),
            "loops": None if loops is None else {name: parse_loop(bars) for name, bars in loops.items()},
            "texture": None if texture is None else Texture(**texture),
            "drums": None if drums is None else _phrase(drums),
            "motif": None if motif is None else _phrase(motif),
        }
    )


def _phrase_json(phrase: Phrase) -> JsonValue:
    return {
        "bars": phrase.bars,
        "notes": [[note.start, note.end, note.note, note.velocity] for note in phrase.notes],
    }


def _phrase(fields: Mapping[str, Any]) -> Phrase:
    return phrase_of((Note(*note) for note in fields["notes"]), fields["bars"])
