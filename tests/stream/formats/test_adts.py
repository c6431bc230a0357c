from __future__ import annotations

import subprocess

import pytest

from radio.errors import StreamError
from radio.stream.formats.adts import HEADER_SIZE, add_header, header
from radio.stream.formats.encoders import open_encoder
from radio.types import SAMPLE_RATE
from tests.stream.tones import tone


@pytest.mark.parametrize("length", [0, 1, 7, 300, 8_184])
def test_header_fields_follow_the_standard(length: int) -> None:
    bits = f"{int.from_bytes(header(length), 'big'):056b}"
    sizes = (12, 1, 2, 1, 2, 4, 1, 3, 1, 1, 1, 1, 13, 11, 2)
    fields, at = [], 0
    for size in sizes:
        fields.append(int(bits[at : at + size], 2))
        at += size
    assert at == 56
    #      syncword, MPEG-4, layer, no CRC, LC, 48 kHz, –, stereo, –, –, –, –, length, fullness, one block
    assert fields == [0xFFF, 0, 0, 1, 1, 3, 0, 2, 0, 0, 0, 0, HEADER_SIZE + length, 0x7FF, 0]


def test_an_oversized_packet_is_refused() -> None:
    with pytest.raises(StreamError, match="8185 bytes"):
        header(8_185)


def test_ffmpeg_decodes_aac_starting_at_any_packet() -> None:
    packets = open_encoder("aac").encode(tone(3 * SAMPLE_RATE))
    data = b"".join(add_header(packet.data) for packet in packets[17:])
    command = ["ffmpeg", "-v", "warning", "-f", "aac", "-i", "-", "-f", "f32le", "-"]
    run = subprocess.run(command, input=data, capture_output=True, check=True)
    assert run.stderr == b""
    assert len(run.stdout) // 8 == (len(packets) - 17) * 1_024
