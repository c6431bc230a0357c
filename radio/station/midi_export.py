"""Export of composed bars as a MIDI file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from radio.compose.composer import Bar
from radio.music import midi
from radio.settings.station import StationSettings
from radio.station.factory import open_composer
from radio.station.layers import PLAYED_LAYERS
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT, Tick


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
    end: Tick = round(minutes * settings.controls.tempo * TICKS_PER_BEAT)
    bars: list[Bar] = []
    while composer.next_number * TICKS_PER_BAR < end:
        bars.append(composer.next_bar(settings.controls))
        on_progress(min(1.0, composer.next_number * TICKS_PER_BAR / end))
    write_bars(settings, bars, end=end, path=path)


def write_bars(settings: StationSettings, bars: Sequence[Bar], *, end: Tick, path: Path) -> None:
    """Write `bars`, which start with the station's first one, as a MIDI file that ends at `end`.

    Layers that the settings mute are left out.
    """
    layers = [layer for layer in PLAYED_LAYERS if not getattr(settings.controls, f"{layer}_mute")]
    events = {layer: [event for bar in bars for event in bar.events[layer]] for layer in layers}
    programs = {"keys": settings.keys_program, "bass": settings.bass_program, "drums": settings.drum_kit}
    tracks = [
        midi.MidiTrack(layer, midi.excerpt(events[layer], 0, end), programs[layer], layer == "drums")
        for layer in layers
    ]
    midi.write(path, tracks, {0: settings.controls.tempo}, end=end)
