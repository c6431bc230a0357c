"""Tracks made of loops: phrases repeat in one texture."""

from __future__ import annotations

from random import Random

from radio.music.chords import parse_chord
from radio.music.events import Note
from radio.music.parts import PIANO
from radio.types import TEXTURES, TICKS_PER_BAR, TICKS_PER_BEAT
from train.data.arrange.looping import SECTION_BARS, tracks
from train.data.corpus.piece import Piece


def song(bars: int = 64) -> Piece:
    random = Random(1)
    chords = [parse_chord(random.choice(("Dm7", "G7", "Cmaj7", "Am7"))) for _ in range(bars)]
    notes = [
        Note(start, start + TICKS_PER_BEAT, pitch, random.randint(50, 90))
        for bar, chord in enumerate(chords)
        for beat in range(4)
        for pitch in random.sample([60 + tone for tone in sorted(chord.tones)], 3)
        if (start := bar * TICKS_PER_BAR + beat * TICKS_PER_BEAT) is not None
    ]
    return Piece("song", PIANO, "train", bars, sorted(set(notes)), [chord for chord in chords for _ in range(4)])


def struck(piece: Piece, bar: int) -> set[tuple[int, int]]:
    first = bar * TICKS_PER_BAR
    return {(n.start - first, n.note) for n in piece.notes if first <= n.start < first + TICKS_PER_BAR}


def test_phrases_repeat_except_for_their_last_bars() -> None:
    made = [track for seed in range(6) for track in tracks(song(), Random(seed))]
    assert len(made) >= 12
    for track in made:
        assert track.texture in TEXTURES
        assert track.bars % SECTION_BARS == 0
        assert len(track.chords) == 4 * track.bars
        pairs = [(bar, bar + SECTION_BARS) for bar in range(SECTION_BARS - 1)]
        again = [struck(track, one) == struck(track, other) for one, other in pairs]
        by_section = [struck(track, 0) == struck(track, 4)]
        if track.texture != "line":
            assert all(again) or not all(by_section) or track.bars == 3 * SECTION_BARS, "the form A B A has no A A"
        assert all(note.end <= track.bars * TICKS_PER_BAR for note in track.notes)


def test_the_same_song_gives_the_same_tracks_and_tokens_contain_attributes() -> None:
    one, other = list(tracks(song(), Random("x"))), list(tracks(song(), Random("x")))
    assert [track.tokens() for track in one] == [track.tokens() for track in other]
    assert all(2336 <= token < 2496 for token in one[0].tokens()[4:9])


def test_a_piece_without_chords_gives_no_tracks() -> None:
    assert list(tracks(Piece("x", PIANO, "train", 64, song().notes), Random(1))) == []
