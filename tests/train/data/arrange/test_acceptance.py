"""The whole pipeline from POP909 to lo-fi keyboards, on the validation songs."""

from __future__ import annotations

import tarfile
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from radio.errors import MidiError
from radio.types import BEATS_PER_BAR
from train.data.arrange.pipeline import STAGES, arrange
from train.data.corpus import pop909
from train.data.corpus.piece import Piece
from train.metrics.gap import GOAL, compare
from train.metrics.passage import Passage, of_tokens

ARCHIVE = Path(__file__).parents[4] / "shared" / "corpus" / "pop909-train.tar.gz"

RARE = 0.005
"""The smallest share of chords at which a model learns their quality."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not ARCHIVE.exists(), reason=f"POP909 is not distributed with the code: no {ARCHIVE}"),
]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> list[Piece]:
    folder = tmp_path_factory.mktemp("pop909")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    songs = [song for song in pop909.songs(folder) if int(song.name) % pop909.VALIDATION_EVERY == 0]
    pieces: list[Piece] = []
    for song in songs:
        with suppress(MidiError):  # its beats were not found, so preparation skips it too
            pieces += pop909.read_song(song)
    return pieces


@pytest.fixture(scope="module")
def lofi(plain: list[Piece]) -> list[Piece]:
    return [each for piece in plain if (each := arrange(piece, tuple(STAGES))) is not None]


def prepared(pieces: list[Piece]) -> list[Passage]:
    return [of_tokens(piece.tokens(), piece.bars) for piece in pieces]


def test_every_gap_to_lofi_is_closed(plain: list[Piece], lofi: list[Piece]) -> None:
    rows = compare({"lofi": prepared(lofi)}, prepared(plain))
    assert {row.name: row.closed("lofi") for row in rows if row.counts and row.closed("lofi") < GOAL} == {}
    assert sum(row.counts for row in rows) >= 15, "too few gaps to be a test"


def test_notes_stay_in_their_chords(lofi: list[Piece]) -> None:
    """97% of the note time of arranged songs is in the chord; of the original songs it is 96%."""
    inside = total = 0
    for passage in prepared(lofi):
        for note in passage.notes:
            total += note.end - note.start
            inside += (note.end - note.start) * (note.note % 12 in passage.chord_at(note.start).tones)
    assert inside / total > 0.96


def test_rare_chord_qualities_are_frequent_enough_to_learn(lofi: list[Piece]) -> None:
    chords = Counter(
        chord.quality
        for piece in lofi
        for beat, chord in enumerate(piece.chords)
        if beat % BEATS_PER_BAR == 0 or chord != piece.chords[beat - 1]
    )
    shares = {quality: count / chords.total() for quality, count in chords.items()}
    wanted = ("maj7", "min7", "maj9", "min9", "dom7", "sus", "dim", "hdim7", "aug", "6")
    assert {quality for quality in wanted if shares.get(quality, 0) < RARE} == set()
