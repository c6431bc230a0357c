"""Each stage of a station in isolation, as a multiple of real time on one core."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

from bench.measurement import BenchmarkSetup, Measurement
from bench.score import score
from bench.timers import rate
from radio.audio.ambience.mix import Ambience
from radio.audio.mixer import Mixer
from radio.audio.rain import Rain
from radio.audio.synth import Synth
from radio.audio.vinyl import Vinyl
from radio.station.factory import open_composer, open_programs, open_station
from radio.station.layers import Texture
from radio.stream.formats.encoders import open_encoder
from radio.stream.formats.muxers import open_muxer
from radio.types import MIX_BLOCK, SAMPLE_RATE, Block, Frames, Packet

_TIMES = "× real time"


def measure(setup: BenchmarkSetup) -> Iterator[Measurement]:
    """Measure every stage in the order of the audio path, on one core."""
    settings = setup.station
    long = max(MIX_BLOCK, round(setup.effort * 20 * SAMPLE_RATE) // MIX_BLOCK * MIX_BLOCK)
    yield Measurement("composer: both models, bass, grammar", _composing(setup), _TIMES)
    stems: dict[str, Block] = {}
    with closing(Synth(settings.soundfont, open_programs(settings))) as synth:
        events, length = score(settings, times=6)
        for layer, layer_events in events.items():
            synth.schedule(layer, layer_events)
        # All rounds together end with the score, so that none renders the silence after it.
        yield Measurement("synthesizer, all layers", _rendering(synth.render, length // MIX_BLOCK * MIX_BLOCK), _TIMES)
        stems |= synth.render(MIX_BLOCK)
    textures: dict[str, Texture] = {"vinyl": Vinyl(1), "rain": Rain(1), "ambience": _slowest_ambience()}
    for layer, texture in textures.items():
        yield Measurement(layer, _rendering(texture.render, long), _TIMES)
        stems[layer] = texture.render(MIX_BLOCK)
    mixer = Mixer(settings.tone)
    yield Measurement("mixer", _rendering(lambda _: mixer.process(stems, settings.controls), long), _TIMES)
    with closing(open_station(settings)) as station:
        station.render(SAMPLE_RATE)
        yield Measurement("the whole station, before its encoders", _rendering(station.render, long), _TIMES)
        yield from _encoding(station.render(long))


def _slowest_ambience() -> Ambience:
    """Return an ambience that plays its slowest sound."""
    ambience = Ambience({}, 1)
    ambience.choose("birds")
    return ambience


def _composing(setup: BenchmarkSetup) -> float:
    composer = open_composer(setup.station, setup.station.seed)
    bars = max(1, round(8 * setup.effort))

    def compose() -> float:
        for _ in range(bars):
            composer.next_bar(setup.station.controls)
        return bars * 4 * 60 / setup.station.controls.tempo

    return rate(compose)


def _rendering(render: Callable[[Frames], object], frames: Frames) -> float:
    def play() -> float:
        for _ in range(frames // MIX_BLOCK):
            render(MIX_BLOCK)
        return frames / SAMPLE_RATE

    return rate(play)


def _encoding(audio: Block) -> Iterator[Measurement]:
    encoder, packets = open_encoder("opus"), list[Packet]()

    def encode() -> float:
        for start in range(0, len(audio), MIX_BLOCK):
            packets.extend(encoder.encode(audio[start : start + MIX_BLOCK]))
        return len(audio) / SAMPLE_RATE

    yield Measurement("Opus encoder", rate(encode), _TIMES)

    def write_pages() -> float:
        muxer = open_muxer("opus", title="", description="")
        for packet in packets:
            muxer.add(packet)
        return sum(packet.frames for packet in packets) / SAMPLE_RATE

    yield Measurement("Ogg pages", rate(write_pages), _TIMES)
