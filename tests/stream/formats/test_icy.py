from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.stream.chunk import Chunk
from radio.stream.formats.icy import METAINT, IcyInserter, metadata

FRAMES = 4 * 1_152


def chunks(count: int, size: int = 2_304) -> list[Chunk]:
    """Return chunks with a constant bit rate."""
    rng = random.Random(5)
    return [Chunk(FRAMES * n, FRAMES, rng.randbytes(size), ()) for n in range(count)]


def split_metadata(data: bytes) -> tuple[bytes, list[tuple[int, str]]]:
    """Return the audio, and each title with the offset of the audio byte that follows it."""
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
def test_the_output_does_not_depend_on_the_split_into_calls_and_keeps_all_audio(splits: list[int]) -> None:
    audio = chunks(sum(splits))
    whole = IcyInserter(lambda frame: f"track {frame // 400_000}").insert(audio)
    split, parts, at = IcyInserter(lambda frame: f"track {frame // 400_000}"), b"", 0
    for count in splits:
        parts += split.insert(audio[at : at + count])
        at += count
    assert parts == whole
    assert split_metadata(whole)[0] == b"".join(chunk.data for chunk in audio)


@pytest.mark.parametrize("start", [0, 1, 123_456, 400_000])
def test_a_title_is_sent_at_the_first_metadata_block_after_its_start(start: int) -> None:
    data = IcyInserter(lambda frame: "new" if frame >= start else "old").insert(chunks(200))
    byte = start * 2_304 / FRAMES
    _, titles = split_metadata(data)
    due = max(1, -(-byte // METAINT)) * METAINT
    assert titles[-1] == (due, "new")
    assert len(titles) == (1 if due == METAINT else 2)


def test_metadata_is_empty_without_a_title() -> None:
    assert split_metadata(IcyInserter(lambda _: None).insert(chunks(50)))[1] == []


@pytest.mark.parametrize("size", [METAINT, METAINT // 2, METAINT // 4, 3 * METAINT, METAINT - 1, METAINT + 1, 1])
def test_metadata_is_inserted_correctly_at_the_edge_of_a_chunk(size: int) -> None:
    audio = chunks(max(3, 40_000 // size), size)
    stream = IcyInserter(lambda _: "one").insert(audio)
    data, titles = split_metadata(stream)
    assert data.startswith(b"".join(chunk.data for chunk in audio)[:METAINT])
    assert titles == [(METAINT, "one")] or len(stream) <= METAINT + 1


def test_quotation_marks_in_a_title_are_replaced() -> None:
    block = metadata("It's; a 'quote'\n';")
    assert len(block) == 1 + 16 * block[0]
    text = block[1:].rstrip(b"\0").decode()
    assert text == "StreamTitle='It’s; a ’quote’ ’;';"


@given(st.text(max_size=3_000))
def test_any_title_fits_and_is_valid_utf_8(title: str) -> None:
    block = metadata(title)
    assert len(block) == 1 + 16 * block[0]
    assert block[1:].rstrip(b"\0").decode().endswith("';")
