"""Each control is heard in a render from its announced landing and, if it has a direction, in that direction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from statistics import fmean
from typing import TypeAlias

import numpy as np
import pytest

from radio.compose.feel import LOOKAHEAD
from radio.music.chords import parse_chord
from radio.paths import STATIONS
from radio.settings.ambience import AmbienceLevels
from radio.settings.config import load
from radio.settings.controls import CONTROLS, LAYERS
from radio.settings.station import StationSettings
from radio.station.factory import open_station
from radio.types import MIX_BLOCK, SAMPLE_RATE, TICKS_PER_BAR, Frames, JsonValue, Landing, StationEvent
from train.metrics.pitch import entropy

pytestmark = pytest.mark.usefixtures("all_candidates")

CHILL = replace(load(STATIONS).stations["chill"], textures=("comp",), progressions=(("Dm9", "G7", "Cmaj9", "Am7"),))
SEED = 11
"""A seed whose first track opens with keys, bass and drums, and ends with a lead."""

LEAD = 100
"""Seconds within which the lead has entered."""

BEFORE: Frames = 4 * SAMPLE_RATE
ONSET: Frames = max(LOOKAHEAD, MIX_BLOCK)
"""A change may be heard this long before its landing: in early notes, and in the mix, which moves for a block."""
SHORT: Frames = 4 * SAMPLE_RATE
"""A change is heard within this time after its landing."""


@dataclass(frozen=True)
class Excerpt:
    """The sound and events from the landing of a change onward, and the sound before it."""

    landing: Landing
    before: np.ndarray
    after: np.ndarray
    events: Sequence[StationEvent]

    def strikes(self, layer: str) -> list[StationEvent]:
        return [
            event
            for event in self.events
            if event.kind == "note" and event.data["layer"] == layer and event.data["velocity"]
        ]

    @property
    def bars(self) -> list[Mapping[str, JsonValue]]:
        return [event.data for event in self.events if event.kind == "bar"]


Measure: TypeAlias = Callable[[Excerpt], float]
"""A figure of an excerpt that grows with a control."""


def settings_for(name: str) -> StationSettings:
    """Return the station. For a control of one layer, it plays only that layer."""
    layer = name.partition("_")[0]
    if layer not in LAYERS or name.endswith(("density", "instrument")):
        return CHILL
    mutes: dict[str, bool | float] = {f"{other}_mute": other != layer for other in LAYERS}
    if layer == "lead":
        mutes |= {"energy": 1.0, "lead_density": 1.0}
    return replace(CHILL, ambience=AmbienceLevels(fire=0), controls=CHILL.controls.changed(mutes))


@cache
def render(name: str, value: float | str, seconds: int) -> Excerpt:
    station = open_station(settings_for(name), seed=SEED)
    try:
        blocks = [station.render(BEFORE)]
        landing = station.control({name: value})[name]
        blocks.append(station.render(seconds * SAMPLE_RATE))
        audio = np.concatenate(blocks)
        events = [event for event in station.events() if event.frame >= landing.frame]
    finally:
        station.close()
    return Excerpt(landing, audio[: landing.frame - ONSET], audio[landing.frame :], events)


def loudness(excerpt: Excerpt) -> float:
    return float(np.sqrt(np.mean(excerpt.after**2)))


def brightness(excerpt: Excerpt) -> float:
    power = np.abs(np.fft.rfft(excerpt.after[: 8 * SAMPLE_RATE].mean(axis=1))) ** 2
    return float((np.arange(len(power)) * power).sum() / power.sum())


def wavering(excerpt: Excerpt) -> float:
    """Return the distance of the sound from that of a tape that runs evenly."""
    even = render("wow", 0.0, 5).after
    length = min(len(even), len(excerpt.after))
    return float(np.abs(excerpt.after[:length] - even[:length]).mean())


def rate(layer: str) -> Measure:
    return lambda excerpt: len(excerpt.strikes(layer))


def all_notes(excerpt: Excerpt) -> float:
    return sum(len(excerpt.strikes(layer)) for layer in ("keys", "bass", "drums", "lead"))


def lateness_of_sixteenths(excerpt: Excerpt) -> float:
    """Return the mean time in seconds from the first sixteenth of a pair to a strike on the second."""
    bars = {int(str(bar["number"])): bar for bar in excerpt.bars}
    places = []
    frames = {event.data["number"]: event.frame for event in excerpt.events if event.kind == "bar"}
    for event in excerpt.strikes("drums") + excerpt.strikes("keys"):
        tick = int(str(event.data["tick"]))
        bar = bars.get(tick // TICKS_PER_BAR)
        if bar is not None and tick % 60 == 30:
            start = frames[bar["number"]] + int(str(bar["frames"])) * (tick % TICKS_PER_BAR - 30) / TICKS_PER_BAR
            places.append((event.frame - start) / SAMPLE_RATE)
    return fmean(places)


def off_tempo(excerpt: Excerpt) -> float:
    """Return the difference between the tempo and the station's."""
    return abs(float(str(excerpt.bars[0]["tempo"])) - CHILL.controls.tempo)


