from __future__ import annotations

import pytest

from radio.errors import SettingsError
from radio.music.instruments import FAMILIES, NAMES, parse_program


def test_there_are_sixteen_families_of_eight() -> None:
    assert [len(names) for names in FAMILIES.values()] == [8] * 16
    assert len(set(NAMES)) == 128
    # Pinned by the standard, one of each family.
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
    ("wanted", "found"), [("Vibraphone", 11), (" vibraphone ", 11), ("0", 0), (127, 127), ("sci-FI", 103)]
)
def test_an_instrument_has_a_name_and_a_number(wanted: str | int, found: int) -> None:
    assert parse_program(wanted) == found


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [
        ("vibrafone", "Did you mean 'Vibraphone'"),
        ("128", "0 to 127"),
        ("-1", "0 to 127"),
        ("²", "0 to 127"),
        ("", "''"),
    ],
)
def test_what_is_none_is_refused_with_the_nearest_name(wanted: str, hint: str) -> None:
    with pytest.raises(SettingsError, match=hint):
        parse_program(wanted)
