from __future__ import annotations

from random import Random

from train.data.drums.grid import snap_to_grid


def played(places: list[int], spread: float, seed: int = 1) -> list[float]:
    random = Random(seed)
    return [place + random.gauss(0, spread) for place in places]


def test_late_sixteenths_are_not_triplets_but_a_shuffle_is() -> None:
    fours = [beat * 120 + place for beat in range(64) for place in (0, 30, 60, 90)]
    assert snap_to_grid(played(fours, 2.5)) == fours
    late = [place + 8.0 if place % 120 == 30 else float(place) for place in fours]
    assert snap_to_grid(late) == fours, "38 is nearer to the triplet at 40, but its neighbors are sixteenths"
    shuffle = [beat * 120 + place for beat in range(64) for place in (0, 80)]
    assert snap_to_grid(played(shuffle, 2.5)) == shuffle


def test_a_performance_may_change_to_triplets_for_a_beat() -> None:
    places = [beat * 120 + place for beat in range(16) for place in ((0, 40, 80) if beat == 7 else (0, 30, 60, 90))]
    assert snap_to_grid(played(places, 2.0)) == places


def test_every_beat_is_divided_by_four_or_three_and_hits_move_little() -> None:
    ticks = [Random(3).uniform(0, 4000) for _ in range(5)] + played(list(range(0, 4000, 17)), 3, seed=4)
    places = snap_to_grid(ticks)
    for beat in range(34):
        inside = {place % 120 for tick, place in zip(ticks, places, strict=True) if tick // 120 == beat and place % 120}
        assert inside <= {30, 60, 90} or inside <= {40, 80}
    assert all(abs(tick - place) <= 20 for tick, place in zip(ticks, places, strict=True))
    assert snap_to_grid([]) == []