def variety(excerpt: Excerpt) -> float:
    """Return the entropy of the keys' places in the bar plus that of their pitches, in bits."""
    strikes = excerpt.strikes("keys")
    places = entropy(int(str(event.data["tick"])) % TICKS_PER_BAR for event in strikes)
    return places + entropy(int(str(event.data["note"])) for event in strikes)


def minor_share(excerpt: Excerpt) -> float:
    chords = [parse_chord(name) for bar in excerpt.bars for name in str(bar["chord"]).split()]
    return sum(chord.quality.startswith("min") or chord.quality == "hdim7" for chord in chords) / len(chords)


def in_minor(excerpt: Excerpt) -> float:
    return fmean(str(bar["key"]).endswith("m") for bar in excerpt.bars)


def in_g(excerpt: Excerpt) -> float:
    return fmean(str(bar["key"]) == "G" for bar in excerpt.bars)


CASES: list[tuple[str, float | str, float | str, Measure | None, int]] = [
    ("tempo_variety", 0.0, 1.0, off_tempo, 8),
    ("keys_instrument", "felt piano", "organ", None, 8),
    ("bass_instrument", "upright bass", "electric bass", None, 8),
    ("lead_instrument", "vibraphone", "flute", None, LEAD),
    ("drum_kit", "dusty", "electronic", None, 8),
    ("tempo", 60, 100, lambda excerpt: float(str(excerpt.bars[0]["tempo"])), 8),
    ("swing", 50, 66, lateness_of_sixteenths, 12),
    ("density", 0.0, 1.0, rate("keys"), 10),
    ("drums_density", 0.0, 1.0, rate("drums"), 10),
    ("lead_density", 0.0, 1.0, rate("lead"), LEAD),
    ("energy", 0.0, 1.0, all_notes, 10),
    ("temperature", 0.2, 1.8, variety, 26),
    ("mood", "hopeful", "sad", minor_share, 16),
    ("key", "C", "G", in_g, 14),
    ("mode", "major", "minor", in_minor, 14),
    ("top_p", 0.1, 1.0, None, 8),
    ("top_k", 1, 0, None, 8),
    ("alpha_presence", 0, 2, None, 8),
    ("alpha_frequency", 0, 2, None, 8),
    ("alpha_decay", 0, 1, None, 8),
    ("ambience", "brown_noise", "birds", brightness, 5),
    ("lowpass", 1_000, 16_000, brightness, 5),
    ("wow", 0.1, 1.0, wavering, 5),
    *((f"{layer}_level", -60, 12, loudness, LEAD if layer == "lead" else 5) for layer in LAYERS),
    *((f"{layer}_mute", True, False, loudness, LEAD if layer == "lead" else 5) for layer in LAYERS),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "low", "high", "measure", "seconds"), CASES, ids=[case[0] for case in CASES])
def test_a_control_is_heard_from_its_landing_in_its_direction(
    name: str, low: float | str, high: float | str, measure: Measure | None, seconds: int
) -> None:
    one, other = render(name, low, seconds), render(name, high, seconds)
    length = min(len(one.before), len(other.before))
    np.testing.assert_array_equal(one.before[:length], other.before[:length])
    soon = None if name.startswith("lead") else SHORT  # a lead may rest until its section
    assert not np.array_equal(one.after[:soon], other.after[:soon])
    if measure is not None:
        assert measure(other) > measure(one)


def test_every_control_has_a_case() -> None:
    assert {case[0] for case in CASES} == set(CONTROLS)
