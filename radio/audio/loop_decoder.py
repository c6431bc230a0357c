"""Decode the files of a folder of loops: `python -m radio.audio.loop_decoder DESCRIPTOR FILE ...`.

Users' files are decoded in a separate process, with limits on time and memory. A file that crashes a decoder, or takes
gigabytes, is reported as an error of that file and does not affect the station.
"""

from __future__ import annotations

import json
import logging
import math
import os
import resource
import shutil
import subprocess
import sys
import warnings
import wave
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from radio.errors import AudioError
from radio.types import SAMPLE_RATE, Block, Frames, Seconds

LONGEST: Final[Frames] = 30 * 60 * SAMPLE_RATE
"""Most audio that is used of a folder."""

_COMMAND: Final = (sys.executable, "-P", "-m", "radio.audio.loop_decoder")
_MEMORY: Final = 3 * 2**30
"""Limit of the address space in bytes; half an hour of stereo takes half of it."""

_PROCESSOR_SECONDS: Final = 120
_SHORTEST: Final[Frames] = SAMPLE_RATE // 10

_log = logging.getLogger("radio.audio")
_SIDE = math.sqrt(0.5)
_MIXES: Mapping[int, tuple[tuple[float, ...], tuple[float, ...]]] = MappingProxyType(
    {
        1: ((1,), (1,)),
        2: ((1, 0), (0, 1)),
        3: ((1, 0, _SIDE), (0, 1, _SIDE)),
        4: ((1, 0, _SIDE, 0), (0, 1, 0, _SIDE)),
        5: ((1, 0, _SIDE, _SIDE, 0), (0, 1, _SIDE, 0, _SIDE)),
        6: ((1, 0, _SIDE, 0, _SIDE, 0), (0, 1, _SIDE, 0, 0, _SIDE)),
        7: ((1, 0, _SIDE, 0, 0.5, _SIDE, 0), (0, 1, _SIDE, 0, 0.5, 0, _SIDE)),
        8: ((1, 0, _SIDE, 0, _SIDE, 0, _SIDE, 0), (0, 1, _SIDE, 0, 0, _SIDE, 0, _SIDE)),
    }
)
"""The share of each channel in left and right (ITU-R BS.775-4, annex 4), by the number of channels.

The channels are in the order of WAV files: front left and right, center, low frequencies, back, and sides. The
low-frequency channel is left out.
"""


@dataclass(frozen=True, slots=True)
class _Answer:
    """The decoder's answer for a file: its number of frames, or the problem with it."""

    frames: Frames = 0
    problem: str = ""


def decode_files(files: Sequence[Path]) -> list[tuple[Path, Block]]:
    """Return the files that are used, with their audio: (frames, 2) float32 at 48 kHz, read-only.

    Raises:
        AudioError: Files cannot be read; the message names each one with its reason.
    """
    memory = os.memfd_create("loops")
    try:
        command = [*_COMMAND, str(memory), *map(str, files)]
        process = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, pass_fds=(memory,), check=False
        )
        answers = [_Answer(**json.loads(line)) for line in process.stdout.splitlines()]
        if process.returncode:  # it crashed at the file after the last answer
            reason = f"its decoder ended with status {process.returncode}; the file may be damaged or too large"
            answers.append(_Answer(problem=f"loop {files[len(answers)]} cannot be read: {reason}"))
        if problems := [answer.problem for answer in answers if answer.problem]:
            raise AudioError("\n".join(problems))
        return _recordings(files, [answer.frames for answer in answers], memory)
    finally:
        os.close(memory)


