"""Rendering compared with programs that do part of the work: FluidSynth's own renderer, and ffmpeg."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from bench.measurement import BenchmarkSetup, Measurement, shown
from bench.timers import in_turn, processor_seconds, timed
from radio.audio.mixer import Mixer
from radio.audio.synth import Synth
from radio.audio.vinyl import Vinyl
from radio.music import midi
from radio.settings.station import StationSettings
from radio.station.extent import TimedExcerpt
from radio.station.factory import open_programs, open_station
from radio.station.midi_export import write_midi
from radio.station.score import compose
from radio.stream.formats.codecs import CODECS
from radio.stream.formats.encoders import open_encoder
from radio.types import GRID, MIX_BLOCK, SAMPLE_RATE, Block, Format, Frames, Seconds, SynthEvent

_ROUNDS = 3


def measure(setup: BenchmarkSetup) -> Iterator[Measurement]:
    """Measure the radio and the other programs in turn, on the same music."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _synthesizers(setup, Path(folder))
        yield from _encoders(setup, Path(folder))


def _synthesizers(setup: BenchmarkSetup, folder: Path) -> Iterator[Measurement]:
    if shutil.which("fluidsynth") is None:
        raise RuntimeError("fluidsynth is not installed; run apt install fluidsynth")
    settings, minutes = setup.station, max(0.5, 5 * setup.effort)
    song = folder / "song.mid"
    seconds = minutes * 60
    write_midi(compose(settings, settings.seed, TimedExcerpt(seconds)), song)
    events = _events(song)

    def ours(*, mixed: bool) -> float:
        return _play(settings, events, seconds, mixed=mixed)

    def theirs(*options: str) -> float:
        command = ["fluidsynth", "-niq", "-F", os.devnull, "-T", "raw", "-O", "float", "-r", str(SAMPLE_RATE), *options]
        return seconds / processor_seconds([*command, str(settings.soundfont), str(song)])

    dry = ("-R", "0", "-C", "0", "-o", "synth.dynamic-sample-loading=1")
    plain, alone, whole, wet = in_turn(
        timed(lambda: ours(mixed=False)),
        lambda: theirs(*dry),
        timed(lambda: ours(mixed=True)),
        theirs,
        rounds=_ROUNDS,
    )
    yield _ratio("synthesizer, against `fluidsynth -F` without effects", plain, alone, 0.9)
    yield _ratio("synthesizer, vinyl and all effects, against `fluidsynth -F` with reverb and chorus", whole, wet)


def _events(song: Path) -> dict[str, list[SynthEvent]]:
    """Return the events of a MIDI file for the synthesizer, by layer."""
    read = midi.read(song)
    events: dict[str, list[SynthEvent]] = {}
    for note in read.notes:
        for tick, velocity in ((note.start, note.velocity), (note.end, 0)):
            frame = round(read.seconds(tick) * SAMPLE_RATE / GRID) * GRID
            events.setdefault(note.track, []).append(SynthEvent(frame, note.note, velocity))
    return events


def _play(
    settings: StationSettings, events: Mapping[str, Sequence[SynthEvent]], seconds: Seconds, *, mixed: bool
) -> float:
    vinyl, mixer = Vinyl(1), Mixer(settings.tone)
    with closing(Synth(settings.soundfont, open_programs(settings))) as synth:
        for layer, layer_events in events.items():
            synth.schedule(layer, layer_events)
        for _ in range(round(seconds * SAMPLE_RATE) // MIX_BLOCK):
            stems = synth.render(MIX_BLOCK)
            if mixed:
                mixer.process({**stems, "vinyl": vinyl.render(MIX_BLOCK)}, settings.controls)
    return seconds


def _encoders(setup: BenchmarkSetup, folder: Path) -> Iterator[Measurement]:
    with closing(open_station(setup.station)) as station:
        audio = station.render(round(max(5.0, 60 * setup.effort) * SAMPLE_RATE))
    raw = folder / "audio.f32"
    raw.write_bytes(audio.tobytes())
    for format_ in CODECS:
        ours, theirs = in_turn(timed(_encoding(format_, audio)), _ffmpeg(format_, raw, len(audio)), rounds=_ROUNDS)
        yield _ratio(f"{format_} encoder in a worker, against the ffmpeg program", ours, theirs)


def _encoding(format_: Format, audio: Block) -> Callable[[], float]:
    def encode() -> float:
        encoder = open_encoder(format_)
        for start in range(0, len(audio), MIX_BLOCK):
            encoder.encode(audio[start : start + MIX_BLOCK])
        return len(audio) / SAMPLE_RATE

    return encode


def _ffmpeg(format_: Format, raw: Path, frames: Frames) -> Callable[[], float]:
    codec = CODECS[format_]
    source = ["-f", "f32le", "-ar", str(SAMPLE_RATE), "-ac", "2", "-i", str(raw)]
    target = ["-c:a", codec.encoder, "-b:a", str(codec.bit_rate)]
    target += [word for name, value in codec.options.items() for word in (f"-{name}", value)]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-threads", "1", *source, *target, "-f", "null", "-"]
    return lambda: frames / SAMPLE_RATE / processor_seconds(command)


def _ratio(name: str, ours: float, theirs: float, target: float | None = None) -> Measurement:
    absolute = f"{shown(ours, '×')} and {shown(theirs, '×')} real time"
    return Measurement(name, ours / theirs, "×", target, absolute=absolute)
