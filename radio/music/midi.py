"""Reading and writing of standard MIDI files."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import mido

from radio.errors import MidiError
from radio.music.events import NoteEvent
from radio.music.midi_files import MidiFile, files_of
from radio.music.midi_score import DRUM_CHANNEL, Score, score_of
from radio.music.names import shown
from radio.types import BEATS_PER_BAR, TICKS_PER_BEAT, Tick

_EXPRESSION: Final = 11


def read(path: Path) -> Score:
    """Read a MIDI file: a plain one, one in RIFF, or the only one in a zip archive.

    Raises:
        MidiError: The file is missing, is not MIDI, is too long, or counts time in SMPTE frames; the message names it.
    """
    files = list(files_of(path))
    if len(files) != 1:
        names = ", ".join(file.name.rpartition("/")[2] for file in files[:5])
        held = (
            f"it contains {len(files):,} MIDI files ({names}{', …' if len(files) > 5 else ''})"
            if files
            else "it contains no MIDI file"
        )
        raise MidiError(f"{shown(path)}: {held}; name one file, unpacked")
    return read_file(files[0])


def read_file(file: MidiFile) -> Score:
    """Read a MIDI file on disk or in an archive. Raises MidiError like `read`."""
    data = file.read()
    try:
        return score_of(data)
    except MidiError as error:
        raise MidiError(f"{file.name}: {error}") from None


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

    programs: program changes during the track, by tick.
    expression: values of the expression controller, 0–127, by tick.
    """

    name: str
    events: Sequence[NoteEvent]
    program: int = 0
    drums: bool = False
    programs: Mapping[Tick, int] = field(default_factory=dict)
    expression: Sequence[tuple[Tick, int]] = ()


def layer_track(
    layer: str, events: Sequence[NoteEvent], programs: Iterable[tuple[Tick, Mapping[str, int]]]
) -> MidiTrack:
    """Return a layer as a MIDI track.

    Args:
        layer: its name.
        events: its notes.
        programs: ticks of bars with the programs of their layers, in order.
    """
    changes: dict[Tick, int] = {}
    for tick, by_layer in programs:
        if layer in by_layer and by_layer[layer] not in [*changes.values()][-1:]:
            changes[tick] = by_layer[layer]
    first = next(iter(changes), 0)
    return MidiTrack(layer, events, changes.pop(first, 0), drums=layer == "drums", programs=changes)


def write(
    path: Path,
    tracks: Sequence[MidiTrack],
    tempos: Mapping[Tick, float],
    *,
    end: Tick,
    title: str = "",
    markers: Sequence[tuple[Tick, str]] = (),
) -> None:
    """Write a MIDI file. The arguments are those of `encode`."""
    path.write_bytes(encode(tracks, tempos, end=end, title=title, markers=markers))


def encode(
    tracks: Sequence[MidiTrack],
    tempos: Mapping[Tick, float],
    *,
    end: Tick,
    title: str = "",
    markers: Sequence[tuple[Tick, str]] = (),
) -> bytes:
    """Return a format 1 file in 4/4: a track for tempos and the time signature, then one per part; bar 1 is at tick 0.

    Args:
        tracks: their events are sorted by tick, releases before strikes on equal ticks.
        tempos: beats per minute, by the tick at which they start.
        end: length of the file in ticks.
        title: name of the piece.
        markers: names of positions, with their ticks.
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
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


def _midi_messages(track: MidiTrack, channel: int, end: Tick) -> mido.MidiTrack:
    messages = mido.MidiTrack()
    messages.append(mido.MetaMessage("track_name", name=track.name, time=0))
    messages.append(mido.Message("program_change", channel=channel, program=track.program, time=0))
    events = [
        (tick, mido.Message("program_change", channel=channel, program=program))
        for tick, program in track.programs.items()
    ]
    events += [
        (tick, mido.Message("control_change", channel=channel, control=_EXPRESSION, value=value))
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
    """Append messages sorted by tick, and the end of the track; messages on the same tick keep their order."""
    now = 0
    for tick, message in sorted(events, key=lambda event: event[0]):
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=max(0, end - now)))


def _latin(text: str) -> str:
    """Return `text` for a MIDI file: characters outside Latin-1 become question marks."""
    return text.encode("latin-1", "replace").decode("latin-1")
