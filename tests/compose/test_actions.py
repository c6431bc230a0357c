"""Actions of listeners: the next section, a held loop, likes and dislikes."""

from __future__ import annotations

from collections import Counter

import pytest

from radio.compose.conductor import Conductor
from radio.compose.plan import BarPlan, Request, Track
from radio.compose.script import BarScript
from radio.compose.track_writer import TrackWriter, features_of
from radio.errors import ControlError
from radio.types import SKIP, Action
from tests.compose.test_conductor import bars, conductor, tracks_of
from tests.compose.test_loop_writer import shipped

NEXT, HOLD, RELEASE = Action("next"), Action("hold"), Action("release")


def sections(planned: list[tuple[Track, BarPlan, BarScript]]) -> list[int]:
    """Return the bars at which sections begin."""
    return [plan.number for _, plan, script in planned if script.place == 0]


def test_next_begins_the_following_section_at_the_bar_it_returns() -> None:
    plain, leader = conductor(), conductor()
    expected = bars(plain, 60)
    played = bars(leader, 2)
    assert leader.act(NEXT, Request()) == 2
    after = bars(leader, 30)
    begin = sections(expected)[1]
    assert begin > 2
    cut = begin - 2
    assert [(script, plan.chords) for _, plan, script in after] == [
        (script, plan.chords) for _, plan, script in expected[begin : begin + 30]
    ]
    assert [plan.number for _, plan, _ in played + after] == list(range(32))
    assert tracks_of(after)[0].bars == expected[0][0].bars - cut
    assert leader.act(NEXT, Request()) == 32


def test_next_in_the_last_section_begins_the_following_track() -> None:
    leader = conductor()
    length = bars(leader, 1)[0][0].bars
    bars(leader, length - 2)
    leader.act(NEXT, Request())
    assert bars(leader, 1)[0][0].number == 1


def test_a_held_loop_repeats_until_it_is_released_and_then_the_track_continues() -> None:
    plain, leader = conductor(3), conductor(3)
    expected = bars(plain, 80)
    begins = sections(expected)
    bars(leader, begins[1] + 1)
    leader.act(HOLD, Request())
    held = bars(leader, 100)
    assert {(track.number, script.section) for track, _, script in held} == {(0, expected[begins[1]][2].section)}
    assert all(plan.holds for _, plan, _ in held)
    later = held[begins[2] - begins[1] :]
    loops = [tuple(plan.chords for _, plan, _ in later[place : place + 4]) for place in range(0, 64, 4)]
    assert len(set(loops)) == 1
    assert not any(script.fill or script.variation != "none" for _, _, script in later)
    saved = leader.save()
    leader.act(RELEASE, Request())
    after = bars(leader, 24)
    place = next(number for number, (_, _, script) in enumerate(after) if script.place == 0)
    assert place <= 4
    assert [script for _, _, script in after[place:]] == [
        script for _, _, script in expected[begins[2] : begins[2] + 24 - place]
    ]
    other = conductor(9)
    other.restore(saved)
    assert all(plan.holds for _, plan, _ in bars(other, 40))


def test_a_loop_held_for_hours_takes_no_more_memory_and_keeps_playing() -> None:
    plain, leader = conductor(3), conductor(3)
    begins = sections(bars(plain, 80))
    bars(leader, begins[1] + 1)
    leader.act(HOLD, Request())
    held = bars(leader, 1_500)
    period = [(script, plan.chords) for _, plan, script in held[100:108]]
    assert [(script, plan.chords) for _, plan, script in held[100:1_500]] == period * 175
    assert max(track.bars for track, _, _ in held) < 400
    assert [plan.number for _, plan, _ in held] == list(range(begins[1] + 1, begins[1] + 1_501))
    leader.act(RELEASE, Request())
    assert [track.number for track, _, _ in bars(leader, 300)][-1] > 0


def test_a_held_ending_starts_again_after_the_hold() -> None:
    leader = conductor(3)
    first = bars(leader, 1)[0][0]
    outro = next(number for number, script in enumerate(first.script) if script.kind == "outro")
    bars(leader, outro + 1)
    leader.act(HOLD, Request())
    assert all(script.kind != "outro" for _, _, script in bars(leader, 30))
    leader.act(RELEASE, Request())
    rest = [script for track, _, script in bars(leader, 20) if track.number == 0]
    assert tuple(rest[-(first.bars - outro) :]) == first.script[outro:]


@pytest.mark.parametrize("wait", range(4))
def test_next_ends_a_hold_at_any_bar_of_the_loop(wait: int) -> None:
    plain, leader = conductor(4), conductor(4)
    expected = bars(plain, 80)
    begins = sections(expected)
    bars(leader, begins[1] + 1)
    leader.act(HOLD, Request())
    bars(leader, begins[2] - begins[1] + 4 + wait)
    leader.act(NEXT, Request())
    after = bars(leader, 12)
    assert [script for _, _, script in after] == [script for _, _, script in expected[begins[2] : begins[2] + 12]]
    assert not any(plan.holds for _, plan, _ in after)


@pytest.mark.parametrize("wait", [0, 3, 40])
def test_a_skip_ends_a_hold(wait: int) -> None:
    plain, leader = conductor(4), conductor(4)
    for player in (plain, leader):
        bars(player, 9)
    leader.act(HOLD, Request())
    bars(leader, wait)
    for player in (plain, leader):
        player.act(SKIP, Request())
    after = bars(leader, 60)
    assert [script for _, _, script in after] == [script for _, _, script in bars(plain, 60)]
    assert not any(plan.holds for _, plan, _ in after)


def drawn(opinion: str | None, count: int) -> tuple[tuple[str, ...], Counter[str]]:
    """Return the features of track 0, and the counts of features in later tracks after ten opinions on track 0."""
    leader = Conductor(
        TrackWriter(writer=shipped(), progressions=bars_of_one_loop(), keys=("C", "Eb"), seed=5), style="hiphop"
    )
    first = bars(leader, 1)[0][0]
    if opinion:
        for _ in range(10):
            assert leader.act(Action(opinion, 0), Request()) == first.bars  # type: ignore[arg-type]
    counts: Counter[str] = Counter()
    for _ in range(count):
        leader.act(SKIP, Request())
        counts.update(features_of(bars(leader, 1)[0][0]))
    return features_of(first), counts


def bars_of_one_loop() -> list:  # type: ignore[type-arg]
    from tests.compose.test_conductor import LOOPS

    return LOOPS


@pytest.mark.slow
def test_likes_and_dislikes_shift_the_distribution_of_tracks_within_limits() -> None:
    features, plain = drawn(None, 120)
    _, liked = drawn("like", 120)
    _, disliked = drawn("dislike", 120)
    texture = next(feature for feature in features if feature.startswith("texture"))
    form = next(feature for feature in features if feature.startswith("form"))
    for feature in (texture, form):
        assert liked[feature] > plain[feature] > disliked[feature]
        assert liked[feature] < 0.9 * 120
    assert disliked[texture] > 0


def test_a_reset_restores_the_stations_distribution() -> None:
    plain, leader = conductor(6), conductor(6)
    bars(plain, 3), bars(leader, 3)
    leader.act(Action("like", 0), Request())
    leader.act(Action("reset"), Request())
    assert bars(leader, 120) == bars(plain, 120)


def test_a_track_that_was_not_played_recently_cannot_be_liked() -> None:
    leader = conductor()
    bars(leader, 3)
    with pytest.raises(ControlError, match="track 7 was not played recently"):
        leader.act(Action("like", 7), Request())
