"""The first bars of a station, as the score for synthesizer benchmarks."""

from __future__ import annotations

from collections.abc import Mapping

from radio.compose.feel import LOOKAHEAD, Feel
from radio.music.clock import Clock
from radio.settings.controls import PLAYED_LAYERS
from radio.settings.station import StationSettings
from radio.station.factory import open_composer
from radio.types import GRID, TICKS_PER_BAR, Frames, SynthEvent

_BARS = 16


def score(settings: StationSettings, *, times: int = 1) -> tuple[Mapping[str, list[SynthEvent]], Frames]:
    """Return the events of the station's first 16 bars by layer, repeated `times` times, and the length of the bars."""
    composer, clock = open_composer(settings, settings.seed), Clock(settings.controls.tempo)
    events: dict[str, list[SynthEvent]] = {layer: [] for layer in PLAYED_LAYERS}
    feels = {layer: Feel(layer, 1) for layer in events}
    for _ in range(_BARS):
        for layer, played in composer.next_bar(settings.controls).events.items():
            for event in played:
                frame = feels[layer].place(event.tick, event.note, clock, settings.controls.swing) + LOOKAHEAD
                events[layer].append(SynthEvent(frame - frame % GRID, event.note, event.velocity))
    length = clock.frame(_BARS * TICKS_PER_BAR)
    length -= length % GRID
    repeated = {
        layer: [
            SynthEvent(event.frame + time * length, event.note, event.velocity)
            for time in range(times)
            for event in once
        ]
        for layer, once in events.items()
    }
    return repeated, length
