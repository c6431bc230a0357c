from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from radio.errors import MidiError
from tests.train.corpora import groove
from train.data import binidx
from train.data.corpus.beat_placement import BeatPlacement
from train.data.corpus.groove import DrumPerformance, TakePlacements, read_performance, rows
from train.data.drums.preparation import STAGES, piece
from train.data.drums.variation import GHOST, vary
from train.data.drums.weights import weight
from train.prepare.corpus import prepare

HITS = [
    (480.0 * bar + 120 * beat + eighth, pad, velocity)
    for bar in range(8)
    for beat in range(4)
    for eighth, pad, velocity in (
        (0, 38 if beat % 2 else 36, 100), (0, 42, 70), (36, 38, 30), (60, 42, 60), (60, 44, 50), (96, 49, 90),
    )
]  # fmt: skip
SWUNG = DrumPerformance(
    "groove/d/s/1", "train", "hiphop", 92, fill=False, hits=[(tick - 6, *rest) for tick, *rest in HITS]
)
PLACEMENT = BeatPlacement(early=6, swing=60)


def places(stages: tuple[str, ...]) -> set[int]:
    prepared = piece(SWUNG, PLACEMENT, stages)
    assert prepared is not None
    return {note.start % 120 for note in prepared.notes}


def test_the_stages_move_an_early_and_swung_performance_to_plain_sixteenths() -> None:
    assert places(("align", "straighten")) == {0, 30, 60, 90}
    assert places(("align", "straighten", "grid")) == {0, 30, 60, 90}
    assert 40 in places(("align",)), "without `straighten`, a swung sixteenth falls on a triplet"


def test_variants_are_reproducible_and_the_first_is_unchanged() -> None:
    as_played = piece(SWUNG, PLACEMENT, ("align", "straighten"))
    assert piece(SWUNG, PLACEMENT, ("align", "straighten", "vary")) == as_played
    variants = [piece(SWUNG, PLACEMENT, STAGES, variant) for variant in range(4)]
    assert variants == [piece(SWUNG, PLACEMENT, STAGES, variant) for variant in range(4)]
    assert len({str(variant) for variant in variants}) == 4


def test_variation_keeps_kick_and_backbeat() -> None:
    def counted(hits: list[tuple[float, int, int]]) -> Counter[int]:
        return Counter(pad for _, pad, velocity in hits if pad == 36 or (pad == 38 and velocity >= 80))

    seen: Counter[int] = Counter()
    for seed in range(200):
        other = vary(HITS, Random(seed))
        assert counted(other) == counted(HITS)
        assert all(1 <= velocity <= 127 for _, _, velocity in other)
        seen.update({pad for _, pad, _ in other})
        seen["no ghosts"] += not [1 for _, pad, velocity in other if pad == 38 and velocity < GHOST]
    assert 30 < seen[51] < 100
    assert 30 < seen["no ghosts"] < 100
    ghost, stroke = (0.0, 38, GHOST - 10), (60.0, 38, GHOST)
    assert {len(vary([ghost, stroke], Random(seed))) for seed in range(50)} == {1, 2}
    assert all(vary([ghost, stroke], Random(seed))[-1][0] == 60 for seed in range(50)), "only softer strokes are ghosts"
    foot = [(0.0, 44, 60)]
    assert all(vary(foot, Random(seed))[0][1] == 44 for seed in range(50))


def test_styles_of_the_stations_have_larger_weights() -> None:
    slow = weight(SWUNG)
    assert slow > weight(replace(SWUNG, tempo=140)) > weight(replace(SWUNG, style="rock", tempo=140)) == 1
    assert slow > weight(replace(SWUNG, fill=True))
    assert slow > weight(replace(SWUNG, style="jazz")) > weight(replace(SWUNG, style="latin"))


def test_a_take_is_estimated_from_all_its_readable_files(tmp_path: Path) -> None:
    listed = rows(groove(tmp_path))
    placements = TakePlacements([listed[0], listed[0] | {"path": "/nowhere.mid"}])
    assert placements.of(listed[0]).early == 0
    assert len(read_performance(listed[0]).hits) == 4 * 12


def test_a_prepared_corpus_has_weights_and_its_card_shows_their_effect(tmp_path: Path) -> None:
    source = groove(tmp_path / "in")
    listing = source / "groove" / "info.csv"
    listing.write_text(listing.read_text() + "d1,s,d1/s/5,rock,160,beat,4-4,d1/beat.mid,,1,train\n")
    out = tmp_path / "out"
    report = prepare("groove", source, out, stages=STAGES, variants=2)
    assert report.pieces == {"train": 4, "validation": 1}, "validation is never varied"
    weights = binidx.read_weights(out / "train", 4)
    assert weights is not None
    assert weights.tolist() == [4.5, 4.5, 1, 1]
    card = json.loads((out / "card.json").read_text())
    assert card["before"]["styles"] == {"hiphop": 0.5, "rock": 0.5}
    assert card["after"]["styles"] == {"hiphop": 0.8182, "rock": 0.1818}
    assert card["before"]["tempos"] == {"85–110": 0.5, "from 140": 0.5}
    assert card["after"]["kinds"] == {"grooves": 1}
    assert sum(card["after"]["places in the beat, ticks"].values()) == pytest.approx(1, abs=1e-3)
    prepare("groove", source, out)
    assert binidx.read_weights(out / "train", 2) is None, "the weights of the previous corpus are removed"


def test_weights_that_do_not_match_the_pieces_are_an_error(tmp_path: Path) -> None:
    prefix = tmp_path / "train"
    binidx.write_weights(prefix, [1, 2, 0.5])
    assert np.array_equal(binidx.read_weights(prefix, 3), [1, 2, 0.5])  # type: ignore[arg-type]
    with pytest.raises(MidiError, match="one number above 0 for each of 2 pieces"):
        binidx.read_weights(prefix, 2)
    for wrong in ("1\n0\n", "1\nnan\n", "1\ntwo\n"):
        prefix.with_suffix(".weights").write_text(wrong)
        with pytest.raises(MidiError, match=r"one number per line|one number above 0"):
            binidx.read_weights(prefix, 2)
