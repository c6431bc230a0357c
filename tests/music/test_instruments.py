from __future__ import annotations

import pytest

from radio.errors import SettingsError
from radio.music.instruments import FAMILIES, NAMES, parse_program


def test_there_are_sixteen_families_of_eight() -> None:
    assert [len(names) for names in FAMILIES.values()] == [8] * 16
    assert len(set(NAMES)) == 128
    # Fixed by the General MIDI standard.
    pinned = {
        0: "Acoustic Grand Piano",
        11: "Vibraphone",
        24: "Nylon Guitar",
        52: "Choir Aahs",
        73: "Flute",
        127: "Gunshot",
    }
    assert {number: NAMES[number] for number in pinned} == pinned


@pytest.mark.parametrize(
    ("name", "program"), [("Vibraphone", 11), (" vibraphone ", 11), ("0", 0), (127, 127), ("sci-FI", 103)]
)
def test_an_instrument_is_found_by_name_or_number(name: str | int, program: int) -> None:
    assert parse_program(name) == program


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("vibrafone", "Did you mean 'Vibraphone'"),
        ("128", "0 to 127"),
        ("-1", "0 to 127"),
        ("²", "0 to 127"),
        ("", "''"),
    ],
)
def test_an_unknown_instrument_is_rejected_with_the_nearest_name(name: str, hint: str) -> None:
    with pytest.raises(SettingsError, match=hint):
        parse_program(name)
