"""Each stage alone, through the classes that a station is made of."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from radio.audio.mixer import Mixer
from radio.audio.rain import Rain
from radio.audio.synth import Program, Synth
from radio.audio.vinyl import Vinyl
from radio.compose.feel import LOOKAHEAD, Feel
from radio.config import StationSettings
from radio.model.checkpoint import read
from radio.model.numpy_engine import NumpyEngine
from radio.music.clock import Clock
from radio.music.vocab import START
from radio.station import open_composer, open_station
from radio.stream.encoders import open_encoder
from radio.stream.muxers import open_muxer
from radio.types import BLOCK, SAMPLE_RATE, TICKS_PER_BAR, Block, Frames, Packet, Seconds, SynthEvent

_PARTS = 5
"""A figure is the median of this many runs, so that one hiccup of the machine does not count."""
_BARS = 16


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table."""

    stage: str
    value: float
    unit: str


def measure(settings: StationSettings, seconds: Seconds) -> Iterator[Figure]:
    """Every stage in the order of the line, `seconds` of work for each run."""
    for name, path in (("piano", settings.piano), ("drums", settings.drums)):
        yield Figure(f"{name} model, numpy engine", _tokens(NumpyEngine(read(path)), seconds), "tokens/s")
    yield Figure("composer: both models, bass, grammar", _composing(settings), "× real time")

    scores, length = _scores(settings)
    stems: dict[str, Block] = {}
    programs = {
        "keys": Program(settings.keys_program),
        "bass": Program(settings.bass_program),
        "drums": Program(settings.drum_kit, drums=True),
    }
    with closing(Synth(settings.soundfont, programs)) as synth:
        for layer, events in scores.items():
            synth.schedule(layer, events)
        yield Figure("synthesizer", _playing(synth.render, length), "× real time")
        stems |= synth.render(BLOCK)
    textures = {"vinyl": Vinyl(1), "rain": Rain(1)}
    for layer, texture in textures.items():
        yield Figure(layer, _rendering(texture.render, seconds), "× real time")
        stems[layer] = texture.render(BLOCK)

    mixer = Mixer(settings.tone)
    yield Figure("mixer", _rendering(lambda _: mixer.process(stems, settings.controls), seconds), "× real time")
    yield from _encoding(stems["keys"], seconds)
    with closing(open_station(settings)) as station:
        station.render(SAMPLE_RATE)
        yield Figure("the whole station", _rendering(station.render, 4 * seconds), "× real time")


def _rate(run: Callable[[], float]) -> float:
    """Median over runs of what `run` returns for a second of its time."""
    rates = []
    for _ in range(_PARTS):
        began = time.perf_counter()
        done = run()
        rates.append(done / (time.perf_counter() - began))
    return statistics.median(rates)


def _tokens(engine: NumpyEngine, seconds: Seconds) -> float:
    _, state = engine.step([engine.tokens.index(START)], engine.zero_state())
    row = 0

    def run() -> float:
        nonlocal row, state
        began, done = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            _, state = engine.step([row], state)
            row = (row + 1) % len(engine.tokens)
            done += 1
        return done

    return _rate(run)


def _composing(settings: StationSettings) -> float:
    composer = open_composer(settings, settings.seed)
    bar = 4 * 60 / settings.controls.tempo

    def run() -> float:
        for _ in range(_BARS // 4):
            composer.next_bar(settings.controls)
        return _BARS // 4 * bar

    return _rate(run)


def _scores(settings: StationSettings) -> tuple[Mapping[str, list[SynthEvent]], Frames]:
    """What the station's layers play in its first bars, once for each run and once more, and how long one lasts."""
    composer, clock = open_composer(settings, settings.seed), Clock(settings.controls.tempo)
    scores: dict[str, list[SynthEvent]] = {"keys": [], "bass": [], "drums": []}
    feels = {layer: Feel(layer, 1) for layer in scores}
    for _ in range(_BARS):
        for layer, events in composer.next_bar(settings.controls).events.items():
            for event in events:
                frame = feels[layer].place(event.tick, event.note, clock, settings.controls.swing) + LOOKAHEAD
                scores[layer].append(SynthEvent(frame - frame % 64, event.note, event.velocity))
    length = clock.frame(_BARS * TICKS_PER_BAR)
    length -= length % 64
    repeated = {
        layer: [
            SynthEvent(each.frame + time * length, each.note, each.velocity)
            for time in range(_PARTS + 1)
            for each in score
        ]
        for layer, score in scores.items()
    }
    return repeated, length


def _playing(render: Callable[[Frames], object], length: Frames) -> float:
    """For what plays a score: as many frames in each run, so that none runs on into the silence after its end."""

    def run() -> float:
        for _ in range(length // BLOCK):
            render(BLOCK)
        return length // BLOCK * BLOCK / SAMPLE_RATE

    return _rate(run)


def _rendering(render: Callable[[Frames], Block], seconds: Seconds) -> float:
    def run() -> float:
        began, frames = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            frames += len(render(BLOCK))
        return frames / SAMPLE_RATE

    return _rate(run)


def _encoding(block: Block, seconds: Seconds) -> Iterator[Figure]:
    encoder = open_encoder("opus")
    noisy = (block + np.random.default_rng(1).normal(0, 0.01, block.shape)).astype(np.float32)
    kept: list[Packet] = []

    def encode(_: Frames) -> Block:
        kept.extend(encoder.encode(noisy))
        return noisy

    yield Figure("Opus encoder, 96 kbit/s", _rendering(encode, seconds), "× real time")
    muxer = open_muxer("opus", title="", description="")

    def lay() -> float:
        for packet in kept:
            muxer.add(packet)
        return sum(packet.frames for packet in kept) / SAMPLE_RATE

    began = time.perf_counter()
    laid = lay()
    yield Figure("Ogg pages", laid / (time.perf_counter() - began), "× real time")
