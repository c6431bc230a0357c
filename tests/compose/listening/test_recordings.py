"""Listening to recordings: songs played by the radio's instruments, and hummed melodies."""

from __future__ import annotations

from pathlib import Path

import pytest

from radio.compose.listening.reading import prime_of, read_prime
from radio.errors import AudioError, MidiError
from radio.music.midi_parts import PartChoice, parse_part
from radio.transcription.recording import transcribe
from tests.compose.listening.songs import song
from tests.judge.signals import write
from tests.transcription.sounds import encoded, hummed, needs_network, played

BAND = ("Keys", "Bass", "Flute", "Drums")
BROTHER_JOHN = [
    *[(60, 1), (62, 1), (64, 1), (60, 1)] * 2, *[(64, 1), (65, 1), (67, 2)] * 2,
    *[(67, 0.5), (69, 0.5), (67, 0.5), (65, 0.5), (64, 1), (60, 1)] * 2, *[(60, 1), (55, 1), (60, 2)] * 2,
]  # fmt: skip


@needs_network
@pytest.mark.parametrize(
    ("suffix", "tracks", "tempo", "semitones"),
    [(".wav", ("Keys",), 93, 0), (".mp3", BAND, 84, 3), (".flac", BAND[:3], 92, 8), (".ogg", ("Keys",), 98, 5)],
)
def test_tempo_key_and_chords_of_a_song_are_found(
    tmp_path: Path, suffix: str, tracks: tuple[str, ...], tempo: float, semitones: int
) -> None:
    score = song(tmp_path / "song.mid", tempo=tempo, semitones=semitones, turns=2)
    prime = read_prime(encoded(tmp_path / f"song{suffix}", played(score, tracks)), PartChoice())
    assert prime.tempo == pytest.approx(tempo, rel=0.02)
    assert prime.key == {0: "C", 3: "Eb", 8: "Ab", 5: "F"}[semitones]
    assert prime.loops is not None
    roots = [chord.root for chord in prime.loops["A"].halves[::2]]
    assert roots == [(root + semitones) % 12 for root in (2, 7, 0, 9)]
    assert prime.passage.bars == 4
    assert min(note.note for note in prime.passage.notes) >= 48, "the bass is not part of the keys"


@needs_network
@pytest.mark.parametrize(("tempo", "semitones"), [(74, 0), (104, 4)])
def test_a_hummed_melody_becomes_a_prime(tmp_path: Path, tempo: float, semitones: int) -> None:
    tune = [(note + semitones, beats) for note, beats in BROTHER_JOHN]
    prime = prime_of(transcribe(write(tmp_path / "tune.wav", hummed(tune, tempo))), "tune", PartChoice())
    assert prime.tempo == pytest.approx(tempo, rel=0.02)
    assert prime.texture is not None
    assert prime.texture.kind == "line"
    assert prime.motif is not None
    assert {note.note % 12 for note in prime.passage.notes} <= {(note + semitones) % 12 for note, _ in BROTHER_JOHN}


@needs_network
def test_messages_name_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "short.wav", hummed(BROTHER_JOHN[:2], 120))
    with pytest.raises(AudioError, match=r"short\.wav: it lasts 1\.0 seconds"):
        read_prime(path, PartChoice())
    path = write(tmp_path / "tune.wav", hummed(BROTHER_JOHN, 100))
    with pytest.raises(MidiError, match=r"tune\.wav: it is a recording, which has one part; leave the part out"):
        read_prime(path, parse_part("channel 1"))
