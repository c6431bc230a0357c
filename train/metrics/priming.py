"""Measures of the analysis of MIDI files: of the radio's own renders, of their recordings, and of tunes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any, Final

import numpy as np
from tqdm import tqdm

from radio.compose.listening.harmony import find_harmony
from radio.compose.listening.song import Song, song_of
from radio.errors import RadioError
from radio.music import midi
from radio.music.chord_loops import HALVES
from radio.music.chords import Chord, pitch_class
from radio.music.midi_parts import PartChoice
from radio.music.midi_score import Score as MidiScore
from radio.settings.station import StationSettings
from radio.station.extent import TimedExcerpt
from radio.station.midi_export import write_midi
from radio.station.rendering import render
from radio.station.score import compose
from radio.transcription.recording import transcribe
from radio.types import BEATS_PER_BAR, TICKS_PER_BAR, JsonValue
from train.data.corpus import tunes

_SECONDS: Final = 60.0
"""Length of a render."""

_TEMPO: Final = 0.02
_TEMPOS: Final = (55.0, 105.0)
"""Range of the random tempo of a tune."""

_FIFTH: Final = 7


@dataclass(frozen=True, slots=True)
class Heard:
    """Comparison of the analysis of a render with the composed music.

    key: True if the accidentals are right. mode: True if the mode is right too; None if the station does not specify
    one. tempo: True if it is within 2 %. roots: share of beats with the right root of their chord.
    """

    name: str
    key: bool
    mode: bool | None
    tempo: bool
    roots: float


def renders(stations: Sequence[StationSettings], count: int, folder: Path, seed: int) -> Iterator[Path]:
    """Yield MIDI files of a minute, each with a description of the composed music; those in `folder` are reused."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in tqdm(range(count), desc="renders"):
        settings = stations[number % len(stations)]
        path = folder / f"{settings.name}-{seed + number // len(stations)}.mid"
        if not path.with_suffix(".json").exists():
            score = compose(settings, seed + number // len(stations), TimedExcerpt(_SECONDS))
            write_midi(score, path)
            track = score.bars[0].track
            truth: dict[str, JsonValue] = {
                "key": track.key,
                "mode": track.mode,
                "tempo": score.bars[0].tempo,
                "roots": [[chord.root for chord in bar.plan.chords] for bar in score.bars],
            }
            path.with_suffix(".json").write_text(json.dumps(truth))
        yield path


def listened(path: Path) -> Heard:
    """Compare the analysis of a render with the composed music."""
    truth = json.loads(path.with_suffix(".json").read_text())
    score = midi.read(path)
    song = song_of(score, PartChoice())
    chords, key = find_harmony(song.pitched, song.bars)
    first = score.notes[0].start // (BEATS_PER_BAR * score.ppq)
    roots = [root for bar in truth["roots"][first:] for root in bar]
    named = [chord.root for chord in chords for _ in range(BEATS_PER_BAR // 2)]
    pairs = list(zip(roots, named, strict=False))
    right = key.tonic == pitch_class(truth["key"])
    return Heard(
        path.stem,
        right,
        None if truth["mode"] is None else right and key.mode == truth["mode"],
        abs(song.tempo / truth["tempo"] - 1) <= _TEMPO,
        fmean(root == other for root, other in pairs),
    )


def tunes_figures(count: int, folder: Path) -> dict[str, JsonValue]:
    """Write tunes in the public domain as MIDI files, and return the shares whose key and tempo are right."""
    folder.mkdir(parents=True, exist_ok=True)
    keys, tempos = [], []
    for name, sharps, notes in tqdm(tunes.written_keys(count), total=count, desc="tunes"):
        path, tempo = folder / f"tune-{name}.mid", Random(name).uniform(*_TEMPOS)
        midi.write(path, [midi.MidiTrack("melody", notes)], {0: tempo}, end=max(note.tick for note in notes))
        song = song_of(midi.read(path), PartChoice())
        _, key = find_harmony(song.pitched, song.bars)
        keys.append(key.tonic == sharps * _FIFTH % 12)
        tempos.append(abs(song.tempo / tempo - 1) <= _TEMPO)
    return {"tunes": len(keys), "key right": round(fmean(keys), 3), "tempo within 2 %": round(fmean(tempos), 3)}


def recorded_figures(
    stations: Sequence[StationSettings], paths: Sequence[Path], count: int, seed: int
) -> dict[str, JsonValue]:
    """Analyze the sound of the first `count` renders, and return the shares of right results."""
    keys, tempos, roots, failed = [], [], [], 0
    for number, path in enumerate(tqdm(paths[:count], desc="recordings")):
        sound, truth = path.with_suffix(".flac"), json.loads(path.with_suffix(".json").read_text())
        if not sound.exists():
            settings, extent = stations[number % len(stations)], TimedExcerpt(_SECONDS)
            render(
                settings, extent=extent, seed=seed + number // len(stations), paths=[sound], on_progress=lambda _: None
            )
        try:
            score = transcribe(sound)
            song = song_of(score, PartChoice())
        except RadioError:
            failed += 1
            continue
        chords, key = find_harmony(song.pitched, song.bars)
        keys.append(key.tonic == pitch_class(truth["key"]))
        tempos.append(abs(song.tempo / truth["tempo"] - 1) <= _TEMPO)
        roots.append(_right_by_time(score, song, chords, truth))
    return {
        "recordings": len(keys) + failed,
        "refused": failed,
        "key right": round(sum(keys) / (len(keys) + failed), 3),
        "tempo within 2 %": round(sum(tempos) / (len(keys) + failed), 3),
        "chord roots right, share of beats": round(fmean(roots), 3),
    }


def _right_by_time(score: MidiScore, song: Song, chords: Sequence[Chord], truth: Mapping[str, Any]) -> float:
    """Return the share of beats with the right root in a song with detected beats, which are compared by time."""
    ticks = [note.start for note in song.pitched]
    seconds = [score.seconds(note.start) for note in score.notes[: len(ticks)]]
    slope, first = np.polyfit(seconds, ticks, 1)
    right = []
    for beat, root in enumerate(root for bar in truth["roots"] for root in bar):
        place = int((slope * (beat + 0.5) * 60 / truth["tempo"] + first) // (TICKS_PER_BAR // HALVES))
        if 0 <= place < len(chords):
            right.append(chords[place].root == root)
    return fmean(right)


def listening_figures(comparisons: Sequence[Heard]) -> dict[str, JsonValue]:
    """Return the shares of renders, and of beats, with right results."""
    modes = [one.mode for one in comparisons if one.mode is not None]
    return {
        "renders": len(comparisons),
        "key right": round(fmean(one.key for one in comparisons), 3),
        "key and mode right, if the station states a mode": round(fmean(modes), 3) if modes else None,
        "renders that state a mode": len(modes),
        "tempo within 2 %": round(fmean(one.tempo for one in comparisons), 3),
        "chord roots right, share of beats": round(fmean(one.roots for one in comparisons), 3),
        "renders with 80 % of roots or more": round(fmean(one.roots >= 0.8 for one in comparisons), 3),
    }


def figures_text(figures: Mapping[str, Any]) -> str:
    """Return figures as a Markdown table."""
    return "\n".join(
        ["| measure | value |", "| --- | ---: |", *(f"| {name} | {value} |" for name, value in figures.items())]
    )
