"""Figures of a station: its loops, drums, arrangement, spread and forms, and its faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from radio.errors import SettingsError
from train.metrics import faults
from train.metrics.arrangement import TrackAudio
from train.metrics.drum_figures import DrumFigures, measure_drums
from train.metrics.judging import Judge, JudgeFigures
from train.metrics.music import StationMusic, TrackMusic
from train.metrics.pitch import chord_tone_time
from train.metrics.repetition import recurring, similarities
from train.metrics.spread import distance_ratio, spread_ratios, window_features

LOOP_BARS = 4


@dataclass(frozen=True)
class AudioFigures:
    """Figures of rendered tracks."""

    tracks: int
    away: float
    """The share of time in which lows or highs are missing, mean over tracks."""
    opens_without: Mapping[str, float]
    """The share of tracks that open without a band: `low`, `high`, and `either`."""
    ends_without: Mapping[str, float]
    """The same for their last eight seconds."""
    loudness_range: float
    """Median over tracks, in LU."""
    judged: JudgeFigures | None = None
    """The figures of a learned judge, if there is one."""


@dataclass(frozen=True)
class StationFigures:
    """Figures of some hours of a station, over all seeds."""

    hours: float
    tracks: int
    exact_bars: float
    """The share of the keys' bars that recur exactly after four bars."""
    similar_bars: float
    """The mean similarity of the keys' bars to those four bars later."""
    drums: DrumFigures | None
    audio: AudioFigures | None
    spread: float
    """The median of `spreads`."""
    spreads: Mapping[str, float]
    """The interquartile range of each feature divided by that of real loops."""
    figures_recurring: float
    """The share of three-note figures of the top line that recur within eight bars."""
    distance: float
    """The distance of a track's halves divided by that of neighboring tracks."""
    forms: int
    lengths: tuple[float, float]
    """Seconds of the shortest and the longest track."""
    tempos: tuple[float, float]
    chord_tones: float
    """The share of the keys' note time in the sounding chord."""
    dead_bars: int
    longest_note: float
    """Beats."""
    clashes: int
    drift: tuple[float, float]
    """Semitones per hour by which the keys rise, and the standard error."""
    cpu: float
    """Seconds of processor time per minute of music."""


def measure(
    runs: Sequence[StationMusic], audio: Sequence[TrackAudio] = (), judge: Judge | None = None
) -> StationFigures:
    """Measure the whole tracks of several runs of one station, and its rendered tracks, which `judge` has tagged.

    Raises:
        SettingsError: There are fewer than two whole tracks.
    """
    tracks = [track for run in runs for track in run.tracks()]
    if len(tracks) < 2:
        raise SettingsError(f"--hours: {len(tracks)} whole tracks are too few to measure; use more hours or seeds")
    alike = [value for track in tracks for value in similarities(track.passages["keys"], LOOP_BARS)]
    windows = [[window_features(track) for track in run.tracks()] for run in runs]
    every = [track for run in windows for track in run]
    spreads = spread_ratios(every)
    tempos = [bar.tempo for track in tracks for bar in track.bars]
    lengths = [track.seconds for track in tracks]
    return StationFigures(
        hours=sum(run.seconds for run in runs) / 3600,
        tracks=len(tracks),
        exact_bars=float(np.mean([value == 1 for value in alike])),
        similar_bars=float(np.mean(alike)),
        drums=measure_drums([track.bars for track in tracks]),
        audio=_audio(audio, judge) if audio else None,
        spread=float(np.median(list(spreads.values()))),
        spreads=spreads,
        figures_recurring=float(np.mean([again for track in tracks for again in recurring(track.passages["keys"])])),
        distance=distance_ratio(windows),
        forms=len({track.form for track in tracks}),
        lengths=(min(lengths), max(lengths)),
        tempos=(min(tempos), max(tempos)),
        chord_tones=_chord_tones(tracks),
        dead_bars=sum(map(faults.dead_bars, tracks)),
        longest_note=max(map(faults.longest_note, tracks)),
        clashes=sum(map(faults.clashes, tracks)),
        drift=faults.pooled_drift(runs),
        cpu=60 * sum(run.cpu for run in runs) / sum(run.seconds for run in runs),
    )


def _chord_tones(tracks: Sequence[TrackMusic]) -> float:
    """Return the share over all tracks, each weighted by the time of its notes."""
    shares, times = [], []
    for track in tracks:
        keys = track.passages["keys"]
        shares.append(chord_tone_time(keys))
        times.append(sum(note.end - note.start for note in keys.notes))
    return float(np.average(shares, weights=times))


def _audio(tracks: Sequence[TrackAudio], judge: Judge | None) -> AudioFigures:
    scores = [track.score for track in tracks if track.score]
    return AudioFigures(
        tracks=len(tracks),
        away=float(np.mean([track.away("low", "high") for track in tracks])),
        opens_without=_edges([{band: track.opens_without(band) for band in ("low", "high")} for track in tracks]),
        ends_without=_edges([{band: track.ends_without(band) for band in ("low", "high")} for track in tracks]),
        loudness_range=float(np.median([track.loudness_range for track in tracks])),
        judged=judge.figures(scores) if judge and scores else None,
    )


def _edges(tracks: Sequence[Mapping[str, bool]]) -> dict[str, float]:
    """Return the share of tracks without each band, and of those without any of them as `either`."""
    shares = {band: float(np.mean([track[band] for track in tracks])) for band in ("low", "high")}
    return {**shares, "either": float(np.mean([any(track.values()) for track in tracks]))}
