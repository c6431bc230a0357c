from __future__ import annotations

import io
import json
import os
import subprocess
import threading
from typing import BinaryIO

import numpy as np
import pytest

from radio.errors import StreamError
from radio.stream.formats.writers import FORMATS, open_writer, wav_header
from radio.types import SAMPLE_RATE, Block
from tests.stream.tones import tone


def write_to_pipe(name: str, blocks: list[Block]) -> bytes:
    read, write = os.pipe()
    received: list[bytes] = []

    def drain() -> None:
        with os.fdopen(read, "rb") as pipe:
            received.append(pipe.read())

    reader = threading.Thread(target=drain)
    reader.start()
    with os.fdopen(write, "wb", buffering=0) as pipe:
        writer = open_writer(name, pipe)
        for block in blocks:
            writer.write(block)
        writer.close()
        assert not pipe.closed
    reader.join()
    return received[0]


@pytest.mark.parametrize("name", list(FORMATS))
def test_ffmpeg_decodes_every_format_from_a_pipe_to_the_last_frame(name: str) -> None:
    seconds = 2
    audio = tone(seconds * SAMPLE_RATE)
    data = write_to_pipe(name, np.split(audio, [1, 4_801, 60_000]))
    raw = ["-f", "s16le", "-ar", "48000", "-ac", "2"] if name == "s16le" else []
    run = subprocess.run(
        ["ffmpeg", "-v", "error", *raw, "-i", "-", "-f", "f32le", "-ar", "48000", "-ac", "2", "-"],
        input=data, capture_output=True, check=True,
    )  # fmt: skip
    assert run.stderr == b""
    decoded = np.frombuffer(run.stdout, dtype="<f4").reshape(-1, 2)
    # MP3 is padded to whole frames at both ends, and without a Xing frame the padding is not trimmed.
    slack = 3 * 1_152 if name == "mp3" else 0
    assert len(audio) <= len(decoded) <= len(audio) + slack
    for channel, hertz in ((0, 440), (1, 880)):
        spectrum = np.abs(np.fft.rfft(decoded[8_000:56_000, channel]))
        assert int(np.argmax(spectrum)) == hertz


@pytest.mark.parametrize("name", ["wav", "s16le", "flac"])
def test_lossless_formats_keep_every_sample(name: str) -> None:
    audio = np.random.default_rng(2).uniform(-1, 1, (9_601, 2)).astype(np.float32)
    audio[:4] = np.array([[1, -1], [2, -2], [0, 0], [1 / 32_768, -1 / 32_768]])
    expected = np.clip(np.rint(audio * 32_768.0), -32_768, 32_767).astype("<i2")
    data = write_to_pipe(name, [audio])
    if name == "flac":
        command = ["ffmpeg", "-v", "error", "-i", "-", "-f", "s16le", "-"]
        data = subprocess.run(command, input=data, capture_output=True, check=True).stdout
    samples = np.frombuffer(data[44:] if name == "wav" else data, dtype="<i2").reshape(-1, 2)
    assert np.abs(samples.astype(int) - expected).max() <= (1 if name == "flac" else 0)


def test_the_wav_header_has_an_unknown_length() -> None:
    header = wav_header()
    assert len(header) == 44
    assert header[4:8] == header[40:44] == b"\xff\xff\xff\xff"
    probe = ["ffprobe", "-v", "error", "-show_streams", "-of", "json", "-"]
    run = subprocess.run(probe, input=header + bytes(19_200), capture_output=True, check=True)
    stream = json.loads(run.stdout)["streams"][0]
    assert (stream["codec_name"], stream["sample_rate"], stream["channels"]) == ("pcm_s16le", "48000", 2)


@pytest.mark.parametrize("name", list(FORMATS))
def test_a_closed_pipe_raises_broken_pipe_error(name: str) -> None:
    read, write = os.pipe()
    os.close(read)

    def play(pipe: BinaryIO) -> None:
        writer = open_writer(name, pipe)
        for _ in range(50):
            writer.write(tone(4_800))

    with os.fdopen(write, "wb", buffering=0) as pipe, pytest.raises(BrokenPipeError):
        play(pipe)


@pytest.mark.parametrize("name", list(FORMATS))
def test_at_most_a_quarter_second_is_buffered(name: str) -> None:
    """A program that reads the pipe must get audio continuously, not several seconds at a time."""
    file = io.BytesIO()
    writer = open_writer(name, file)
    noise = np.random.default_rng(3).normal(0, 0.1, (4_800, 2)).astype(np.float32)
    sizes = []
    for _ in range(40):
        writer.write(noise)
        sizes.append(len(file.getvalue()))
    writer.close()
    longest_pause = max(sum(1 for size in sizes if size == s) for s in set(sizes[3:]))
    assert longest_pause <= 2


def test_the_error_for_an_unknown_format_lists_the_formats() -> None:
    with pytest.raises(StreamError, match=r"opus, mp3.*Did you mean 'opus'"):
        open_writer("opsu", io.BytesIO())


def test_a_writer_can_be_closed_without_a_block() -> None:
    for name in FORMATS:
        open_writer(name, io.BytesIO()).close()


@pytest.mark.parametrize("shape", [(100,), (100, 1), (2, 100), (1, 1, 2)])
def test_audio_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(StreamError, match="frames, 2"):
        open_writer("wav", io.BytesIO()).write(np.zeros(shape, dtype=np.float32))
