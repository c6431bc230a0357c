"""`python -m radio.push.video.encoder`: music and titles in, H.264 and AAC with the picture out, in a process of its
own.

It reads what `radio.push.video.messages` describes and writes FLV. It ends with its input. It knows no address and
no key.
"""

from __future__ import annotations

import os
import signal
import sys
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
import numpy.typing as npt

from radio.errors import RadioError, StreamError
from radio.push.video.messages import TITLE, EncoderSettings, read_messages, read_settings
from radio.push.video.picture import BARS, Picture
from radio.push.video.spectrum import Spectrum
from radio.types import SAMPLE_RATE, Frames

KEY_INTERVAL = 2
"""Seconds from one key frame to the next: what Twitch and YouTube ask for."""
PRESET = "veryfast"
"""Of x264. A step quicker saves 4 % of a core, and its picture is coarser."""
AUDIO_RATE = 160_000
"""bit/s of AAC."""
_FRAME_BYTES = 4


def tuning(fps: int, bitrate: int) -> str:
    """What x264 is told for `bitrate` kbit/s.

    The rate is constant because it is filled up (nal-hrd): a still picture needs far less than services like to see.
    """
    keys = KEY_INTERVAL * fps
    return (
        f"nal-hrd=cbr:vbv-maxrate={bitrate}:vbv-bufsize={bitrate}:keyint={keys}:min-keyint={keys}:scenecut=0:bframes=0:"
        "rc-lookahead=10:colorprim=bt709:transfer=bt709:colormatrix=bt709"
    )


class Encoder:
    """Encodes sound, and a frame of the picture for every 1/fps seconds of it."""

    def __init__(self, settings: EncoderSettings, sink: BinaryIO) -> None:
        self._picture = Picture(
            width=settings.width, height=settings.height, image=Path(settings.image), station=settings.station
        )
        self._spectrum = Spectrum(BARS, settings.fps)
        self._fps = settings.fps
        self._step: Frames = SAMPLE_RATE // settings.fps
        self._waiting = bytearray()
        self._number = 0
        # No duration and no size: nobody knows them, and a pipe cannot be amended.
        options = {"flvflags": "no_duration_filesize", "flush_packets": "1"}
        self._container = av.open(sink, "w", format="flv", options=options)
        self._video = self._add_video(settings)
        self._audio = self._container.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
        self._audio.bit_rate = AUDIO_RATE

    def _add_video(self, settings: EncoderSettings) -> av.VideoStream:
        stream = self._container.add_stream("libx264", rate=settings.fps)
        stream.width, stream.height, stream.pix_fmt = settings.width, settings.height, "yuv420p"
        stream.bit_rate = settings.bitrate * 1_000
        # One thread: the process shares the machine with the stations, whose music comes first.
        stream.codec_context.thread_count = 1
        stream.options = {"preset": PRESET, "x264-params": tuning(settings.fps, settings.bitrate)}
        return stream

    def set_title(self, text: str) -> None:
        """Show `text` from the next frame of the picture on."""
        self._picture.title(text)

    def add_samples(self, data: bytes) -> None:
        """Encode the next samples."""
        self._waiting += data
        size = self._step * _FRAME_BYTES
        while len(self._waiting) >= size:
            samples = np.frombuffer(bytes(self._waiting[:size]), "<i2").reshape(-1, 2)
            del self._waiting[:size]
            self._encode(samples)

    def close(self) -> None:
        """Write what the codecs still hold."""
        if self._number:
            self._container.mux(self._video.encode(None))
            self._container.mux(self._audio.encode(None))
        self._container.close()

    def _encode(self, samples: npt.NDArray[np.int16]) -> None:
        self._spectrum.add(samples)
        picture = av.VideoFrame.from_ndarray(self._picture.frame(self._spectrum.heights()), format="yuv420p")
        picture.pts, picture.time_base = self._number, Fraction(1, self._fps)
        sound = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="stereo")
        sound.sample_rate = SAMPLE_RATE
        sound.pts, sound.time_base = self._number * self._step, Fraction(1, SAMPLE_RATE)
        self._number += 1
        self._container.mux(self._video.encode(picture))
        self._container.mux(self._audio.encode(sound))


def run(source: BinaryIO, sink: BinaryIO) -> None:
    """Encode what comes from `source` until it ends.

    Raises:
        StreamError: The image cannot be read, libav refuses the settings, or the input is none of ours.
    """
    try:
        encoder = Encoder(read_settings(source), sink)
        for kind, body in read_messages(source):
            if kind == TITLE:
                encoder.set_title(body.decode(errors="replace"))
            else:
                encoder.add_samples(body)
        encoder.close()
    except av.FFmpegError as error:
        raise StreamError(f"the encoder failed: {error}") from error


def main() -> None:
    """Entry point of `python -m radio.push.video.encoder`."""
    # Ctrl-C reaches the whole process group; whoever started us closes our input when it is time.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(10)  # the music comes first: a late picture is caught up with, a late station is heard
    try:
        run(sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        os._exit(0)  # whoever started us is gone, and with it whoever could be told
    except RadioError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
