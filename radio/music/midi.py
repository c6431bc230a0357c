"""Standard MIDI files: read as the thesis reads them, written with tempo, metre and one track per part.

Reading folds what the tokens cannot say into what they can: the sustain pedal becomes note lengths, channel volume and
expression (CC 7, CC 11) become velocity.
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
"""A longer silence with nothing held ends a piece."""


@dataclass(frozen=True, slots=True, order=True)
class FileNote:
    """A note as it sounds: start and end in file ticks, velocity 1–127 with volume and expression folded in."""

    start: int
    end: int
    note: int
    velocity: int
    channel: int
    track: str


@dataclass(slots=True)
class Score:
    """A MIDI file's notes and its map of time. ppq: file ticks per quarter note."""

    ppq: int
    notes: list[FileNote] = field(default_factory=list)
    tempos: list[tuple[int, int]] = field(default_factory=list)
    """(file tick, microseconds per quarter note), in order."""
    time_signatures: list[tuple[int, int, int]] = field(default_factory=list)
    """(file tick, numerator, denominator), in order."""

    def seconds(self, tick: int) -> Seconds:
        """When `tick` sounds, by the file's own tempo map."""
        total, last, tempo = 0.0, 0, 500_000
        for at, following in self.tempos[: bisect_right(self.tempos, (tick, 1 << 30))]:
            total += (at - last) * tempo
            last, tempo = at, following
        return (total + (tick - last) * tempo) / self.ppq / 1e6

    def pieces(self) -> list[list[FileNote]]:
        """The notes split where nothing sounds for over ten seconds."""
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
        MidiError: the file is missing, is not MIDI, or keeps time in frames rather than beats.
    """
    try:
        file = mido.MidiFile(path, clip=True)
    except FileNotFoundError:
        raise MidiError(f"{path}: no such file") from None
    except Exception as error:  # mido raises many kinds on malformed bytes
        raise MidiError(f"{path}: not a standard MIDI file ({str(error) or type(error).__name__})") from error
    if not 0 < file.ticks_per_beat < 0x8000:
        raise MidiError(f"{path}: keeps time in SMPTE frames; only files in beats can be read")
    score = Score(file.ticks_per_beat)
    reader = _Reader(score)
    for now, track, message in _merged(file):
        reader.take(now, track, message)
    reader.finish()
    score.notes.sort()
    return score


def _merged(file: mido.MidiFile) -> list[tuple[int, str, mido.Message | mido.MetaMessage]]:
    """All messages in order of absolute file tick, tracks in order within a tick."""
    merged = []
    for track in file.tracks:
        now = 0
        for message in track:
            now += message.time
            merged.append((now, track.name, message))
    merged.sort(key=lambda entry: entry[0])
    return merged


class _Reader:
    """Plays messages through pedal, volume and expression; one key per (track, channel, note) sounds at a time."""

    def __init__(self, score: Score) -> None:
        self.score = score
        self.now = 0
        self.pedal: dict[tuple[str, int], bool] = {}
        self.loudness: dict[tuple[str, int, int], int] = {}
        self.held: dict[tuple[str, int, int], tuple[int, int]] = {}
        self.pedalled: set[tuple[str, int, int]] = set()

    def take(self, now: int, track: str, message: mido.Message | mido.MetaMessage) -> None:
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
    """The notes struck at `start` ≤ tick < `end`, whole: those that still sound at `end` are released there."""
    kept: list[NoteEvent] = []
    sounding: set[int] = set()
    for event in events:
        if start <= event.tick < end and (event.velocity or event.note in sounding):
            kept.append(event)
            (sounding.add if event.velocity else sounding.discard)(event.note)
    return kept + [NoteEvent(end, note, 0) for note in sorted(sounding)]


@dataclass(frozen=True, slots=True)
class MidiTrack:
    """One part to be written: General MIDI program 0–127, or drums on channel 10."""

    name: str
    events: Sequence[NoteEvent]
    program: int = 0
    drums: bool = False


def write(path: Path, tracks: Sequence[MidiTrack], tempos: Mapping[Tick, float], *, end: Tick) -> None:
    """Write a file of format 1 in 4/4: a track for tempo and metre, then one per part, bar 1 at tick 0.

    Args:
        tracks: events in order of tick; on equal ticks releases stand before strikes.
        tempos: beats a minute from each tick on.
        end: the file's length.
    """
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    timing = mido.MidiTrack()
    timing.append(mido.MetaMessage("time_signature", numerator=BEATS_PER_BAR, denominator=4, time=0))
    now = 0
    for tick, tempo in sorted(tempos.items()):
        timing.append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo), time=tick - now))
        now = tick
    timing.append(mido.MetaMessage("end_of_track", time=max(0, end - now)))
    file.tracks.append(timing)
    channels = (channel for channel in range(16) if channel != DRUM_CHANNEL)
    for track in tracks:
        channel = DRUM_CHANNEL if track.drums else next(channels)
        file.tracks.append(_written(track, channel, end))
    file.save(path)


def _written(track: MidiTrack, channel: int, end: Tick) -> mido.MidiTrack:
    messages = mido.MidiTrack()
    messages.append(mido.MetaMessage("track_name", name=track.name, time=0))
    messages.append(mido.Message("program_change", channel=channel, program=track.program, time=0))
    now = 0
    for event in track.events:
        kind = "note_on" if event.velocity else "note_off"
        messages.append(
            mido.Message(kind, channel=channel, note=event.note, velocity=event.velocity, time=event.tick - now)
        )
        now = event.tick
    messages.append(mido.MetaMessage("end_of_track", time=max(0, end - now)))
    return messages
