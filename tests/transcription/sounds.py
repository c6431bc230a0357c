"""Recordings made with the radio's instruments, for tests."""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from radio.audio.synth import Program, Synth
from radio.music.midi_score import DRUM_CHANNEL, Score
from radio.paths import SOUNDFONT
from radio.types import GRID, SAMPLE_RATE, Block, SynthEvent
from tests.judge.signals import write

needs_network = pytest.mark.skipif(
    importlib.util.find_spec("onnxruntime") is None,
    reason="onnxruntime is not installed: pip install 'lofi-radio-daemon[audio]'",
)

_CODECS: Final = {".ogg": ("-codec:a", "libvorbis")}


def played(score: Score, tracks: Sequence[str] = ("Keys",)) -> Block:
    """Return the sound of a score's tracks, at the tempo of its file."""
    notes = [note for note in score.notes if note.track in tracks]
    programs = {
        note.track: Program(0 if note.channel == DRUM_CHANNEL else note.program, drums=note.channel == DRUM_CHANNEL)
        for note in notes
    }
    events: dict[str, list[SynthEvent]] = {track: [] for track in programs}
    for note in notes:
        start, end = (round(score.seconds(tick) * SAMPLE_RATE / GRID) * GRID for tick in (note.start, note.end))
        events[note.track] += [SynthEvent(start, note.note, note.velocity), SynthEvent(end, note.note, 0)]
    last = max(event.frame for line in events.values() for event in line)
    with closing(Synth(SOUNDFONT, programs)) as synth:
        for track, line in events.items():
            synth.schedule(track, line)
        layers = synth.render((last + SAMPLE_RATE // 2) // GRID * GRID)
    return np.sum(list(layers.values()), axis=0, dtype=np.float32)


def hummed(tune: Sequence[tuple[int, float]], tempo: float) -> Block:
    """Return a hummed melody of notes with lengths in beats: it glides into notes, and has vibrato."""
    hertz, loudness = [], []
    for note, beats in tune:
        seconds = beats * 60 / tempo
        time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
        vibrato = 0.3 * np.sin(2 * np.pi * 5.5 * time) * np.minimum(1, time / 0.3)
        hertz.append(440 * 2 ** ((note - 69 - 0.7 * np.exp(-time / 0.03) + vibrato) / 12))
        loudness.append(np.minimum(1, time / 0.04) * np.minimum(1, (seconds - time) / 0.06))
    phase = 2 * np.pi * np.cumsum(np.concatenate(hertz)) / SAMPLE_RATE
    voice = np.sin(phase) + 0.3 * np.sin(2 * phase) + 0.1 * np.sin(3 * phase)
    return np.repeat((0.1 * np.concatenate(loudness) * voice)[:, None], 2, axis=1).astype(np.float32)


def encoded(path: Path, audio: Block) -> Path:
    """Write audio in the format that the path's suffix names, and return the path."""
    if path.suffix == ".wav":
        return write(path, audio)
    source = write(path.with_suffix(".source.wav"), audio)
    codec = _CODECS.get(path.suffix, ())
    subprocess.run(["ffmpeg", "-loglevel", "error", "-y", "-i", str(source), *codec, str(path)], check=True)
    return path
