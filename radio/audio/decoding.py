"""Decoding of any audio file with libav, in blocks of one second."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import av
import numpy as np

from radio.errors import AudioError
from radio.types import SAMPLE_RATE, Block, Seconds


def decode(path: Path, rate: int = SAMPLE_RATE) -> Iterator[Block]:
    """Yield the first audio stream of a file in one-second blocks, (frames, 2) float32 at `rate`.

    The last block may be shorter. Mono is repeated on both channels, and more than two channels are mixed down.

    Raises:
        AudioError: The file does not exist, contains no audio, or cannot be decoded; the message names it.
    """
    pending: list[Block] = []
    frames = total = 0
    for part in _parts(path, rate):
        pending.append(part)
        frames += len(part)
        total += len(part)
        if frames >= rate:
            joined = np.concatenate(pending)
            whole = frames // rate * rate
            yield from joined[:whole].reshape(-1, rate, 2)
            pending, frames = [joined[whole:]], frames - whole
    if not total:
        raise AudioError(f"{path}: the file contains no audio")
    if frames:
        yield np.concatenate(pending)


def read(path: Path) -> Block:
    """Return a whole file as one block; a minute takes 23 MB. Raise AudioError as `decode` does."""
    return np.concatenate(list(decode(path)))


def declared_seconds(path: Path) -> Seconds | None:
    """Return the length that the header of a file states, or None if it states none."""
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            return None if container.duration is None else container.duration / av.time_base
    except (av.FFmpegError, OSError):
        return None


def _parts(path: Path, rate: int) -> Iterator[Block]:
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            if not container.streams.audio:
                raise AudioError(f"{path}: the file contains no audio; use a file such as .wav, .flac, .mp3 or .opus")
            # Recordings of radio streams may change their rate and channels, which one resampler does not accept.
            for _, frames in groupby(container.decode(audio=0), _properties):
                yield from _resampled(frames, rate)
    except FileNotFoundError:
        raise AudioError(f"{path}: no such file") from None
    except (av.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise AudioError(f"{path}: the audio cannot be decoded ({reason})") from error


def _properties(frame: av.AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate


def _resampled(frames: Iterator[av.AudioFrame], rate: int) -> Iterator[Block]:
    """Yield the audio of frames with the same properties."""
    resampler: av.AudioResampler | None = None
    for frame in frames:
        frame.pts = None  # ignore gaps and jumps in the timestamps
        if resampler is None:
            # libswresample would make mono 3 dB quieter on its way to stereo.
            layout = "mono" if frame.layout.nb_channels == 1 else "stereo"
            resampler = av.AudioResampler(format="flt", layout=layout, rate=rate)
        yield from map(_stereo, resampler.resample(frame))
    if resampler is not None:
        yield from map(_stereo, resampler.resample(None))


def _stereo(frame: av.AudioFrame) -> Block:
    samples = np.asarray(frame.to_ndarray(), np.float32).reshape(frame.samples, -1)
    return np.repeat(samples, 2, axis=1) if samples.shape[1] == 1 else samples
