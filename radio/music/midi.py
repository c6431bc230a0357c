"""Reading and writing of standard MIDI files.

The tokens have no controllers, so reading turns the sustain pedal into note lengths, and channel volume and expression
(CC 7, CC 11) into velocity, as the reference thesis does.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import mido

from radio.errors import MidiError
from radio.music.events import NoteEvent
from radio.types import BEATS_PER_BAR, TICKS_PER_BEAT, Seconds, Tick

PEDAL, VOLUME, EXPRESSION = 64, 7, 11
DRUM_CHANNEL = 9
SILENCE: Seconds = 10.0
"""A longer silence ends a piece."""


@dataclass(frozen=True, slots=True, order=True)
class FileNote:
    """A note of a MIDI file.

    start, end: file ticks, with the sustain pedal applied.
    velocity: 1–127, scaled by volume and expression.
    """

    start: int
    end: int
    note: int
    velocity: int
    channel: int
    track: str


@dataclass(slots=True)
class Score:
    """The notes of a MIDI file with its tempos and time signatures.

    ppq: file ticks per quarter note.
    """

    ppq: int
    notes: list[FileNote] = field(default_factory=list)
    tempos: list[tuple[int, int]] = field(default_factory=list)
    """(file tick, microseconds per quarter note), in order."""
    time_signatures: list[tuple[int, int, int]] = field(default_factory=list)
    """(file tick, numerator, denominator), in order."""

    def seconds(self, tick: int) -> Seconds:
        """Return the time of `tick` according to the tempo map of the file."""
        total, last, tempo = 0.0, 0, 500_000
        for change, new_tempo in self.tempos[: bisect_right(self.tempos, (tick, 1 << 30))]:
            total += (change - last) * tempo
            last, tempo = change, new_tempo
        return (total + (tick - last) * tempo) / self.ppq / 1e6

    def pieces(self) -> list[list[FileNote]]:
        """Return the notes, split into pieces at silences longer than `SILENCE`."""
        pieces: list[list[FileNote]] = []
        sounding_until = 0
        for note in self.notes:
            if not pieces or self.seconds(note.start) - self.seconds(sounding_until) > SILENCE:
                pieces.append([])
            pieces[-1].append(note)
            sounding_until = max(sounding_until, note.end)
        return pieces


def read(path: Path) -> Score:
    """Read a MIDI file.

    Raises:
        MidiError: The file is missing, is not MIDI, or counts time in SMPTE frames.
    """
    try:
        file = mido.MidiFile(path, clip=True)
    except FileNotFoundError:
        raise MidiError(f"{path}: no such file") from None
    except Exception as error:  # mido raises many types on malformed bytes
        raise MidiError(f"{path}: not a standard MIDI file ({str(error) or type(error).__name__})") from error
    if not 0 < file.ticks_per_beat < 0x8000:
        raise MidiError(f"{path}: its time is in SMPTE frames; use a file with ticks per quarter note")
    score = Score(file.ticks_per_beat)
    reader = _Reader(score)
    for now, track, message in _merge_tracks(file):
        reader.feed(now, track, message)
    reader.finish()
    score.notes.sort()
    return score


def _merge_tracks(file: mido.MidiFile) -> list[tuple[int, str, mido.Message | mido.MetaMessage]]:
    """Return all messages by absolute file tick; within a tick they keep the order of the tracks."""
    merged = []
    for track in file.tracks:
        now = 0
        for message in track:
            now += message.time
            merged.append((now, track.name, message))
    merged.sort(key=lambda entry: entry[0])
    return merged


class _Reader:
    """A converter from MIDI messages to the notes of a score.

    Applies pedal, volume and expression. At most one note sounds per key (track, channel, note).
    """

    def __init__(self, score: Score) -> None:
        self.score = score
        self.now = 0
        self.pedal: dict[tuple[str, int], bool] = {}
        self.loudness: dict[tuple[str, int, int], int] = {}
        self.held: dict[tuple[str, int, int], tuple[int, int]] = {}
        self.pedalled: set[tuple[str, int, int]] = set()

    def feed(self, now: int, track: str, message: mido.Message | mido.MetaMessage) -> None:
        self.now = now
        if message.type == "set_tempo":
            self.score.tempos.append((now, message.tempo))
        elif message.type == "time_signature":
            self.score.time_signatures.append((now, message.numerator, message.denominator))
        elif message.type == "control_change":
            self._control(track, message.channel, message.control, message.value)
        elif message.type in ("note_on", "note_off"):
            key = (track, message.channel, message.note)
            if message.type == "note_on" and message.velocity:
                self._release(key)
                self.held[key] = (now, self._velocity(track, message.channel, message.velocity))
            elif self.pedal.get((track, message.channel)):
                if key in self.held:
                    self.pedalled.add(key)
            else:
                self._release(key)

    def finish(self) -> None:
        for key in list(self.held):
            self._release(key)

    def _control(self, track: str, channel: int, control: int, value: int) -> None:
        if control == PEDAL:
            down = value >= 64
            self.pedal[track, channel] = down
            if not down:
                for key in [key for key in self.pedalled if key[:2] == (track, channel)]:
                    self._release(key)
        elif control in (VOLUME, EXPRESSION):
            self.loudness[track, channel, control] = value

    def _velocity(self, track: str, channel: int, velocity: int) -> int:
        volume = self.loudness.get((track, channel, VOLUME), 127)
        expression = self.loudness.get((track, channel, EXPRESSION), 127)
        return max(1, round(velocity * volume / 127 * expression / 127))

    def _release(self, key: tuple[str, int, int]) -> None:
        struck = self.held.pop(key, None)
        self.pedalled.discard(key)
        if struck is not None:
            track, channel, note = key
            start, velocity = struck
            self.score.notes.append(FileNote(start, max(self.now, start + 1), note, velocity, channel, track))


def excerpt(events: Sequence[NoteEvent], start: Tick, end: Tick) -> list[NoteEvent]:
    """Return the events of the notes that start in `start` ≤ tick < `end`; notes still sounding at `end` end there."""
    selected: list[NoteEvent] = []
    sounding: set[int] = set()
    for event in events:
        if start <= event.tick < end and (event.velocity or event.note in sounding):
            selected.append(event)
            (sounding.add if event.velocity else sounding.discard)(event.note)
    return selected + [NoteEvent(end, note, 0) for note in sorted(sounding)]


@dataclass(frozen=True, slots=True)
class MidiTrack:
    """A track to write: one part with a General MIDI program 0–127, or drums on channel 10.

    programs: changes of the program during the track, by tick.
    expression: values of the controller, 0–127, by tick.
    """

    name: str
    events: Sequence[NoteEvent]
    program: int = 0
    drums: bool = False
    programs: Mapping[Tick, int] = field(default_factory=dict)
    expression: Sequence[tuple[Tick, int]] = ()


def write(
    path: Path,
    tracks: Sequence[MidiTrack],
    tempos: Mapping[Tick, float],
    *,
    end: Tick,
    title: str = "",
    markers: Sequence[tuple[Tick, str]] = (),
) -> None:
    """Write a format 1 file in 4/4: one track for tempos and the time signature, then one per part; bar 1 is at tick 0.

    Args:
        path: the target.
        tracks: their events are sorted by tick, releases before strikes on equal ticks.
        tempos: beats per minute from each tick on.
        end: length of the file in ticks.
        title: name of the whole.
        markers: names of places, by tick.
    """
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    timing = mido.MidiTrack()
    if title:
        timing.append(mido.MetaMessage("track_name", name=_latin(title), time=0))
    timing.append(mido.MetaMessage("time_signature", numerator=BEATS_PER_BAR, denominator=4, time=0))
    changes = [(tick, mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo))) for tick, tempo in tempos.items()]
    changes += [(tick, mido.MetaMessage("marker", text=_latin(name))) for tick, name in markers]
    _append(timing, changes, end)
    file.tracks.append(timing)
    channels = (channel for channel in range(16) if channel != DRUM_CHANNEL)
    for track in tracks:
        channel = DRUM_CHANNEL if track.drums else next(channels)
        file.tracks.append(_midi_messages(track, channel, end))
    file.save(path)


def _midi_messages(track: MidiTrack, channel: int, end: Tick) -> mido.MidiTrack:
    messages = mido.MidiTrack()
    messages.append(mido.MetaMessage("track_name", name=track.name, time=0))
    messages.append(mido.Message("program_change", channel=channel, program=track.program, time=0))
    events = [
        (tick, mido.Message("program_change", channel=channel, program=program))
        for tick, program in track.programs.items()
    ]
    events += [
        (tick, mido.Message("control_change", channel=channel, control=EXPRESSION, value=value))
        for tick, value in track.expression
    ]
    events += [
        (
            event.tick,
            mido.Message(
                "note_on" if event.velocity else "note_off", channel=channel, note=event.note, velocity=event.velocity
            ),
        )
        for event in track.events
    ]
    _append(messages, events, end)
    return messages


def _append(track: mido.MidiTrack, events: list[tuple[Tick, mido.Message]], end: Tick) -> None:
    """Append messages in order of their ticks, and the end of the track; messages of one tick keep their order."""
    now = 0
    for tick, message in sorted(events, key=lambda event: event[0]):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=max(0, end - now)))


def _latin(text: str) -> str:
    """Return text that a MIDI file can hold."""
    return text.encode("latin-1", "replace").decode("latin-1")
