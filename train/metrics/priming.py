"""Measures of priming: what is found in the radio's own renders, and how near a primed station comes to its file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from radio.compose.listening.harmony import find_harmony
from radio.compose.listening.song import Song, song_of
from radio.errors import RadioError
from radio.music import midi
from radio.music.chord_loops import HALVES
from radio.music.chords import Chord, pitch_class
from radio.music.events import Note
from radio.music.midi_parts import PartChoice
from radio.music.midi_score import Score as MidiScore
from radio.music.tokenizer import events_to_notes
from radio.settings.station import StationSettings
from radio.station.extent import TimedExcerpt
from radio.station.factory import open_composer
from radio.station.midi_export import write_midi
from radio.station.rendering import render
from radio.station.score import compose
from radio.transcription.recording import transcribe
from radio.types import BEATS_PER_BAR, TICKS_PER_BAR, JsonValue
from train.data.corpus import tunes

_SECONDS: Final = 60.0
"""Length of a render."""

_FOLLOWING: Final = 16
"""Bars after priming that are measured."""

_TEMPO: Final = 0.02
_TEMPOS: Final = (55.0, 105.0)
"""Range from which the tempo of a tune is drawn."""

_FIFTH: Final = 7
_OTHERS: Final = 9
_COMPARED: Final = ("pitch classes", "notes a beat", "strikes a beat", "register")

Features = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Heard:
    """Comparison of what was found in a render with what was composed.

    key: the accidentals are right. mode: so is the mode, None where the station does not say one. tempo: within 2 %.
    roots: share of beats with the right root of their chord.
    """

    name: str
    key: bool
    mode: bool | None
    tempo: bool
    roots: float


def renders(stations: Sequence[StationSettings], count: int, folder: Path, seed: int) -> Iterator[Path]:
    """Yield MIDI files of a minute, with what was composed beside them; those in `folder` are kept."""
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
    """Compare what is found in a render with what was composed."""
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
    """Listen to the sound of the first `count` renders, and return the shares of what is right."""
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
    """Return the share of beats with the right root, in a song whose beats were found: by their times."""
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
    """Return shares of renders, and of beats, in which what was found is right."""
    modes = [one.mode for one in comparisons if one.mode is not None]
    return {
        "renders": len(comparisons),
        "key right": round(fmean(one.key for one in comparisons), 3),
        "key and mode right, where the station states a mode": round(fmean(modes), 3) if modes else None,
        "renders that state a mode": len(modes),
        "tempo within 2 %": round(fmean(one.tempo for one in comparisons), 3),
        "chord roots right, share of beats": round(fmean(one.roots for one in comparisons), 3),
        "renders with 80 % of roots or more": round(fmean(one.roots >= 0.8 for one in comparisons), 3),
    }


def following_figures(paths: Sequence[Path], settings: StationSettings, count: int, seed: int) -> dict[str, JsonValue]:
    """Prime a station with each of `count` files, and compare its next 16 bars with the file and with nine others.

    Compared are the keys: the histogram of their pitch classes, their notes a beat, their strikes a beat (chords
    counted once), and their mean pitch. The nearest of ten by all of them is that with the least sum of distances, each
    in units of its mean over all pairs of files.
    """
    songs = [_features(song_of(midi.read(path), PartChoice()).keys) for path in paths]
    usual = _scales(songs)
    nearest: dict[str, list[float]] = {name: [] for name in (*_COMPARED, "all of these")}
    for number in tqdm(range(min(count, len(paths))), desc="primed"):
        primed = replace(settings, prime=paths[number])
        composer = open_composer(primed, seed + number)
        bars = [composer.next_bar(primed.controls) for _ in range(_FOLLOWING)]
        notes = events_to_notes([event for bar in bars for event in bar.events["keys"]])
        distances = _distances(_features(notes), songs) / usual
        rivals = [(number + step) % len(paths) for step in range(1, _OTHERS + 1)]
        columns = {**dict(zip(nearest, distances.T, strict=False)), "all of these": distances.sum(axis=1)}
        for name, values in columns.items():
            nearest[name].append(float(values[number] <= min(values[other] for other in rivals)))
    return {
        "primed": len(nearest["all of these"]),
        **{f"nearest to its own file of ten, by {name}": round(fmean(hits), 3) for name, hits in nearest.items()},
    }


def _features(notes: Sequence[Note]) -> Features:
    """Return the histogram of pitch classes, notes and strikes a beat in bars that have any, and the mean pitch."""
    histogram = np.bincount([note.note % 12 for note in notes], [note.end - note.start for note in notes], 12)
    bars = {note.start // TICKS_PER_BAR for note in notes}
    beats = BEATS_PER_BAR * max(1, len(bars))
    densities = len(notes) / beats, len({note.start for note in notes}) / beats
    return np.array([*(histogram / max(histogram.sum(), 1e-9)), *densities, fmean(note.note for note in notes)])


def _distances(own: Features, songs: Sequence[Features]) -> Features:
    """Return the distances from each song by each of `_COMPARED`; shape (songs, 4)."""
    table = np.array(songs)
    classes = np.abs(table[:, :12] - own[:12]).sum(axis=1)
    densities = np.abs(np.log2(table[:, 12:14] / own[12:14]))
    return np.stack([classes, *densities.T, np.abs(table[:, 14] - own[14])], axis=1)


def _scales(songs: Sequence[Features]) -> Features:
    scales: Features = np.mean([_distances(song, songs) for song in songs], axis=(0, 1))
    return np.maximum(scales, 1e-9)


def figures_text(figures: Mapping[str, Any]) -> str:
    """Return figures as a table of Markdown."""
    return "\n".join(
        ["| measure | value |", "| --- | ---: |", *(f"| {name} | {value} |" for name, value in figures.items())]
    )
