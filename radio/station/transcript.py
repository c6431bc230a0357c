"""Export of aired passages as a MIDI file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from radio.music import midi
from radio.music.events import NoteEvent
from radio.settings.controls import PLAYED_LAYERS
from radio.station.aired import AiredPassage
from radio.types import SAMPLE_RATE, TICKS_PER_BAR, TICKS_PER_BEAT, Tick


def encode(passages: Sequence[AiredPassage]) -> bytes:
    """Return consecutive passages as a MIDI file that starts with the first bar line in them.

    Notes are written on their ticks: swing and human timing are part of the sound only. Notes that began before the
    first bar are left out, and notes that sound at the end of a passage are released there. Each passage starts on a
    bar line.
    """
    events: dict[str, list[NoteEvent]] = {layer: [] for layer in PLAYED_LAYERS}
    tempos: dict[Tick, float] = {}
    programs: list[tuple[Tick, Mapping[str, int]]] = []
    place: Tick = 0
    for passage in passages:
        if not passage.bars:
            continue
        first, last = passage.bars[0], passage.bars[-1]
        start = first.number * TICKS_PER_BAR
        beats = (passage.end - last.frame) / SAMPLE_RATE * last.tempo / 60
        end = last.number * TICKS_PER_BAR + round(beats * TICKS_PER_BEAT)
        tempos |= {bar.number * TICKS_PER_BAR - start + place: bar.tempo for bar in passage.bars}
        programs += [(bar.number * TICKS_PER_BAR - start + place, bar.programs) for bar in passage.bars]
        for layer in PLAYED_LAYERS:
            notes = sorted(
                NoteEvent(note.tick, note.note, note.velocity) for note in passage.notes if note.layer == layer
            )
            events[layer] += _shifted(midi.excerpt(notes, start, end), place - start)
        place += -(-(end - start) // TICKS_PER_BAR) * TICKS_PER_BAR
    layers = [layer for layer in PLAYED_LAYERS if layer != "lead" or events[layer]]
    tracks = [midi.layer_track(layer, events[layer], programs) for layer in layers]
    return midi.encode(tracks, tempos, end=place)


def _shifted(events: Sequence[NoteEvent], ticks: Tick) -> list[NoteEvent]:
    return [NoteEvent(event.tick + ticks, event.note, event.velocity) for event in events]
