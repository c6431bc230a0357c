"""Tempo and swing of a track, which listeners can change while it plays."""

from __future__ import annotations

from radio.compose.plan import Track
from radio.settings.controls import CONTROLS, Controls


def tempo_and_swing(track: Track, controls: Controls, asked: tuple[float, float]) -> tuple[float, float]:
    """Return the track's tempo (BPM) and swing (%). A control that changed during the track applies exactly.

    Args:
        track: The track.
        controls: The current controls.
        asked: The requested tempo and swing when the track began.
    """
    tempo, swing = controls.tempo, controls.swing
    if tempo == asked[0]:
        own = tempo + track.tempo_offset * controls.tempo_variety if track.tempo is None else track.tempo
        tempo = _clamped("tempo", own)
    if swing == asked[1]:
        swing = _clamped("swing", swing + track.swing_offset)
    return tempo, swing


def _clamped(name: str, value: float) -> float:
    control = CONTROLS[name]
    return min(max(value, control.low), control.high)
