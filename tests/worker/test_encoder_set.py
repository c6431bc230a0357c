from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from radio.errors import StreamError
from radio.stream.formats.codecs import CODECS, packet_frames
from radio.stream.formats.encoders import Encoder, open_encoder
from radio.stream.formats.muxers import open_muxer
from radio.stream.relay.mount import Mount
from radio.types import SAMPLE_RATE, Block, Format, Packet
from radio.worker import encoder_set
from radio.worker.encoder_set import RETRY, EncoderSet
from radio.worker.wire import Encoded, EncoderFailed
from tests.stream.formats.test_encoders import decode
from tests.stream.tones import tone

FORMATS: tuple[Format, ...] = get_args(Format)
STEP = 3_840


def add_tone(encoders: EncoderSet, start: int, end: int) -> None:
    for frame in range(start, end, STEP):
        encoders.add(tone(STEP, start=frame))


def encode_all(encoders: EncoderSet, format_: Format, frames: int = 24_000) -> list[Packet]:
    """Encode all available audio and return the packets of one format."""
    messages = []
    while encoders.has_work:
        messages += encoders.encode(frames)
    return [message.packet for message in messages if isinstance(message, Encoded) and message.format == format_]


@pytest.mark.parametrize("format_", FORMATS)
def test_past_audio_is_encoded_first_and_joins_new_audio_seamlessly(format_: Format) -> None:
    encoders = EncoderSet()
    add_tone(encoders, 0, 20 * STEP)
    encoders.open(format_, 5 * STEP)
    packets = encode_all(encoders, format_)
    for n in range(20, 40):
        encoders.add(tone(STEP, start=n * STEP))
        packets += encode_all(encoders, format_, STEP)
    length = packet_frames(format_)
    assert [packet.frame for packet in packets] == [5 * STEP + length * n for n in range(len(packets))]
    audio = decode(format_, packets)[length * 4 :]
    levels = np.sqrt(np.mean(audio[: len(audio) // 240 * 240].reshape(-1, 240, 2) ** 2, axis=1))
    assert levels.min() > 0.15


def deep_tone(frequency: float, phase: float, start: int, end: int) -> Block:
    wave = 0.5 * np.cos(2 * np.pi * frequency * np.arange(start, end) / SAMPLE_RATE + phase)
    return np.stack([wave, wave], axis=1).astype(np.float32)


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("phase", [np.pi, 1.3 * np.pi, 1.7 * np.pi])
def test_the_sound_of_another_worker_takes_over_without_a_step(format_: Format, phase: float) -> None:
    place, end = 2 * SAMPLE_RATE + 331, 3 * SAMPLE_RATE
    mount = Mount(format_, open_muxer(format_, title="", description=""))
    first = EncoderSet()
    first.open(format_, 0)
    first.add(deep_tone(300, 0, 0, end))
    for packet in encode_all(first, format_):
        mount.add(packet)
    mount.cut(place, fades=True)
    assert mount.end is not None
    second = EncoderSet(SAMPLE_RATE)
    second.add(deep_tone(317, phase, SAMPLE_RATE, end))
    second.open(format_, mount.end)
    for packet in encode_all(second, format_):
        mount.add(packet)
    mount.advance(end)
    sound = decode(format_, [packet for chunk in mount.ring.slice(0, mount.ring.edge) for packet in chunk.packets])
    steps, length = np.abs(np.diff(sound[:, 0])), packet_frames(format_)
    assert steps[place - 2 * length : place + 4 * length].max() < 1.5 * steps[SAMPLE_RATE // 2 : SAMPLE_RATE].max()


def test_formats_are_encoded_independently() -> None:
    encoders = EncoderSet()
    add_tone(encoders, 0, 100 * STEP)
    encoders.open("opus", 99 * STEP)
    encode_all(encoders, "opus")
    encoders.open("mp3", 0)
    encoders.add(tone(STEP, start=100 * STEP))
    messages = encoders.encode(STEP)
    assert sum(isinstance(message, Encoded) and message.format == "opus" for message in messages) == 4
    assert any(isinstance(message, Encoded) and message.format == "mp3" for message in messages)


def test_a_closed_format_can_be_reopened_where_it_ended() -> None:
    encoders = EncoderSet()
    add_tone(encoders, 0, 10 * STEP)
    encoders.open("aac", 0)
    before = encode_all(encoders, "aac")
    encoders.close("aac")
    add_tone(encoders, 10 * STEP, 20 * STEP)
    assert not encoders.has_work
    assert encoders.encode(STEP) == []
    encoders.open("aac", before[-1].frame + 1_024)
    after = encode_all(encoders, "aac")
    assert after[0].frame == before[-1].frame + 1_024


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("at", [50 * STEP, 50 * STEP + 1_234])
def test_a_rewind_replaces_later_audio_and_packets_follow_without_a_gap(format_: Format, at: int) -> None:
    encoders = EncoderSet()
    encoders.open(format_, 0)
    add_tone(encoders, 0, 100 * STEP)
    packets = [packet for packet in encode_all(encoders, format_) if packet.frame + packet.frames <= at]
    encoders.rewind(at)
    assert not [packet for packet in encode_all(encoders, format_) if packet.frame + packet.frames > at]
    for _ in range(20):
        encoders.add(np.zeros((STEP, 2), np.float32))
    packets += encode_all(encoders, format_)
    length = packet_frames(format_)
    assert [packet.frame for packet in packets] == [length * n for n in range(len(packets))]
    delay = 0 if format_ == "pcm" else CODECS[format_].lookahead
    audio = decode(format_, packets)[delay:]
    levels = np.sqrt(np.mean(audio[: len(audio) // 240 * 240].reshape(-1, 240, 2) ** 2, axis=1))
    levels /= np.median(levels[4 * length // 240 : (at - length) // 240])  # some decoders return integers
    assert levels[4 * length // 240 : (at - length) // 240].min() > 0.9
    assert levels[(at + 2 * length) // 240 :].max() < 0.02


class FailingEncoder:
    """An encoder that fails after a number of blocks."""

    def __init__(self, real: Encoder, blocks: int) -> None:
        self._real, self._left = real, blocks

    def encode(self, block: Block) -> list[Packet]:
        self._left -= 1
        if self._left < 0:
            raise StreamError("the encoder failed")
        return self._real.encode(block)


@pytest.mark.parametrize("format_", FORMATS)
def test_a_failed_encoder_is_replaced_without_a_gap(format_: Format, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = iter([10, 0, 10_000])
    monkeypatch.setattr(
        encoder_set,
        "open_encoder",
        lambda name, *, start: FailingEncoder(open_encoder(name, start=start), next(blocks)),
    )
    encoders, messages = EncoderSet(), []
    encoders.open(format_, 0)
    for n in range(80):
        encoders.add(tone(STEP, start=n * STEP))
        while encoders.has_work:
            messages += encoders.encode(24_000)
    assert sum(isinstance(message, EncoderFailed) for message in messages) == 2
    packets = [message.packet for message in messages if isinstance(message, Encoded)]
    length = packet_frames(format_)
    assert [packet.frame for packet in packets] == [length * n for n in range(len(packets))]
    assert len(packets) * length > 78 * STEP
    audio = decode(format_, packets)[length * 4 :]
    levels = np.sqrt(np.mean(audio[: len(audio) // 240 * 240].reshape(-1, 240, 2) ** 2, axis=1))
    assert levels.min() > 0.1
    assert RETRY == SAMPLE_RATE


def test_an_encoder_that_failed_in_replaced_audio_is_retried_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_format: Format, *, start: int) -> Encoder:
        raise StreamError(f"no encoder at {start}")

    encoders = EncoderSet()
    add_tone(encoders, 0, 100 * STEP)
    encoders.open("pcm", 0)
    with monkeypatch.context() as failing:
        failing.setattr(encoder_set, "open_encoder", fail)
        encoders.encode(STEP)
    encoders.rewind(20 * STEP)
    add_tone(encoders, 20 * STEP, 20 * STEP + RETRY + STEP)
    assert encode_all(encoders, "pcm")[0].frame == 0
