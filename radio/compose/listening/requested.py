"""Adaptation of a prime to the requests of listeners: a tempo, key or density other than that of its file."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from radio.compose.material import HIGHEST, LOWEST
from radio.compose.phrase import Phrase, phrase_of
from radio.compose.prime import Prime
from radio.compose.track_writer import key_of
from radio.music.chords import pitch_class
from radio.settings.controls import Controls
from radio.types import PrimeChoice


def as_requested(prime: Prime, leaves: Collection[PrimeChoice], controls: Controls) -> Prime:
    """Return the prime with tempo, key or density left to the controls; its mode and passages stay."""
    if "tempo" in leaves:
        prime = replace(prime, tempo=None)
    if "density" in leaves and prime.texture is not None:
        prime = replace(prime, texture=prime.texture.at_density(controls.density))
    key = key_of(controls.key, prime.mode)
    if "key" in leaves and key is not None and prime.key is not None:
        prime = _moved(prime, (pitch_class(key) - pitch_class(prime.key) + 6) % 12 - 6, key)
    return prime


def _moved(prime: Prime, semitones: int, key: str) -> Prime:
    """Return a prime in another key, with the same drums."""
    loops = prime.loops and {name: loop.transposed(semitones) for name, loop in prime.loops.items()}
    return replace(
        prime,
        key=key,
        loops=loops,
        passage=_shifted(prime.passage, semitones),
        second=prime.second and _shifted(prime.second, semitones),
        motif=prime.motif and _shifted(prime.motif, semitones),
    )


def _shifted(phrase: Phrase, semitones: int) -> Phrase:
    """Return a phrase moved by `semitones`; notes that leave the range of the keys are moved back by an octave."""
    notes = {
        (note.start, note.note): note for note in phrase.transposed(semitones).notes if LOWEST <= note.note <= HIGHEST
    }
    for note in phrase.transposed(semitones).notes:
        if not LOWEST <= note.note <= HIGHEST:
            folded = replace(note, note=note.note + (12 if note.note < LOWEST else -12))
            notes.setdefault((folded.start, folded.note), folded)
    return phrase_of(notes.values(), phrase.bars)
