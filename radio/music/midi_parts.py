"""Selection of a part of a MIDI file: the keyboard's, or the one that a user names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from radio.errors import MidiError, SettingsError
from radio.music.instruments import NAMES, parse_program
from radio.music.midi_score import DRUM_CHANNEL, FileNote

KEYBOARDS: Final = frozenset((*range(8), *range(16, 21)))
"""General MIDI programs of pianos, harpsichord, clavinet and organs."""

_KEYBOARD_NAME: Final = re.compile(r"piano|keys|keyboard|rhodes|wurl|organ|clav|e\.?p\.?\b", re.IGNORECASE)
_OTHER_NAME: Final = re.compile(
    r"melod|vocal|voice|sing|choir|lead|solo|bass|guitar|git|string|violin|cello|brass|horn|sax|flute|drum|perc|pad|synth",
    re.IGNORECASE,
)

_CHANNELS: Final = 16

_MOST_LISTED: Final = 8
"""Most parts that a message lists."""


@dataclass(frozen=True, slots=True)
class PartChoice:
    """The part that a user names: a track by its name or number, a channel 1–16, a General MIDI program 0–127."""

    track: str | None = None
    channel: int | None = None
    program: int | None = None

    @property
    def is_made(self) -> bool:
        """True if a part is named."""
        return (self.track, self.channel, self.program) != (None, None, None)

    def selects(self, note: FileNote) -> bool:
        """Return True if the note belongs to the part."""
        return (
            (self.track is None or self.track.casefold() in (note.track.casefold(), str(note.number)))
            and self.channel in (None, note.channel + 1)
            and self.program in (None, note.program)
        )


def parse_part(words: str) -> PartChoice:
    """Return the part named by words such as `channel 3`, `program 4` or `track Piano`; empty words name none.

    Raises:
        SettingsError: The words do not name a part.
    """
    kind, _, name = words.strip().partition(" ")
    match kind:
        case "":
            return PartChoice()
        case "channel" if name.isdecimal() and 1 <= int(name) <= _CHANNELS:
            return PartChoice(channel=int(name))
        case "program" if name:
            return PartChoice(program=parse_program(name))
        case "track" if name:
            return PartChoice(track=name)
    raise SettingsError(
        f"unknown part '{words}'; write channel 1 to 16, program and its name or number, or track and its name"
    )


Voice: TypeAlias = tuple[int, int, int]
"""Track number, channel and program: the notes of a track on a channel with a program."""


def voice_of(note: FileNote) -> Voice:
    """Return the voice that a note belongs to."""
    return note.number, note.channel, note.program


def part_voices(notes: Sequence[FileNote], choice: PartChoice, *, drums: bool = False) -> frozenset[Voice]:
    """Return the voices of the keyboard, of the drums, or of the part that is named.

    A keyboard is recognized by its program or the name of its track. If a file has neither such names nor programs,
    everything except the drums counts as the keyboard. Drums are on channel 10.

    Raises:
        MidiError: There is no such part; the message lists the parts.
    """
    examples = {voice_of(note): note for note in notes}
    if choice.is_made:
        voices = [voice for voice, note in examples.items() if choice.selects(note)]
        if not voices:
            raise MidiError(f"it has no such part; {_listed(examples)}")
        return frozenset(voices)
    if drums:
        return frozenset(voice for voice, note in examples.items() if note.channel == DRUM_CHANNEL)
    pitched = {voice: note for voice, note in examples.items() if note.channel != DRUM_CHANNEL}
    keyboards = [voice for voice, note in pitched.items() if _is_keyboard(note)]
    if not keyboards and all(note.program == 0 for note in pitched.values()):
        keyboards = [*pitched]
    if not keyboards and pitched:
        raise MidiError(f"it has no keyboard part; {_listed(examples)}")
    return frozenset(keyboards)


def _is_keyboard(note: FileNote) -> bool:
    if _KEYBOARD_NAME.search(note.track):
        return True
    return note.program in KEYBOARDS and not (note.program == 0 and _OTHER_NAME.search(note.track))


def _listed(examples: Mapping[Voice, FileNote]) -> str:
    """Return a description of a file's parts, which asks for one of them."""
    shown = []
    for (number, channel, program), note in sorted(examples.items())[:_MOST_LISTED]:
        instrument = "drums" if channel == DRUM_CHANNEL else f"program {program}, {NAMES[program]}"
        name = f" '{note.track}'" if note.track else ""
        shown.append(f"track {number}{name}, channel {channel + 1} ({instrument})")
    more = f" and {len(examples) - _MOST_LISTED} more" if len(examples) > _MOST_LISTED else ""
    return f"choose a track, channel or program: {'; '.join(shown) or 'there are no notes'}{more}"
