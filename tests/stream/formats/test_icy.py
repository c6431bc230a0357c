from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.stream.chunk import Chunk
from radio.stream.formats.icy import METAINT, IcyInserter, metadata

FRAMES = 4 * 1_152


def chunks(count: int, size: int = 2_304) -> list[Chunk]:
    """CBR: every byte of a chunk stands for as many frames."""
    rng = random.Random(5)
    return [Chunk(FRAMES * n, FRAMES, rng.randbytes(size), ()) for n in range(count)]


def unwoven(data: bytes) -> tuple[bytes, list[tuple[int, str]]]:
    """The audio, and each title with the byte of audio that it stands before; nothing may be left over."""
    audio, titles, at = bytearray(), [], 0
    while len(data) - at > METAINT:
        audio += data[at : at + METAINT]
        begin = at + METAINT + 1
        at = begin + 16 * data[begin - 1]
        text = data[begin:at].rstrip(b"\0").decode()
        if text:
            titles.append((len(audio), text.removeprefix("StreamTitle='").removesuffix("';")))
    return bytes(audio) + data[at:], titles


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_the_split_changes_no_byte_and_no_audio_is_lost(splits: list[int]) -> None:
    audio = chunks(sum(splits))
    whole = IcyInserter(lambda frame: f"track {frame // 400_000}").insert(audio)
    split, woven, at = IcyInserter(lambda frame: f"track {frame // 400_000}"), b"", 0
    for count in splits:
        woven += split.insert(audio[at : at + count])
        at += count
    assert woven == whole
    assert unwoven(whole)[0] == b"".join(chunk.data for chunk in audio)


@pytest.mark.parametrize("start", [0, 1, 123_456, 400_000])
def test_a_title_stands_at_the_first_place_after_it_starts(start: int) -> None:
    data = IcyInserter(lambda frame: "new" if frame >= start else "old").insert(chunks(200))
    byte = start * 2_304 / FRAMES
    _, titles = unwoven(data)
    due = max(1, -(-byte // METAINT)) * METAINT
    assert titles[-1] == (due, "new")
    assert len(titles) == (1 if due == METAINT else 2)


def test_nothing_is_said_while_there_is_no_title() -> None:
    assert unwoven(IcyInserter(lambda _: None).insert(chunks(50)))[1] == []


@pytest.mark.parametrize("size", [METAINT, METAINT // 2, METAINT // 4, 3 * METAINT, METAINT - 1, METAINT + 1, 1])
def test_a_place_at_the_edge_of_a_chunk(size: int) -> None:
    audio = chunks(max(3, 40_000 // size), size)
    woven = IcyInserter(lambda _: "one").insert(audio)
    data, titles = unwoven(woven + b"")
    assert data.startswith(b"".join(chunk.data for chunk in audio)[:METAINT])
    assert titles == [(METAINT, "one")] or len(woven) <= METAINT + 1


def test_metadata_is_whole_pieces_and_cannot_be_broken_out_of() -> None:
    block = metadata("It's; a 'quote'\n';")
    assert len(block) == 1 + 16 * block[0]
    text = block[1:].rstrip(b"\0").decode()
    assert text == "StreamTitle='It’s; a ’quote’ ’;';"


@given(st.text(max_size=3_000))
def test_any_title_fits_and_is_utf_8(title: str) -> None:
    block = metadata(title)
    assert len(block) == 1 + 16 * block[0]
    assert block[1:].rstrip(b"\0").decode().endswith("';")
