from __future__ import annotations

from pathlib import Path

import pytest

from radio.errors import SettingsError
from radio.server.survey.pairs import Placed, order, read_pairs
from tests.server.survey.folders import make_folder


def test_files_of_the_same_name_are_a_pair(tmp_path: Path) -> None:
    pairs = read_pairs(make_folder(tmp_path))
    assert [(pair.name, pair.conditions, pair.words) for pair in pairs] == [
        ("day", ("felt", "rhodes"), None),
        ("night", ("felt", "rhodes"), "a rainy night <3"),
    ]


def test_the_error_for_a_folder_without_pairs_names_the_expected_files(tmp_path: Path) -> None:
    (tmp_path / "felt").mkdir()
    with pytest.raises(SettingsError, match=r"has no pair: .*felt/night\.mp3"):
        read_pairs(tmp_path)
    with pytest.raises(SettingsError, match="is not a folder"):
        read_pairs(tmp_path / "missing")


def test_two_recordings_with_the_same_name_are_refused(tmp_path: Path) -> None:
    folder = make_folder(tmp_path)
    mp3 = next((folder / "felt").glob("night.*"))
    mp3.with_suffix(".flac").write_bytes(b"")
    with pytest.raises(SettingsError, match=r"felt has night\.\w+ and night\.\w+; give each"):
        read_pairs(folder)


def test_orders_are_random_but_repeatable(tmp_path: Path) -> None:
    pairs = read_pairs(make_folder(tmp_path)) * 20
    first = order(pairs, seed=1, listener=0, count=12)
    assert first == order(pairs, seed=1, listener=0, count=12)
    assert len({place.number for place in first}) == 12
    orders = [order(pairs, seed=1, listener=listener, count=40) for listener in range(50)]
    assert len({tuple(one) for one in orders}) == 50
    swapped = [place.swapped for one in orders for place in one]
    assert 0.45 < sum(swapped) / len(swapped) < 0.55


def test_a_swapped_pair_plays_the_second_condition_first() -> None:
    assert [Placed(0, False).index("a"), Placed(0, False).index("b")] == [0, 1]
    assert [Placed(0, True).index("a"), Placed(0, True).index("b")] == [1, 0]
