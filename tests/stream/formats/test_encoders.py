from __future__ import annotations

from typing import get_args

import av
import numpy as np
import pytest

from radio.errors import StreamError
from radio.stream.formats.codecs import AUDIO_SPECIFIC_CONFIG, CODECS, packet_frames
from radio.stream.formats.encoders import open_encoder
from radio.types import SAMPLE_RATE, Block, Format, Packet
from tests.stream.tones import tone

FORMATS: tuple[Format, ...] = get_args(Format)
DECODERS = {"opus": "libopus", "mp3": "mp3float", "aac": "aac"}


def decode(format_: Format, packets: list[Packet]) -> Block:
    if format_ == "pcm":
        samples = np.frombuffer(b"".join(packet.data for packet in packets), dtype="<i2")
        return (samples.reshape(-1, 2) / 32_768).astype(np.float32)
    codec = av.CodecContext.create(DECODERS[format_], "r")
    assert isinstance(codec, av.AudioCodecContext)
    codec.sample_rate, codec.layout = SAMPLE_RATE, "stereo"
    if format_ == "opus":
        codec.format = "flt"
    if format_ == "aac":
        codec.extradata = AUDIO_SPECIFIC_CONFIG
    frames = [frame for packet in packets for frame in codec.decode(av.Packet(packet.data))]
    arrays = [frame.to_ndarray() for frame in frames]
    return np.concatenate([a.T if len(a) == 2 else a.reshape(-1, 2) for a in arrays]).astype(np.float32)


@pytest.mark.parametrize("format_", FORMATS)
def test_packets_have_consecutive_stamps_from_the_start(format_: Format) -> None:
    length = packet_frames(format_)
    packets = open_encoder(format_, start=96_000).encode(tone(96_000))
    assert len(packets) * length > 96_000 - 4_000
    assert [packet.frame for packet in packets] == [96_000 + length * k for k in range(len(packets))]
    assert {packet.frames for packet in packets} == {length}


@pytest.mark.parametrize("format_", FORMATS)
def test_the_packets_do_not_depend_on_the_block_sizes(format_: Format) -> None:
    audio = tone(30_000)
    whole = open_encoder(format_).encode(audio)
    split = open_encoder(format_)
    pieces = [p for part in np.split(audio, [0, 1, 959, 960, 961, 5_000, 24_000]) for p in split.encode(part)]
    assert pieces == whole[: len(pieces)]
    assert len(whole) - len(pieces) <= 1


@pytest.mark.parametrize("format_", FORMATS)
def test_audio_is_delayed_by_the_lookahead(format_: Format) -> None:
    """An impulse at frame n is decoded at n + lookahead, relative to the first packet's stamp."""
    audio = np.zeros((24_000, 2), dtype=np.float32)
    audio[10_000] = 0.9
    decoded = decode(format_, open_encoder(format_).encode(audio))
    lookahead = CODECS[format_].lookahead if format_ in CODECS else 0
    assert abs(int(np.argmax(np.abs(decoded[:, 0]))) - (10_000 + lookahead)) <= 2


@pytest.mark.parametrize("format_", list(CODECS))
def test_the_bit_rate_is_near_the_target(format_: Format) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, (10 * SAMPLE_RATE, 2)).astype(np.float32)
    bits = 8 * sum(len(packet.data) for packet in open_encoder(format_).encode(noise))
    assert 0.8 < bits / (10 * CODECS[format_].bit_rate) < 1.2


def test_mp3_frames_have_equal_size_and_are_independent() -> None:
    packets = open_encoder("mp3").encode(tone(3 * SAMPLE_RATE))
    assert {len(packet.data) for packet in packets} == {192_000 // 8 * 1_152 // SAMPLE_RATE}
    # main_data_begin, the nine bits after the header, is the offset of a frame's data in earlier frames.
    assert {int.from_bytes(packet.data[4:6], "big") >> 7 for packet in packets} == {0}


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("shape", [(100,), (100, 1), (2, 100), (1, 1, 2)])
def test_audio_of_another_shape_is_refused(format_: Format, shape: tuple[int, ...]) -> None:
    with pytest.raises(StreamError, match="frames, 2"):
        open_encoder(format_).encode(np.zeros(shape, dtype=np.float32))
