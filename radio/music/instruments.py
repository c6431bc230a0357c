"""The instruments of General MIDI: 128 programs in 16 families (MMA, "General MIDI System Level 1")."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from radio.errors import SettingsError, did_you_mean

_TABLE: Final = """
Piano: Acoustic Grand Piano, Bright Acoustic Piano, Electric Grand Piano, Honky-tonk Piano, Electric Piano 1,
    Electric Piano 2, Harpsichord, Clavinet
Chromatic percussion: Celesta, Glockenspiel, Music Box, Vibraphone, Marimba, Xylophone, Tubular Bells, Dulcimer
Organ: Drawbar Organ, Percussive Organ, Rock Organ, Church Organ, Reed Organ, Accordion, Harmonica, Tango Accordion
Guitar: Nylon Guitar, Steel Guitar, Jazz Guitar, Clean Guitar, Muted Guitar, Overdriven Guitar, Distortion Guitar,
    Guitar Harmonics
Bass: Acoustic Bass, Fingered Bass, Picked Bass, Fretless Bass, Slap Bass 1, Slap Bass 2, Synth Bass 1, Synth Bass 2
Strings: Violin, Viola, Cello, Contrabass, Tremolo Strings, Pizzicato Strings, Orchestral Harp, Timpani
Ensemble: String Ensemble 1, String Ensemble 2, Synth Strings 1, Synth Strings 2, Choir Aahs, Voice Oohs, Synth Voice,
    Orchestra Hit
Brass: Trumpet, Trombone, Tuba, Muted Trumpet, French Horn, Brass Section, Synth Brass 1, Synth Brass 2
Reed: Soprano Sax, Alto Sax, Tenor Sax, Baritone Sax, Oboe, English Horn, Bassoon, Clarinet
Pipe: Piccolo, Flute, Recorder, Pan Flute, Blown Bottle, Shakuhachi, Whistle, Ocarina
Synth lead: Square Lead, Sawtooth Lead, Calliope Lead, Chiff Lead, Charang Lead, Voice Lead, Fifths Lead,
    Bass and Lead
Synth pad: New Age Pad, Warm Pad, Polysynth Pad, Choir Pad, Bowed Pad, Metallic Pad, Halo Pad, Sweep Pad
Synth effects: Rain, Soundtrack, Crystal, Atmosphere, Brightness, Goblins, Echoes, Sci-fi
World: Sitar, Banjo, Shamisen, Koto, Kalimba, Bagpipe, Fiddle, Shanai
Percussive: Tinkle Bell, Agogo, Steel Drums, Woodblock, Taiko Drum, Melodic Tom, Synth Drum, Reverse Cymbal
Sound effects: Guitar Fret Noise, Breath Noise, Seashore, Bird Tweet, Telephone Ring, Helicopter, Applause, Gunshot
"""


def _families() -> dict[str, tuple[str, ...]]:
    rows = _TABLE.replace("\n    ", " ").strip().splitlines()
    return {
        family: tuple(name.strip() for name in names.split(","))
        for family, _, names in (row.partition(":") for row in rows)
    }


FAMILIES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(_families())
"""The eight names of each family, in program order."""

NAMES: Final = tuple(name for names in FAMILIES.values() for name in names)
"""The name of each program, 0–127."""


def parse_program(name: str | int) -> int:
    """Return the program number of a name (case-insensitive) or of a number 0–127.

    Raises:
        SettingsError: There is no such instrument. The message suggests the nearest name.
    """
    word = str(name).strip()
    if word.isascii() and word.isdecimal() and len(word) <= 3 and int(word) < len(NAMES):
        return int(word)
    program = {name.casefold(): number for number, name in enumerate(NAMES)}.get(word.casefold())
    if program is None:
        hint = did_you_mean(word.title(), NAMES)
        raise SettingsError(
            f"unknown instrument '{word[:40]}'; use a General MIDI name or a number from 0 to 127.{hint}"
        )
    return program