def _recordings(files: Sequence[Path], lengths: Sequence[Frames], memory: int) -> list[tuple[Path, Block]]:
    """Return the audio of the files, which `memory` contains one after another."""
    if len(lengths) < len(files) or sum(lengths) == LONGEST:
        _log.warning("loops %s: only the first %d minutes are used", files[0].parent, LONGEST // SAMPLE_RATE // 60)
    with os.fdopen(os.dup(memory), "rb") as file:
        audio = np.memmap(file, np.float32, "r", shape=(sum(lengths), 2)).view(np.ndarray)
    return list(zip(files, np.split(audio, np.cumsum(lengths)[:-1]), strict=False))


def main(memory: int, files: Sequence[Path]) -> None:
    """Write the audio of the files to a descriptor, and an answer for each to standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_PROCESSOR_SECONDS, _PROCESSOR_SECONDS))
    left = LONGEST
    with os.fdopen(memory, "wb") as target:
        for path in files:
            if left < _SHORTEST:
                return
            try:
                audio = _decode(path, left)[:left]
            except AudioError as error:
                answer = _Answer(problem=str(error))
            except MemoryError:
                answer = _Answer(problem=f"loop {path} cannot be read: it takes too much memory")
            else:
                target.write(audio.tobytes())
                left -= len(audio)
                answer = _Answer(len(audio))
            sys.stdout.write(json.dumps(asdict(answer)) + "\n")
            sys.stdout.flush()


def _decode(path: Path, longest: Frames) -> Block:
    segment = _segment(path, longest / SAMPLE_RATE)
    # Samples are integers of sample_width bytes, with interleaved channels.
    full_scale = np.float32(1 << (8 * segment.sample_width - 1))
    audio = np.asarray(segment.get_array_of_samples(), np.float32).reshape(-1, segment.channels) / full_scale
    stereo = _mixed_down(path, audio)
    if segment.frame_rate != SAMPLE_RATE and len(stereo):
        stereo = _resampled(stereo, segment.frame_rate)
    if len(stereo) < _SHORTEST:
        raise AudioError(f"loop {path} lasts {len(stereo) / SAMPLE_RATE:.3f} s; it must last at least 0.1 s")
    return np.ascontiguousarray(stereo, dtype=np.float32)


def _mixed_down(path: Path, audio: npt.NDArray[np.float32]) -> Block:
    """Mix any number of channels, shape (frames, channels), down to stereo without clipping."""
    channels = audio.shape[1]
    if channels not in _MIXES:
        raise AudioError(f"loop {path} has {channels} channels; mix it down to at most {max(_MIXES)}")
    shares = np.array(_MIXES[channels], np.float32)
    return np.asarray(audio @ (shares / shares.sum(axis=1, keepdims=True)).T, np.float32)


def _resampled(stereo: Block, rate: int) -> Block:
    """Resample from `rate` Hz to 48 kHz with libswresample."""
    import av

    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(stereo.T, np.float32), format="fltp", layout="stereo")
    frame.sample_rate = rate
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=SAMPLE_RATE)
    parts = [part.to_ndarray() for whole in (frame, None) for part in resampler.resample(whole)]
    return np.asarray(np.concatenate(parts, axis=1).T, np.float32)


def _segment(path: Path, longest: Seconds) -> Any:
    """Read a file with pydub and return its AudioSegment, up to `longest`."""
    with warnings.catch_warnings():
        # The import warns about the deprecated audioop and about missing programs, which are reported below if needed.
        warnings.simplefilter("ignore")
        from pydub import AudioSegment
        from pydub.exceptions import CouldntDecodeError
        from pydub.utils import mediainfo_json
    try:
        with path.open("rb") as file:
            if _is_pcm_wav(path):
                return AudioSegment.from_file(file, "wav", duration=longest)
            if not (shutil.which("ffmpeg") and shutil.which("ffprobe")):
                raise AudioError(f"loop {path} needs the program ffmpeg: `apt install ffmpeg`")
            streams = [
                stream for stream in mediainfo_json(str(path)).get("streams", []) if stream["codec_type"] == "audio"
            ]
            if not streams:
                raise AudioError(f"loop {path} contains no audio that ffmpeg can read")
            # Pass the codec explicitly: pydub does not detect Opus in Ogg.
            return AudioSegment.from_file(file, codec=streams[0]["codec_name"], duration=longest)
    except CouldntDecodeError as error:
        # The decoder prints its banner first and the reason last.
        reason = str(error).strip().splitlines()[-1]
        raise AudioError(f"loop {path} cannot be read: {reason}") from error
    except (OSError, ValueError, LookupError) as error:
        raise AudioError(f"loop {path} cannot be read: {error!r}") from error


def _is_pcm_wav(path: Path) -> bool:
    """Return True for an 8- or 16-bit WAV file. pydub is slow with 24 bits and misreads floating point."""
    try:
        with wave.open(str(path)) as file:
            return int(file.getsampwidth()) <= 2
    except (wave.Error, EOFError):
        return False


if __name__ == "__main__":
    main(int(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
