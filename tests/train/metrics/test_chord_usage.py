"""The table of chord usage, counted in the radio's own loops, and its shipped version."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from radio.compose.listening import key
from radio.compose.listening.key import FUNCTIONS, function
from radio.music.chords import parse_chord
from radio.settings.station import StationSettings
from radio.types import MODES
from train.metrics.chord_usage import count_usage, write


def test_loops_of_a_station_are_counted_in_the_keys_of_its_tracks(tmp_path: Path) -> None:
    station = StationSettings(
        "counted",
        "Counted",
        progressions=(("Dm7", "G7", "Cmaj7", "Cmaj7"),),
        layers=("keys", "drums"),
        keys=("Eb", "A"),
    )
    table = count_usage([station], 12, seed=3)
    assert table.shape == (len(MODES) + FUNCTIONS, FUNCTIONS)
    changes = table[len(MODES) :]
    tonic, second, fifth = (function(parse_chord(name), 0) for name in ("Cmaj7", "Dm7", "G7"))
    assert changes[second].argmax() == fifth
    assert changes[fifth, tonic] > 0 > changes[fifth, tonic + 1]
    assert table[: len(MODES), tonic].max() > table[: len(MODES), fifth + 1].max()
    write(tmp_path / "table.npy", table)
    assert np.array_equal(np.load(tmp_path / "table.npy"), table)


def test_the_shipped_table_has_the_expected_shape() -> None:
    with key.TABLE.open("rb") as file:
        table = np.load(file, allow_pickle=False)
    assert table.shape == (len(MODES) + FUNCTIONS, FUNCTIONS)
    assert table.dtype == np.int8
