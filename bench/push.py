"""The cost of a push's video compared with ffmpeg's filters, with the same rates and x264 settings."""

from __future__ import annotations

import io
import os
import tempfile
import wave
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from bench.measurement import BenchmarkSetup, Measurement
from bench.timers import in_turn, processor_seconds, timed
from radio.paths import ARTWORK
from radio.push.video.encoder import AUDIO_RATE, KEY_INTERVAL, PRESET, Encoder, x264_params
from radio.push.video.messages import EncoderSettings
from radio.settings.push import Video
from radio.station.factory import open_station
from radio.stream.formats.pcm import to_s16
from radio.types import SAMPLE_RATE, Seconds

_BLOCK = SAMPLE_RATE // 50 * 4
_SIZES = {"720p": Video(), "1080p": Video(1_920, 1_080, bitrate=4_500)}


def measure(setup: BenchmarkSetup) -> Iterator[Measurement]:
    """Encode the station's music with its video, with the radio and with ffmpeg in turn."""
    seconds = max(2.0, 20 * setup.effort)
    with closing(open_station(setup.station)) as station:
        sound = to_s16(station.render(round(seconds * SAMPLE_RATE))).tobytes()
    with tempfile.TemporaryDirectory() as folder:
        song = Path(folder) / "song.wav"
        with wave.open(str(song), "wb") as file:
            file.setparams((2, 2, SAMPLE_RATE, 0, "NONE", ""))
            file.writeframes(sound)
        for name, video in _SIZES.items():
            ours, theirs = in_turn(
                timed(lambda video=video: _ours(sound, video)),  # type: ignore[misc]  # mypy accepts no default here
                lambda video=video: seconds / processor_seconds(_ffmpeg(song, video)),  # type: ignore[misc]  # likewise
                rounds=3,
            )
            name_and_rate = f"a push of {name} at {video.fps} frames/s and {video.bitrate} kbit/s"
            target = 25.0 if name == "720p" else None
            yield Measurement(name_and_rate, 100 / ours, "% of a core", target, at_most=True)
            absolute = f"{100 / ours:.1f} and {100 / theirs:.1f} % of a core"
            against = f"{name} against ffmpeg with showfreqs and drawtext"
            yield Measurement(against, ours / theirs, "×", absolute=absolute)


def _ours(sound: bytes, video: Video) -> Seconds:
    settings = EncoderSettings(video.width, video.height, video.fps, video.bitrate, os.fspath(ARTWORK), "Station")
    encoder = Encoder(settings, io.BytesIO())
    encoder.set_title("A Title")
    for at in range(0, len(sound), _BLOCK):
        encoder.add_samples(sound[at : at + _BLOCK])
    encoder.close()
    return len(sound) / 4 / SAMPLE_RATE


def _ffmpeg(song: Path, video: Video) -> list[str]:
    width, height, fps = video.width, video.height, video.fps
    bars = f"showfreqs=s={width - 128}x{height // 7}:mode=bar:rate={fps}:win_size=4096"
    overlay = f"overlay=64:{height * 5 // 6},drawtext=text=A Title:fontcolor=white:fontsize=44:x=64:y=h*3/4"
    graph = f"[1:v]scale={width}:{height}[ground];[0:a]{bars}[bars];[ground][bars]{overlay}[v]"
    rates = ["-b:v", f"{video.bitrate}k", "-b:a", str(AUDIO_RATE), "-r", str(fps), "-g", str(KEY_INTERVAL * fps)]
    codecs = [
        "-c:v",
        "libx264",
        "-preset",
        PRESET,
        "-x264-params",
        x264_params(video.fps, video.bitrate),
        "-c:a",
        "aac",
    ]
    sources = ["-i", os.fspath(song), "-loop", "1", "-framerate", str(fps), "-i", os.fspath(ARTWORK)]
    maps = ["-filter_complex", graph, "-map", "[v]", "-map", "0:a", "-pix_fmt", "yuv420p", "-threads", "1"]
    target = ["-shortest", "-f", "flv", "-y", os.devnull]
    return ["ffmpeg", "-v", "error", "-nostdin", *sources, *maps, *codecs, *rates, *target]
