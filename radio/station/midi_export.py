"""Export of composed bars as a MIDI file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from radio.compose.composer import Bar
from radio.music import midi
from radio.music.events import NoteEvent
from radio.settings.station import StationSettings
from radio.station.factory import open_composer
from radio.station.layers import PLAYED_LAYERS
from radio.types import TICKS_PER_BAR, Seconds, Tick


def write_midi(
    settings: StationSettings,
    *,
    minutes: float,
    seed: int,
    path: Path,
    on_progress: Callable[[float], None] = lambda _: None,
) -> None:
    """Compose `minutes` of a station and write them as a MIDI file with tempo, meter and one track per layer.

    Notes are written on their ticks: swing and human timing are added only to the sound. The same checkpoints, settings
    and seed give the same bytes.

    Args:
        on_progress: called with the completed share of the work, 0–1.
    """
    composer = open_composer(settings, seed)
    bars: list[Bar] = []
    left = 60 * minutes
    while left > 0:
        bars.append(composer.next_bar(settings.controls))
        left -= bars[-1].seconds
        on_progress(min(1.0, 1 - left / (60 * minutes)))
    write_bars(settings, bars, seconds=60 * minutes, path=path)


def write_bars(settings: StationSettings, bars: Sequence[Bar], *, seconds: Seconds, path: Path) -> None:
    """Write `bars`, which start with the station's first one, as a MIDI file that lasts for `seconds`.

    Layers that the settings mute, and a lead that no bar has, are left out.
    """
    end = _tick_at(bars, seconds)
    layers = [layer for layer in PLAYED_LAYERS if not getattr(settings.controls, f"{layer}_mute")]
    events = {layer: [event for bar in bars for event in bar.events[layer]] for layer in layers}
    layers = [layer for layer in layers if layer != "lead" or events[layer]]
    programs = [(bar.plan.tick, bar.track.programs) for bar in bars if bar.plan.tick < end]
    tracks = [midi_track(layer, midi.excerpt(events[layer], 0, end), programs, settings.drum_kit) for layer in layers]
    tempos: dict[Tick, float] = {}
    for bar in bars:
        if bar.plan.tick < end and (not tempos or bar.tempo != next(reversed(tempos.values()))):
            tempos[bar.plan.tick] = bar.tempo
    midi.write(path, tracks, tempos, end=end)


def midi_track(
    layer: str, events: Sequence[NoteEvent], programs: Iterable[tuple[Tick, Mapping[str, int]]], drum_kit: int
) -> midi.MidiTrack:
    """Return a layer as a MIDI track.

    Args:
        layer: its name.
        events: its notes.
        programs: ticks of bars and the programs of their layers, in order.
        drum_kit: the program of the drums.
    """
    if layer == "drums":
        return midi.MidiTrack(layer, events, drum_kit, drums=True)
    changes: dict[Tick, int] = {}
    for tick, by_layer in programs:
        if layer in by_layer and by_layer[layer] not in [*changes.values()][-1:]:
            changes[tick] = by_layer[layer]
    first = next(iter(changes), 0)
    return midi.MidiTrack(layer, events, changes.pop(first, 0), programs=changes)


def _tick_at(bars: Sequence[Bar], seconds: Seconds) -> Tick:
    """Return the tick at which `seconds` of `bars` have passed."""
    left = seconds
    for bar in bars:
        if left <= bar.seconds:
            return bar.plan.tick + round(left / bar.seconds * TICKS_PER_BAR)
        left -= bar.seconds
    return len(bars) * TICKS_PER_BAR
