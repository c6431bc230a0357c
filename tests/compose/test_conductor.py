from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from radio.compose.conductor import FORM, Conductor
from radio.compose.loop_rules import signature
from radio.compose.loop_writer import Harmony, Recent
from radio.compose.plan import BarPlan, Track
from radio.music.chord_loops import Loop, parse_loop
from radio.music.vocab import NAMES
from radio.types import Mood, MoodChoice
from tests.compose.test_loop_writer import shipped

LOOPS = [parse_loop(bars) for bars in (["Dm7", "G7", "Cmaj7", "Am7"], ["Fmaj7", "Em7", "Dm7", "Cmaj7"])]


def conductor(seed: int = 1, loops: Sequence[Loop] = LOOPS) -> Conductor:
    return Conductor(writer=shipped(), progressions=loops, keys=("C", "Eb", "F"), style="hiphop", seed=seed)


def bars(leader: Conductor, count: int, density: float = 0.5, mood: MoodChoice = "any") -> list[tuple[Track, BarPlan]]:
    return [leader.next_bar(density, mood) for _ in range(count)]


def test_bars_are_numbered_on_and_each_lies_in_its_track() -> None:
    for number, (track, plan) in enumerate(bars(conductor(), 200)):
        assert plan.number == number
        assert track.first_bar <= number < track.first_bar + track.bars


def test_the_progression_loops_from_each_tracks_start_and_the_bass_may_look_ahead() -> None:
    leader = conductor()
    upcoming = None
    for _ in range(100):
        track, plan = leader.next_bar(0.5)
        loop = track.sections["A"]
        assert plan.chords == loop.beats(plan.number - track.first_bar)
        assert upcoming in (None, plan.chords[0])
        upcoming = leader.upcoming_chord


def test_a_new_track_is_in_another_key_and_over_another_loop() -> None:
    tracks = {track.number: track for track, _ in bars(conductor(), 20 * len(FORM))}
    assert len(tracks) == 20
    for number in range(1, 20):
        assert tracks[number].key != tracks[number - 1].key
        assert plain(tracks[number]) != plain(tracks[number - 1])


def plain(track: Track) -> tuple[object, ...]:
    return signature(track.sections["A"].transposed({"C": 0, "Eb": -3, "F": -5}[track.key]))


def test_one_key_and_one_loop_are_enough() -> None:
    leader = Conductor(writer=shipped(), progressions=LOOPS[:1], keys=("C",), style="jazz", seed=1)
    assert {str(plan.chords[0]) for _, plan in bars(leader, 64)} == {"Dm7", "G7", "Cmaj7", "Am7"}


def test_no_bar_is_asked_to_be_silent_and_density_raises_every_section() -> None:
    low, high = (bars(conductor(), 32, density) for density in (0.0, 1.0))
    for (_, sparse), (_, busy) in zip(low, high, strict=True):
        for part in ("piano", "drums"):
            assert 1 <= sparse.densities[part] <= busy.densities[part] <= 7
    assert any(s.densities["piano"] < b.densities["piano"] for (_, s), (_, b) in zip(low, high, strict=True))


def test_between_two_levels_some_of_four_bars_are_fuller() -> None:
    """By section as documented: two in A, three in four bars of level 3 in B, half of them level 4 in C."""
    levels = [plan.densities["piano"] for _, plan in bars(conductor(), 32)]
    assert levels == [2] * 8 + [2, 3, 3, 3] * 2 + [3, 3, 4, 4] * 3 + [2] * 4


def test_a_little_more_density_is_heard_in_a_bar_of_four() -> None:
    sums = [
        sum(plan.densities["piano"] for _, plan in bars(conductor(), 32, density)) for density in (0.5, 0.5625, 0.625)
    ]
    assert [later - sooner for sooner, later in pairwise(sums)] == [8, 8]


def test_the_same_seed_plans_the_same_and_a_save_goes_on_as_if_never_stopped() -> None:
    assert bars(conductor(3), 90) == bars(conductor(3), 90)
    assert bars(conductor(3), 90) != bars(conductor(4), 90)
    leader = conductor()
    bars(leader, 29)
    saved = leader.save()
    expected = bars(leader, 80)
    other = conductor(9)
    other.restore(saved)
    assert bars(other, 80) == expected


def test_what_is_announced_stands_in_the_order_of_training() -> None:
    plan = bars(conductor(), 1)[0][1]
    announced = [NAMES[token] for token in plan.controls(1, "drums")]
    chord = plan.chords[0]
    assert announced == [
        "<b1>", f"<r{chord.root}>", f"<q:{chord.quality}>", "<s:hiphop>", "<groove>", "<backbeat>",
        f"<d{plan.densities['drums']}>",
    ]  # fmt: skip
    assert [NAMES[token] for token in plan.controls(2, "drums")] == ["<b2>"]


