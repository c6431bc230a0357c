"""Terminal states during playback, for tests."""

from __future__ import annotations

from radio.paths import STATIONS as SHIPPED
from radio.playback.messages import EventPlayed, Level, StationChanged
from radio.settings.config import load
from radio.settings.station import StationSettings
from radio.terminal.state import TerminalState
from radio.types import SAMPLE_RATE, JsonValue, StationEvent

STATIONS = list(load(SHIPPED).stations.values())[:3]
BAR = round(4 * 60 / 78 * SAMPLE_RATE)
CHORDS: list[JsonValue] = ["Fm7", "Bb7", "Ebmaj7", "Cm7"]


def track(number: int, title: str) -> StationEvent:
    data = {
        "number": number,
        "title": title,
        "key": "Eb",
        "tempo": 78.0,
        "chords": CHORDS,
        "bars": 32,
        "instruments": {"keys": 4},
    }
    return StationEvent(number * 32 * BAR, "track", data)


def bar(number: int) -> StationEvent:
    data = {"number": number, "chord": CHORDS[number % 4], "section": "B", "tempo": 78.0}
    return StationEvent(number * BAR, "bar", {**data, "chords": CHORDS, "place": number % 4})


def play_event(state: TerminalState, event: StationEvent) -> None:
    state.on_message(EventPlayed(event, event.frame))


def fresh(stations: list[StationSettings] = STATIONS) -> TerminalState:
    return TerminalState(stations, stations[0])


def playing(tracks: int = 1) -> TerminalState:
    """Return a state in the third bar of its last track, on the second beat, at −20 dBFS with peaks of −6 dBFS."""
    state = fresh()
    state.on_message(StationChanged(STATIONS[0]))
    for number in range(tracks):
        play_event(state, track(number, f"Slow Tape {number + 1}"))
        for bar_number in range(number * 32, number * 32 + 3):
            play_event(state, bar(bar_number))
    state.advance(0.1, state.bar_start + BAR * 3 // 8, Level((0.5, 0.4), (0.01, 0.008)))
    play_event(state, StationEvent(state.playhead, "note", {"layer": "drums", "note": 36, "velocity": 100}))
    return state
