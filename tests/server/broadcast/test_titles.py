"""ICY titles in MP3 and AAC streams."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from radio.types import SAMPLE_RATE
from tests.server.on_air import ffmpeg, on_air, raw, until


def split_titles(body: bytes, metaint: int = 16_000) -> tuple[bytes, list[tuple[int, str]]]:
    """Return the audio of an ICY stream, and its titles with their positions in the audio in bytes."""
    audio, titles, at = bytearray(), [], 0
    while at + metaint < len(body):
        audio += body[at : at + metaint]
        at += metaint
        length = 16 * body[at]
        text = body[at + 1 : at + 1 + length].rstrip(b"\0").decode()
        if text:
            assert text.startswith("StreamTitle='")
            assert text.endswith("';")
            titles.append((len(audio), text[13:-2]))
        at += 1 + length
    return bytes(audio), titles


def frame_sizes(format_: str, audio: bytes) -> list[int]:
    """Return the sizes of all complete frames: 576 bytes for MP3 at our bit rate, otherwise as in the ADTS header."""
    sizes, at = [], 0
    while at + 6 < len(audio):
        assert audio[at] == 0xFF
        size = 576 if format_ == "mp3" else (int.from_bytes(audio[at + 3 : at + 6], "big") >> 5) & 0x1FFF
        sizes.append(size)
        at += size
    return sizes if at == len(audio) else sizes[:-1]


async def test_titles_are_inserted_on_request() -> None:
    async def check(format_: str) -> None:
        request = f"GET /tone.{format_}?burst=20 HTTP/1.0\r\nIcy-MetaData: 1\r\n\r\n"
        head, body = await raw(radio, request, lambda body: len(body.partition(b"Tone 2 of seed 1';")[2]) > 16_500)
        plain, _ = await raw(radio, f"GET /tone.{format_} HTTP/1.0\r\n\r\n", lambda body: len(body) > 0)
        assert b"\r\nicy-metaint: 16000" in head
        assert b"\r\nicy-metaint" not in plain
        await check_titles(format_, body)

    async with on_air() as radio:
        await until(lambda: radio.tone.edge.live > 3 * SAMPLE_RATE)
        await asyncio.gather(check("mp3"), check("aac"))


async def check_titles(format_: str, body: bytes) -> None:
    """Check that the second title is in its place and that the audio without titles can be decoded."""
    audio, titles = split_titles(body)
    assert [title for _, title in titles] == ["Tone 1 of seed 1", "Tone 2 of seed 1"]
    packets = frame_sizes(format_, audio)
    starts = list(itertools.accumulate(packets, initial=0))
    # The second title starts after 8 s; there is metadata every 16,000 bytes.
    frames = 1_152 if format_ == "mp3" else 1_024
    due = starts[-(-8 * SAMPLE_RATE // frames)]
    assert due - packets[0] <= titles[1][0] <= due + 16_000
    samples = await ffmpeg("-i", "-", "-f", "f32le", "-ac", "2", "-", data=audio[: starts[-1]])
    assert len(samples) / 8 == pytest.approx(len(packets) * frames, abs=2 * frames)
