from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from radio.types import BEATS_PER_BAR
from tests.train.data.arrange.songs import song
from train.metrics.data_card import FILE, DataCard


def card_of(card: DataCard, folder: Path) -> dict[str, dict[str, dict[str, float]]]:
    card.write(folder, {"pieces": {"train": 1}}, skipped=0)
    result: dict[str, dict[str, dict[str, float]]] = json.loads((folder / FILE).read_text())
    return result


def test_a_card_counts_one_arrangement_of_each_training_piece(tmp_path: Path) -> None:
    source = song(("C", "Am"), bars=4)
    card = DataCard("pop909", ("harmony",), variants=2)
    card.add(source, [song(("Cmaj7", "Am7"), bars=4), song(("C6", "Am9"), bars=4)])
    card.add(replace(source, split="validation"), [song(("Cm", "Fm"), bars=4)])
    written = card_of(card, tmp_path)
    assert written["before"]["chords"] == {"maj": BEATS_PER_BAR, "min": BEATS_PER_BAR}
    assert written["after"]["chord qualities"] == {"maj7": 0.5, "min7": 0.5}
