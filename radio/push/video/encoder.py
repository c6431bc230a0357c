"""The encoder process, `python -m radio.push.video.encoder`: samples and titles in, H.264 and AAC out.

It reads the messages of `radio.push.video.messages` from stdin, writes FLV to stdout, and exits at the end of input. It
knows neither the server's address nor the stream key.
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
"""Seconds between key frames, as required by Twitch and YouTube."""
PRESET = "veryfast"
"""x264's preset. The next faster one saves 4 % of a core, and its picture is coarser."""
AUDIO_RATE = 160_000
"""bit/s of AAC."""
_SAMPLE_BYTES = 4
"""Two channels of 16 bits."""


def x264_params(fps: int, bitrate: int) -> str:
    """Return x264's parameters for a constant `bitrate` in kbit/s.

    The stream is padded to the bit rate (nal-hrd=cbr), because services warn about the low rate of a still picture.
    """
    interval = KEY_INTERVAL * fps
    return (
        f"nal-hrd=cbr:vbv-maxrate={bitrate}:vbv-bufsize={bitrate}:keyint={interval}:min-keyint={interval}:"
        "scenecut=0:bframes=0:rc-lookahead=10:colorprim=bt709:transfer=bt709:colormatrix=bt709"
    )


class Encoder:
    """An encoder of samples, and of one video frame per 1/fps seconds of samples."""

    def __init__(self, settings: EncoderSettings, sink: BinaryIO) -> None:
        self._picture = Picture(
            width=settings.width, height=settings.height, image=Path(settings.image), station=settings.station
        )
        self._spectrum = Spectrum(BARS, settings.fps)
        self._fps = settings.fps
        self._samples_per_frame: Frames = SAMPLE_RATE // settings.fps
        self._pending = bytearray()
        self._frame_number = 0
        # Duration and size are unknown, and a pipe cannot be rewound to add them.
        options = {"flvflags": "no_duration_filesize", "flush_packets": "1"}
        self._container = av.open(sink, "w", format="flv", options=options)
        self._video = self._add_video(settings)
        self._audio = self._container.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
        self._audio.bit_rate = AUDIO_RATE

    def _add_video(self, settings: EncoderSettings) -> av.VideoStream:
        stream = self._container.add_stream("libx264", rate=settings.fps)
        stream.width, stream.height, stream.pix_fmt = settings.width, settings.height, "yuv420p"
        stream.bit_rate = settings.bitrate * 1_000
        # One thread: stations share the machine and have priority.
        stream.codec_context.thread_count = 1
        stream.options = {"preset": PRESET, "x264-params": x264_params(settings.fps, settings.bitrate)}
        return stream

    def set_title(self, text: str) -> None:
        """Show `text`, starting with the next video frame."""
        self._picture.set_title(text)

    def add_samples(self, data: bytes) -> None:
        """Encode the next samples, interleaved signed 16-bit stereo."""
        self._pending += data
        size = self._samples_per_frame * _SAMPLE_BYTES
        while len(self._pending) >= size:
            samples = np.frombuffer(bytes(self._pending[:size]), "<i2").reshape(-1, 2)
            del self._pending[:size]
            self._encode(samples)

    def close(self) -> None:
        """Flush the codecs and finish the file."""
        if self._frame_number:
            self._container.mux(self._video.encode(None))
            self._container.mux(self._audio.encode(None))
        self._container.close()

    def _encode(self, samples: npt.NDArray[np.int16]) -> None:
        self._spectrum.add(samples)
        picture = av.VideoFrame.from_ndarray(self._picture.frame(self._spectrum.heights()), format="yuv420p")
        picture.pts, picture.time_base = self._frame_number, Fraction(1, self._fps)
        sound = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="stereo")
        sound.sample_rate = SAMPLE_RATE
        sound.pts, sound.time_base = self._frame_number * self._samples_per_frame, Fraction(1, SAMPLE_RATE)
        self._frame_number += 1
        self._container.mux(self._video.encode(picture))
        self._container.mux(self._audio.encode(sound))


def run(source: BinaryIO, sink: BinaryIO) -> None:
    """Encode the input until it ends.

    Raises:
        StreamError: The image cannot be read, FFmpeg rejects the settings, or the input is malformed.
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
        raise StreamError(f"FFmpeg failed: {error}") from error


def main() -> None:
    """Run the encoder on stdin and stdout."""
    # Ctrl-C signals the whole process group, but the parent ends this process by closing its input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(10)  # stations have priority: late video can catch up, but late audio is audible
    try:
        run(sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        os._exit(0)  # the parent is gone
    except RadioError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
