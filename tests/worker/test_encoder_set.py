from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from radio.errors import StreamError
from radio.stream.formats.codecs import packet_frames
from radio.stream.formats.encoders import Encoder, open_encoder
from radio.types import SAMPLE_RATE, Block, Format, Packet
from radio.worker import encoder_set as encoders
from radio.worker.encoder_set import RETRY, EncoderSet
from radio.worker.wire import Encoded, EncoderFailed
from tests.stream.formats.test_encoders import decode
from tests.stream.tones import tone

FORMATS: tuple[Format, ...] = get_args(Format)
BLOCK = 3_840


def rendered(found: EncoderSet, start: int, end: int) -> None:
    for frame in range(start, end, BLOCK):
        found.add(tone(BLOCK, start=frame))


def packets(found: EncoderSet, format_: Format, slice_: int = 24_000) -> list[Packet]:
    """All that can be encoded now."""
    said = []
    while found.has_work:
        said += found.encode(slice_)
    return [each.packet for each in said if isinstance(each, Encoded) and each.format == format_]


@pytest.mark.parametrize("format_", FORMATS)
def test_the_past_is_encoded_first_and_then_the_present_without_a_seam(format_: Format) -> None:
    found = EncoderSet()
    rendered(found, 0, 20 * BLOCK)
    found.open(format_, 5 * BLOCK)
    heard = packets(found, format_)
    for n in range(20, 40):
        found.add(tone(BLOCK, start=n * BLOCK))
        heard += packets(found, format_, BLOCK)
    length = packet_frames(format_)
    assert [packet.frame for packet in heard] == [5 * BLOCK + length * n for n in range(len(heard))]
    sound = decode(format_, heard)[length * 4 :]
    loud = np.sqrt(np.mean(sound[: len(sound) // 240 * 240].reshape(-1, 240, 2) ** 2, axis=1))
    assert loud.min() > 0.15


def test_formats_do_not_wait_for_each_other() -> None:
    found = EncoderSet()
    rendered(found, 0, 100 * BLOCK)
    found.open("opus", 99 * BLOCK)
    packets(found, "opus")
    found.open("mp3", 0)
    found.add(tone(BLOCK, start=100 * BLOCK))
    said = found.encode(BLOCK)
    assert sum(isinstance(each, Encoded) and each.format == "opus" for each in said) == 4
    assert any(isinstance(each, Encoded) and each.format == "mp3" for each in said)


def test_what_is_shut_says_no_more_and_may_go_on_from_where_it_was() -> None:
    found = EncoderSet()
    rendered(found, 0, 10 * BLOCK)
    found.open("aac", 0)
    before = packets(found, "aac")
    found.close("aac")
    rendered(found, 10 * BLOCK, 20 * BLOCK)
    assert not found.has_work
    assert found.encode(BLOCK) == []
    found.open("aac", before[-1].frame + 1_024)
    after = packets(found, "aac")
    assert after[0].frame == before[-1].frame + 1_024


class Faulty:
    """An encoder that breaks once it has been given a while of audio."""

    def __init__(self, real: Encoder, blocks: int) -> None:
        self._real, self._left = real, blocks

    def encode(self, block: Block) -> list[Packet]:
        self._left -= 1
        if self._left < 0:
            raise StreamError("the encoder failed")
        return self._real.encode(block)


@pytest.mark.parametrize("format_", FORMATS)
def test_an_encoder_that_breaks_is_replaced_and_nobody_hears_it(
    format_: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    lives = iter([10, 0, 10_000])
    monkeypatch.setattr(
        encoders, "open_encoder", lambda name, *, start: Faulty(open_encoder(name, start=start), next(lives))
    )
    found, said = EncoderSet(), []
    found.open(format_, 0)
    for n in range(80):
        found.add(tone(BLOCK, start=n * BLOCK))
        while found.has_work:
            said += found.encode(24_000)
    broke = [n for n, each in enumerate(said) if isinstance(each, EncoderFailed)]
    assert len(broke) == 2
    heard = [each.packet for each in said if isinstance(each, Encoded)]
    length = packet_frames(format_)
    assert [packet.frame for packet in heard] == [length * n for n in range(len(heard))]
    assert len(heard) * length > 78 * BLOCK
    sound = decode(format_, heard)[length * 4 :]
    loud = np.sqrt(np.mean(sound[: len(sound) // 240 * 240].reshape(-1, 240, 2) ** 2, axis=1))
    assert loud.min() > 0.1
    assert RETRY == SAMPLE_RATE