def test_a_skip_lets_the_next_bar_open_the_track_that_was_to_follow() -> None:
    plain, leader = conductor(), conductor()
    tracks = list({track.number: track for track, _ in bars(plain, 3 * len(FORM))}.values())
    before = bars(leader, 5)
    leader.skip()
    leader.skip()
    after = bars(leader, len(FORM) + 1)
    assert {track.number for track, _ in before} == {0}
    assert [track.number for track, _ in after] == [1] * len(FORM) + [2]
    assert [plan.number for _, plan in after] == list(range(5, 5 + len(FORM) + 1))
    assert (after[0][0].first_bar, after[-1][0].first_bar) == (5, 5 + len(FORM))
    assert [(track.title, track.key) for track in (after[0][0], after[-1][0])] == [
        (track.title, track.key) for track in tracks[1:3]
    ]
    assert "".join(plan.section for _, plan in after[:-1]) == FORM


def test_a_track_that_begins_anyway_is_not_skipped() -> None:
    leader = conductor()
    leader.skip()
    assert bars(leader, len(FORM)) == bars(conductor(), len(FORM))
    leader.skip()
    assert leader.next_bar(0.5)[0].number == 1


def test_learnt_harmony_changes_with_the_section_and_does_not_come_again_soon() -> None:
    heard = bars(conductor(2, ()), 12 * len(FORM))
    tracks = list({track.number: track for track, _ in heard}.values())
    assert len({plain(track) for track in tracks}) == len(tracks)
    for track, plan in heard:
        assert plan.loop is track.sections[plan.section]
        assert plan.chords == plan.loop.beats(plan.place)
        assert track.mode in ("major", "minor")


def test_a_chord_that_goes_on_is_said_again_but_does_not_begin() -> None:
    leader = conductor(loops=[parse_loop(["Fmaj9", "Fmaj9", "Em7 Am9", "Am9"])])
    for _, plan in bars(leader, 8):
        assert plan.announces_chord(1)
        assert plan.begins_chord(1) == (plan.place in (0, 2))
        assert plan.begins_chord(3) == (plan.place == 2)


def test_a_mood_is_heard_from_the_next_loop_on_and_any_brings_the_stations_own_back() -> None:
    leader, untouched = conductor(), conductor()
    bars(untouched, 5)
    before = bars(leader, 5)
    landing = leader.next_loop
    assert landing == 8
    turned = bars(leader, 27, mood="sad")
    for track, plan in turned:
        assert (track.mood, track.mode) == (("sad", "minor") if plan.number >= landing else ("any", None))
        assert (track.number, track.title, track.key) == (0, before[0][0].title, before[0][0].key)
    assert turned[landing - 5][1].place == 0
    following = bars(leader, 33, mood="sad")
    assert {(track.mood, track.mode) for track, _ in following} == {("sad", "minor")}
    back = leader.next_loop
    for track, plan in bars(leader, 20):
        assert track.mood == ("sad" if plan.number < back else "any")


def test_a_mood_gives_the_same_bars_whether_it_was_asked_for_early_or_at_its_loop() -> None:
    early, late = conductor(4, ()), conductor(4, ())
    bars(early, 6), bars(late, 6)
    landing = early.next_loop
    heard = bars(early, 40, mood="dreamy")
    assert bars(late, landing - 6) + bars(late, 40 - (landing - 6), mood="dreamy") == heard


def test_a_saved_conductor_remembers_mood_and_what_it_played() -> None:
    leader, other = conductor(5, ()), conductor(6, ())
    bars(leader, 70, mood="warm")
    saved = leader.save()
    expected = bars(leader, 100, mood="dark")
    other.restore(saved)
    assert bars(other, 100, mood="dark") == expected


def test_the_writer_is_asked_for_what_the_conductor_knows() -> None:
    """Each track with its own seed, the mood and the loops of the tracks before."""
    asked: list[tuple[Mood | None, int, tuple[int, ...]]] = []

    class Noting:
        def harmony(self, mood: Mood | None, recent: Recent, seed: Sequence[int]) -> Harmony:
            asked.append((mood, len(recent), tuple(seed)))
            return shipped().harmony(mood, recent, seed)

    leader = Conductor(writer=Noting(), progressions=(), keys=("C",), style="soul", seed=9)  # type: ignore[arg-type]
    bars(leader, len(FORM))
    assert asked[:3] == [(None, 0, (9, 0, 0)), (None, 1, (9, 1, 0)), (None, 2, (9, 2, 0))]


def test_the_writer_is_told_of_the_last_two_dozen_tracks() -> None:
    told: list[Recent] = []

    class Noting:
        def harmony(self, mood: Mood | None, recent: Recent, seed: Sequence[int]) -> Harmony:
            told.append(tuple(recent))
            return shipped().harmony(mood, (), seed)

    leader = Conductor(writer=Noting(), progressions=(), keys=("C",), style="soul", seed=9)  # type: ignore[arg-type]
    bars(leader, 30 * len(FORM))
    lengths = [len(each) for each in told]
    assert lengths == sorted(lengths)
    assert lengths[-1] in (24, 25), "tracks that have ended, and the one that sounds"
