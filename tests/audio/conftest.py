"""Fixtures for audio tests: a passage of typical music, rendered by FluidSynth, and white noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from radio.audio.synth import Program, Synth
from radio.audio.vinyl import Vinyl
from radio.paths import SOUNDFONT
from radio.types import GRID, SAMPLE_RATE, Block, Frames, SynthEvent

PROGRAMS = {"keys": Program(4), "bass": Program(33), "drums": Program(0, drums=True)}
BEAT = 60 / 80
CHORDS = (  # Dm9 G7 Cmaj7 Am7, root first
    (38, 53, 57, 60, 64),
    (43, 53, 55, 59, 62),
    (36, 52, 55, 59, 64),
    (45, 52, 55, 60, 64),
)
KICK, SNARE, HAT = 36, 38, 42


@dataclass(frozen=True)
class RenderedPassage:
    """The audio of each layer, and the frames of the kicks."""

    stems: Mapping[str, Block]
    kicks: tuple[Frames, ...]


def frame(beats: float) -> Frames:
    return round(beats * BEAT * SAMPLE_RATE / GRID) * GRID


def note(beats: float, length: float, pitch: int, velocity: int) -> list[SynthEvent]:
    return [SynthEvent(frame(beats), pitch, velocity), SynthEvent(frame(beats + length), pitch, 0)]


def scores(bars: int) -> dict[str, list[SynthEvent]]:
    """Return chords and a sparse upper voice near velocity 65, a plain bass, kick 82, snare 75, hats 45 and 60."""
    keys, bass, drums = [], [], []
    for bar in range(bars):
        start = 4.0 * bar
        root, *voices = CHORDS[bar % 4]
        for i, pitch in enumerate(voices):
            keys += note(start + 0.02 * i, 1.9, pitch, 68 - 3 * i)
            keys += note(start + 2.5 + 0.02 * i, 1.2, pitch, 60 - 3 * i)
        for i, offset in enumerate((1.5, 2.25, 3.25)):
            keys += note(start + offset, 0.5, voices[-1 - i % 2] + 12, 62)
        for offset, length in ((0, 1.4), (1.75, 0.5), (2.5, 1.2)):
            bass += note(start + offset, length, root, 80)
        drums += [SynthEvent(frame(start + offset), KICK, 82) for offset in (0, 1.75, 2.5)]
        drums += [SynthEvent(frame(start + offset), SNARE, 75) for offset in (1, 3)]
        for eighth in range(8):
            late = 0.06 if eighth % 2 else 0
            drums.append(SynthEvent(frame(start + eighth / 2 + late), HAT, 45 if eighth % 2 else 60))
    return {"keys": keys, "bass": bass, "drums": drums}


@pytest.fixture(scope="session")
def soundfont() -> Path:
    return SOUNDFONT


@pytest.fixture(scope="session")
def passage() -> RenderedPassage:
    """Four bars at 80 BPM, 12 s."""
    score = scores(4)
    synth = Synth(SOUNDFONT, PROGRAMS)
    for layer, events in score.items():
        synth.schedule(layer, events)
    stems = synth.render(frame(16))
    synth.close()
    stems["vinyl"] = Vinyl(7).render(frame(16))
    kicks = tuple(event.frame for event in score["drums"] if event.note == KICK)
    return RenderedPassage(stems, kicks)


@pytest.fixture
def noise() -> Block:
    """Two seconds of white noise at -14 dBFS RMS, independent in the two channels."""
    return (0.2 * np.random.default_rng(1).standard_normal((2 * SAMPLE_RATE, 2))).astype(np.float32)
