"""The encoder process and its output, read by ffprobe and FFmpeg."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Sequence

import av
import numpy as np
import pytest

from radio.errors import StreamError
from radio.paths import ARTWORK
from radio.push.rtmp.flv import AUDIO, DATA, VIDEO, Tag, TagReader
from radio.push.video.messages import SAMPLES, TITLE, EncoderSettings, message, read_messages
from radio.types import SAMPLE_RATE

FLV_START = b"FLV\x01\x05\0\0\0\x09" + bytes(4)
SETTINGS = EncoderSettings(width=320, height=180, fps=30, bitrate=400, image=str(ARTWORK), station="Station")


def tone(seconds: float) -> bytes:
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    wave = 0.25 * np.sin(2 * np.pi * 440 * times)
    return (np.stack([wave, wave], 1) * 32_767).astype("<i2").tobytes()


def encoded(messages: Sequence[bytes], settings: EncoderSettings = SETTINGS) -> bytes:
    done = subprocess.run(
        [sys.executable, "-m", "radio.push.video.encoder"],
        input=settings.as_line() + b"".join(messages),
        capture_output=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    return done.stdout


@pytest.fixture(scope="module")
def video_file() -> bytes:
    sound = tone(6)
    pieces = [message(SAMPLES, sound[at : at + 3_840]) for at in range(0, len(sound), 3_840)]
    half = len(pieces) // 2
    return encoded([message(TITLE, b"First"), *pieces[:half], message(TITLE, b"Second"), *pieces[half:]])


def ffprobe(video_file: bytes, *options: str) -> dict[str, list[dict[str, str]]]:
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", *options, "-"],
        input=video_file,
        capture_output=True,
        timeout=180,
        check=True,
    )
    assert done.stderr == b""
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_the_codecs_are_the_ones_that_services_require(video_file: bytes) -> None:
    video, audio = sorted(
        ffprobe(video_file, "-show_streams")["streams"], key=lambda stream: stream["codec_name"], reverse=True
    )
    assert (video["codec_name"], video["pix_fmt"], video["width"], video["height"]) == ("h264", "yuv420p", 320, 180)
    assert (video["r_frame_rate"], video["color_space"], video["has_b_frames"]) == ("30/1", "bt709", 0)
    assert (audio["codec_name"], audio["profile"], audio["sample_rate"], audio["channels"]) == ("aac", "LC", "48000", 2)


@pytest.mark.slow
def test_key_frames_come_every_two_seconds_and_the_rate_is_constant(video_file: bytes) -> None:
    packets = ffprobe(video_file, "-select_streams", "v", "-show_packets")["packets"]
    times = [float(packet["pts_time"]) for packet in packets if "K" in packet["flags"]]
    assert np.allclose(np.diff(times), 2.0, atol=0.002)
    assert len(times) == 3
    seconds = np.zeros(6)
    for packet in packets:
        seconds[min(5, int(float(packet["pts_time"]) - times[0] + 0.001))] += 8 * int(packet["size"]) / 1_000
    assert np.abs(seconds[1:5] - 400).max() < 80


def test_the_audio_has_the_right_bit_rate_length_and_pitch(video_file: bytes) -> None:
    packets = ffprobe(video_file, "-select_streams", "a", "-show_packets")["packets"]
    rate = 8 * sum(int(packet["size"]) for packet in packets) / 6
    assert 60_000 < rate < 175_000  # a tone needs less than music
    with av.open(io.BytesIO(video_file)) as container:
        samples = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert abs(len(samples) / SAMPLE_RATE - 6) < 0.1
    assert int(np.argmax(np.abs(np.fft.rfft(samples[SAMPLE_RATE : 3 * SAMPLE_RATE])))) == 880


def test_video_and_audio_stay_in_sync(video_file: bytes) -> None:
    packets = ffprobe(video_file, "-show_packets")["packets"]
    last = {packet["codec_type"]: float(packet["pts_time"]) for packet in packets}
    assert abs(last["video"] - last["audio"]) < 0.1


@pytest.mark.slow
def test_the_title_changes_at_its_position_in_the_samples(video_file: bytes) -> None:
    with av.open(io.BytesIO(video_file)) as container:
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    assert len(frames) == 180
    line = [frame[118:138, 10:160].astype(int) for frame in frames]
    assert np.abs(line[80] - line[60]).max() < 40  # the same title, up to the codec's noise
    assert np.abs(line[95] - line[85]).max() > 80  # after three seconds, the second title


def test_tags_do_not_depend_on_the_sizes_of_the_input_pieces(video_file: bytes) -> None:
    whole = TagReader().feed(video_file)
    for step in (1, 7, 1_000):
        reader, tags = TagReader(), list[Tag]()
        part = video_file[:40_000] if step == 1 else video_file
        for at in range(0, len(part), step):
            tags += reader.feed(part[at : at + step])
        assert tags == whole[: len(tags)]
        assert len(tags) > 20
    assert [(tag.kind, tag.is_header) for tag in whole[:3]] == [(DATA, True), (VIDEO, True), (AUDIO, True)]
    assert sum(tag.is_key for tag in whole) == 3


def test_timestamps_continue_when_their_31_bits_wrap() -> None:
    def tag(time: int) -> bytes:
        timestamp = (time & 0xFFFFFF).to_bytes(3, "big") + bytes([time >> 24 & 0x7F])
        return b"\x08" + (2).to_bytes(3, "big") + timestamp + bytes(3) + b"\xaf\x01" + bytes(4)

    wrap, day = 2**31, 86_400_000
    around = [wrap - 20, wrap - 30, wrap + 5, wrap - 2, wrap + 25]  # video and audio tags are slightly out of order
    times = [*range(0, wrap - 20, day), *around, *range(wrap + day, 3 * wrap, day)]
    data = FLV_START + b"".join(map(tag, times))
    assert [tag.time for tag in TagReader().feed(data)] == times


@pytest.mark.parametrize(
    "data",
    [
        b"RIFF" + bytes(20),
        FLV_START + b"\x07" + bytes(20),
        FLV_START + b"\x09\x00\x00\x01" + bytes(20),  # shorter than any tag
        FLV_START + b"\x09\xff\xff\xff" + bytes(20),  # longer than any tag
    ],
)
def test_data_other_than_flv_is_rejected(data: bytes) -> None:
    with pytest.raises(StreamError, match="encoder wrote"):
        TagReader().feed(data)


def test_an_unreadable_image_is_named_in_the_error() -> None:
    settings = EncoderSettings(320, 180, 30, 400, "/nowhere/image.png", "Station")
    done = subprocess.run(
        [sys.executable, "-m", "radio.push.video.encoder"],
        input=settings.as_line(),
        capture_output=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 1
    assert b"/nowhere/image.png cannot be read" in done.stderr
    assert b"Traceback" not in done.stderr


def test_truncated_messages_are_ignored_and_unknown_ones_rejected() -> None:
    assert list(read_messages(io.BytesIO(message(TITLE, b"a") + message(SAMPLES, b"bcd")[:-1]))) == [(TITLE, b"a")]
    with pytest.raises(StreamError, match="unknown message"):
        list(read_messages(io.BytesIO(b"\x09" + bytes(4))))
    with pytest.raises(StreamError, match="2097152 bytes"):
        list(read_messages(io.BytesIO(bytes([SAMPLES]) + (2 << 20).to_bytes(4, "little"))))
