"""Conversion of a MIDI file's events to notes.

The tokens have no controllers, so reading turns the sustain pedal into note lengths, and channel volume and expression
(CC 7, CC 11) into velocity, as the reference thesis does. A controller applies to its channel, in any track.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from operator import itemgetter
from typing import Final

from radio.errors import MidiError
from radio.music import smf
from radio.music.midi_files import unwrapped
from radio.music.names import decode
from radio.types import BEATS_PER_BAR, Seconds

DRUM_CHANNEL: Final = 9
SILENCE: Final[Seconds] = 10.0
"""A longer silence ends a piece."""

LONGEST_NOTE: Final = 128
"""Quarter notes after which a note ends if it is not released."""

MOST_QUARTERS: Final = 60_000
"""Length of the longest file that is read, in quarter notes: eight hours at 120 per minute."""

MOST_NOTES: Final = 250_000
"""Most notes in a file that is read."""

_TEMPO: Final = 500_000
"""Default microseconds per quarter note: 120 per minute."""

_VOLUME, _EXPRESSION, _PEDAL, _SOUND_OFF, _RESET = 7, 11, 64, 120, 121
_NOTES_OFF: Final = range(123, 128)
_MOST_FLATS_OR_SHARPS: Final = 7
_SHORTEST_UNIT: Final = 6
"""Exponent of the shortest unit of a meter: a sixty-fourth."""


@dataclass(frozen=True, slots=True, order=True)
class FileNote:
    """A note of a MIDI file.

    start, end: file ticks, with the sustain pedal applied. velocity: 1–127, scaled by volume and expression. track:
    name of its track, or "". program: General MIDI program of its channel. number: number of its track, from 1.
    """

    start: int
    end: int
    note: int
    velocity: int
    channel: int
    track: str
    program: int = 0
    number: int = 1


@dataclass(frozen=True)
class Score:
    """The notes of a MIDI file with its tempos, meters and keys, all sorted by tick.

    ppq: file ticks per quarter note. tempos: (file tick, microseconds per quarter note). time_signatures: (file tick,
    numerator, denominator). keys: (file tick, sharps, or flats if negative, True if minor). breaks: ticks at which
    another pattern begins. warnings: descriptions of damage that was skipped. timed: True if the ticks measure time
    rather than beats, as in the transcription of a recording.
    """

    ppq: int
    notes: Sequence[FileNote] = ()
    tempos: Sequence[tuple[int, int]] = ()
    time_signatures: Sequence[tuple[int, int, int]] = ()
    keys: Sequence[tuple[int, int, bool]] = ()
    breaks: Sequence[int] = ()
    warnings: Sequence[str] = ()
    timed: bool = False

    def seconds(self, tick: int) -> Seconds:
        """Return the time of `tick` according to the tempo map of the file."""
        ticks, times = self._tempo_map
        place = bisect_right(ticks, tick) - 1
        tempo = self.tempos[place - 1][1] if place else _TEMPO
        return (times[place] + (tick - ticks[place]) * tempo) / self.ppq / 1e6

    @cached_property
    def _tempo_map(self) -> tuple[list[int], list[int]]:
        """The ticks at which the tempo changes, from 0, and the time of each in ticks × microseconds per quarter."""
        changes = [(0, _TEMPO), *self.tempos]
        lengths = ((after - before) * tempo for (before, tempo), (after, _) in pairwise(changes))
        return [tick for tick, _ in changes], [0, *accumulate(lengths)]

    def pieces(self) -> list[list[FileNote]]:
        """Return the notes, split into pieces at the start of each pattern and at silences longer than `SILENCE`."""
        pieces: list[list[FileNote]] = []
        sounding_until = 0
        patterns = 0
        for note in self.notes:
            begun, patterns = patterns, bisect_right(self.breaks, note.start)
            silent = self.seconds(note.start) - self.seconds(sounding_until)
            if not pieces or patterns > begun or silent > SILENCE:
                pieces.append([])
            pieces[-1].append(note)
            sounding_until = max(sounding_until, note.end)
        return pieces


def score_of(data: bytes) -> Score:
    """Return the notes of a MIDI file. The patterns of a type 2 file follow one another.

    Raises:
        MidiError: The bytes are not a MIDI file, or the file is too long.
    """
    file = smf.parse(unwrapped(data))
    reader = _Reader(file.ppq)
    tracks = [(number, start, end) for number, (start, end) in enumerate(file.tracks, 1)]
    for pattern in [[track] for track in tracks] if file.format == 2 else [tracks]:
        reader.begin_pattern()
        reader.read(file.data, pattern)
    return reader.score(file.warnings)


class _Reader:
    """A converter from events to the notes of a score. At most one note sounds per key (track, channel, note)."""

    def __init__(self, ppq: int) -> None:
        self._ppq = ppq
        self._offset = 0
        self._notes: list[tuple[int, int, int, int, int, int, int]] = []
        self._names: dict[int, str] = {}
        self._tempos: list[tuple[int, int]] = []
        self._meters: list[tuple[int, int, int]] = []
        self._keys: list[tuple[int, int, bool]] = []
        self._breaks: list[int] = []
        self._channels: dict[tuple[int, int], _Channel] = {}

    def begin_pattern(self) -> None:
        """Begin a pattern at the bar line after all notes so far, with the default tempo and meter."""
        last = max((note[1] for note in self._notes), default=0)
        bar = BEATS_PER_BAR * self._ppq
        if self._notes:
            self._offset = -(-last // bar) * bar
            self._breaks.append(self._offset)
            self._tempos.append((self._offset, _TEMPO))
            self._meters.append((self._offset, 4, 4))
        self._channels = {}

    def read(self, data: bytes, tracks: Sequence[tuple[int, int, int]]) -> None:
        """Read simultaneous tracks; each is (number, first byte, byte after the last)."""
        streams = [_numbered(number, smf.events(data, start, end)) for number, start, end in tracks]
        merged = heapq.merge(*streams, key=itemgetter(1)) if len(streams) > 1 else streams[0]
        ports: dict[int, int] = {}
        tick = 0
        for number, tick, status, first, second, text in merged:
            now = tick + self._offset
            if status == smf.META:
                if first == smf.PORT and text:
                    ports[number] = text[0]
                else:
                    self._meta(now, number, first, text)
                continue
            key = ports.get(number, 0), status & 0x0F
            if key not in self._channels:
                self._channels[key] = _Channel(key[1], LONGEST_NOTE * self._ppq, self._notes)
            self._play(self._channels[key], now, number, (status & 0xF0, first, second))
            if len(self._notes) > MOST_NOTES:
                raise MidiError(f"it has more than {MOST_NOTES:,} notes, the limit")
        for player in self._channels.values():
            player.end(tick + self._offset)

    def _play(self, channel: _Channel, now: int, number: int, message: tuple[int, int, int]) -> None:
        """Handle a channel message: its kind and its two data bytes."""
        kind, first, second = message
        if kind == 0x90 and second:
            if now > MOST_QUARTERS * self._ppq:
                raise MidiError(f"it lasts {now // self._ppq:,} quarter notes; the limit is {MOST_QUARTERS:,}")
            channel.strike(now, number, first, second)
        elif kind in (0x80, 0x90):
            channel.lift(now, number, first)
        elif kind == 0xB0:
            channel.control(now, first, second)
        elif kind == 0xC0:
            channel.program = first

    def score(self, warnings: Sequence[str]) -> Score:
        self._notes.sort()
        names = self._names
        notes = [
            FileNote(start, end, note, velocity, channel, names.get(number, ""), program, number)
            for start, end, note, velocity, channel, number, program in self._notes
        ]
        return Score(self._ppq, notes, self._tempos, self._meters, self._keys, self._breaks, warnings)

    def _meta(self, now: int, number: int, kind: int, text: bytes) -> None:
        """Record a tempo, meter, key or name; ignore one that is cut short or out of range."""
        if kind == smf.TRACK_NAME:
            self._names.setdefault(number, decode(text))
        elif kind == smf.TEMPO and len(text) >= 3 and any(text[:3]):
            self._tempos.append((now, int.from_bytes(text[:3], "big")))
        elif kind == smf.TIME_SIGNATURE and len(text) >= 2 and text[0] and text[1] <= _SHORTEST_UNIT:
            self._meters.append((now, text[0], 2 ** text[1]))
        elif kind == smf.KEY_SIGNATURE and len(text) >= 2 and text[1] <= 1:
            sharps = text[0] - 256 if text[0] > 127 else text[0]
            if abs(sharps) <= _MOST_FLATS_OR_SHARPS:
                self._keys.append((now, sharps, text[1] == 1))


class _Channel:
    """A channel: its controllers, and the notes that sound.

    Args:
        number: Number of the channel, 0–15.
        longest: Ticks after which a note ends if it is not released.
        notes: List that ended notes are appended to.
    """

    def __init__(self, number: int, longest: int, notes: list[tuple[int, int, int, int, int, int, int]]) -> None:
        self.program = 0
        self._number = number
        self._longest = longest
        self._notes = notes
        self._pedal = False
        self._loudness = {_VOLUME: 127, _EXPRESSION: 127}
        self._held: dict[tuple[int, int], tuple[int, int, int]] = {}
        """Start, velocity and program of the notes that sound, by track and note."""
        self._lifted: dict[tuple[int, int], None] = {}
        """The sounding notes that only the pedal sustains, in the order of their releases."""

    def strike(self, now: int, track: int, note: int, velocity: int) -> None:
        self._release(now, (track, note))
        scaled = round(velocity * self._loudness[_VOLUME] / 127 * self._loudness[_EXPRESSION] / 127)
        self._held[track, note] = now, max(1, scaled), self.program

    def lift(self, now: int, track: int, note: int) -> None:
        if not self._pedal:
            self._release(now, (track, note))
        elif (track, note) in self._held:
            self._lifted[track, note] = None

    def control(self, now: int, control: int, value: int) -> None:
        if control == _PEDAL:
            self._set_pedal(now, down=value >= 64)
        elif control in self._loudness:
            self._loudness[control] = value
        elif control == _SOUND_OFF:
            self.end(now)
        elif control == _RESET:
            self._set_pedal(now, down=False)
            self._loudness[_EXPRESSION] = 127
        elif control in _NOTES_OFF:
            for key in list(self._held):
                self.lift(now, *key)

    def end(self, now: int) -> None:
        """End all notes."""
        for key in list(self._held):
            self._release(now, key)

    def _set_pedal(self, now: int, *, down: bool) -> None:
        self._pedal = down
        if not down:
            for key in list(self._lifted):
                self._release(now, key)

    def _release(self, now: int, key: tuple[int, int]) -> None:
        struck = self._held.pop(key, None)
        self._lifted.pop(key, None)
        if struck is not None:
            start, velocity, program = struck
            end = min(max(now, start + 1), start + self._longest)
            self._notes.append((start, end, key[1], velocity, self._number, key[0], program))


def _numbered(number: int, events: Iterable[smf.Event]) -> Iterable[tuple[int, int, int, int, int, bytes]]:
    return ((number, *event) for event in events)
