"""What a station plays in its first bars: the score that synthesizers are measured over."""

from __future__ import annotations

from collections.abc import Mapping

from radio.audio.synth import Program
from radio.compose.feel import LOOKAHEAD, Feel
from radio.music.clock import Clock
from radio.settings.station import StationSettings
from radio.station.factory import open_composer
from radio.types import GRID, TICKS_PER_BAR, Frames, SynthEvent

_BARS = 16


def programs(settings: StationSettings) -> dict[str, Program]:
    """What each layer plays."""
    return {
        "keys": Program(settings.keys_program),
        "bass": Program(settings.bass_program),
        "drums": Program(settings.drum_kit, drums=True),
    }


def score(settings: StationSettings, *, times: int = 1) -> tuple[Mapping[str, list[SynthEvent]], Frames]:
    """The events of each layer in the station's first 16 bars, `times` over, and how long once is."""
    composer, clock = open_composer(settings, settings.seed), Clock(settings.controls.tempo)
    events: dict[str, list[SynthEvent]] = {layer: [] for layer in programs(settings)}
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
            SynthEvent(each.frame + time * length, each.note, each.velocity) for time in range(times) for each in once
        ]
        for layer, once in events.items()
    }
    return repeated, length
