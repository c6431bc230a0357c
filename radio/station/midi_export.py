"""Export of a score as a MIDI file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from radio.music import midi
from radio.settings.controls import PLAYED_LAYERS
from radio.station.score import Score, bar_lines
from radio.station.score_audio import fade_gain
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT, Tick

_FADE_STEP: Final[Tick] = TICKS_PER_BEAT // 4
"""Time between two values of expression during a fade."""


def write_midi(score: Score, path: Path) -> None:
    """Write a score as a MIDI file with title, tempo, meter and one track per layer.

    Notes are written on their ticks: swing and human timing are added only to the sound. Muted layers are left out, and
    so is the lead if no bar has one. The same score gives the same bytes.
    """
    settings = score.settings
    layers = [layer for layer in PLAYED_LAYERS if not getattr(settings.controls, f"{layer}_mute")]
    layers = [layer for layer in layers if layer != "lead" or score.events(layer)]
    programs = [(number * TICKS_PER_BAR, bar.programs) for number, bar in enumerate(score.bars)]
    expression = _expression(score)
    tracks = [
        replace(midi.layer_track(layer, score.events(layer), programs), expression=expression) for layer in layers
    ]
    tempos: dict[Tick, float] = {}
    for number, bar in enumerate(score.bars):
        if not tempos or bar.tempo != next(reversed(tempos.values())):
            tempos[number * TICKS_PER_BAR] = bar.tempo
    midi.write(path, tracks, tempos, end=score.length, title=_name(score), markers=_markers(score))


def _name(score: Score) -> str:
    if (music := score.key_and_tempo) is None:
        return score.title
    key, tempo = music
    return f"{score.title} ({key}, {tempo:g} BPM)"


def _markers(score: Score) -> list[tuple[Tick, str]]:
    """Return the titles of the tracks at their first ticks."""
    ticks = {line: number * TICKS_PER_BAR for number, line in enumerate(bar_lines(score.bars))}
    return [(ticks[chapter.start], chapter.title) for chapter in score.chapters]


def _expression(score: Score) -> list[tuple[Tick, int]]:
    """Return the expression values, 0–127, that fade the notes; empty for whole tracks and loops."""
    if score.fade is None:
        return []
    lines = bar_lines(score.bars)
    values: list[tuple[Tick, int]] = []
    for tick in range(0, score.length, _FADE_STEP):
        number = min(tick // TICKS_PER_BAR, len(score.bars) - 1)
        share = tick / TICKS_PER_BAR - number
        frame = round(lines[number] + share * (lines[number + 1] - lines[number]))
        if frame > score.fade[0]:
            values.append((tick, round(127 * float(fade_gain(frame, frame + 1, score.fade)[0, 0]))))
    return values
