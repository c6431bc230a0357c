"""Primes at a tempo and in a key other than those of their files."""

from __future__ import annotations

from pathlib import Path

import pytest

from radio.compose.listening.reading import prime_of
from radio.compose.listening.requested import as_requested
from radio.compose.material import HIGHEST, LOWEST
from radio.compose.prime import Prime, random_prime
from radio.music.midi_parts import PartChoice
from radio.settings.controls import Controls
from tests.compose.listening.songs import song


@pytest.fixture(scope="module")
def prime(tmp_path_factory: pytest.TempPathFactory) -> Prime:
    return prime_of(song(tmp_path_factory.mktemp("songs") / "song.mid", tempo=71), "song", PartChoice())


def test_only_properties_left_to_the_controls_change(prime: Prime) -> None:
    controls = Controls(tempo=90, key="D")
    assert as_requested(prime, (), controls) == prime
    assert as_requested(prime, ("tempo", "key"), Controls()) == as_requested(prime, ("tempo",), Controls())
    assert as_requested(prime, ("tempo",), controls).tempo is None
    assert as_requested(prime, ("tempo",), controls).passage == prime.passage
    drawn = random_prime(1)
    assert as_requested(drawn, ("tempo", "key", "density"), controls) == drawn


def test_a_density_left_to_the_controls_scales_that_of_the_file(prime: Prime) -> None:
    sparse = as_requested(prime, ("density",), Controls(density=0.0))
    assert sparse.texture is not None
    assert prime.texture is not None
    assert sparse.texture.onsets == prime.texture.onsets / 2
    assert sparse.passage == prime.passage


@pytest.mark.parametrize(("key", "semitones"), [("D", 2), ("F", 5), ("F#", -6), ("Bb", -2), ("C", 0)])
def test_keys_chords_and_melody_move_together_and_stay_in_range(prime: Prime, key: str, semitones: int) -> None:
    moved = as_requested(prime, ("key",), Controls(key=key))
    assert (moved.key, moved.mode, moved.tempo, moved.drums) == (key, prime.mode, prime.tempo, prime.drums)
    assert moved.loops == {name: loop.transposed(semitones) for name, loop in (prime.loops or {}).items()}
    for before, after in ((prime.passage, moved.passage), (prime.motif, moved.motif)):
        assert before is not None
        assert after is not None
        classes = {(note.start, (note.note + semitones) % 12) for note in before.notes}
        assert {(note.start, note.note % 12) for note in after.notes} == classes
        assert all(LOWEST <= note.note <= HIGHEST for note in after.notes)


def test_a_requested_key_is_the_tonic_of_a_minor_piece(tmp_path: Path) -> None:
    minor = prime_of(song(tmp_path / "song.mid", loop=("Am7", "Dm7", "Em7", "Am7")), "song", PartChoice())
    assert (minor.key, minor.mode) == ("C", "minor")
    assert as_requested(minor, ("key",), Controls(key="D")).key == "F"
