from __future__ import annotations

import itertools
from collections.abc import Sequence

from radio.compose.conductor import Conductor
from radio.compose.loop_rules import signature
from radio.compose.loop_writer import Harmony, Recent
from radio.compose.plan import BarPlan, Request, Track
from radio.compose.script import BarScript
from radio.compose.track_writer import TrackWriter
from radio.compose.wish import Wish
from radio.music.chord_loops import Loop, parse_loop
from radio.music.vocab import NAMES
from radio.types import SKIP, Mode, Mood, MoodChoice
from tests.compose.test_loop_writer import shipped

LOOPS = [parse_loop(bars) for bars in (["Dm7", "G7", "Cmaj7", "Am7"], ["Fmaj7", "Em7", "Dm7", "Cmaj7"])]

PlannedBar = tuple[Track, BarPlan, BarScript]


def conductor(seed: int = 1, loops: Sequence[Loop] = LOOPS) -> Conductor:
    return Conductor(
        TrackWriter(writer=shipped(), progressions=loops, keys=("C", "Eb", "F"), seed=seed), style="hiphop"
    )


def bars(leader: Conductor, count: int, mood: MoodChoice = "any", density: float = 0.5) -> list[PlannedBar]:
    return [leader.next_bar(Request(density=density, wish=Wish(mood))) for _ in range(count)]


def tracks_of(planned: Sequence[PlannedBar]) -> list[Track]:
    return list({track.number: track for track, _, _ in planned}.values())


def main_loop(track: Track) -> tuple[object, ...]:
    return signature(track.loops["A"].transposed({"C": 0, "Eb": -3, "F": -5}[track.key]))


def test_bars_are_numbered_and_lie_within_their_track() -> None:
    for number, (track, plan, script) in enumerate(bars(conductor(), 200)):
        assert plan.number == number
        assert track.first_bar <= number < track.first_bar + track.bars
        assert script == track.script[number - track.first_bar]


def test_the_first_tracks_fit_the_tempo_like_later_ones() -> None:
    for tempo in (54.0, 92.0):
        for seed in range(12):
            writer = TrackWriter(writer=shipped(), progressions=LOOPS, keys=("C", "F"), seed=seed)
            leader = Conductor(writer, style="hiphop", tempo=tempo)
            for track in (leader.next_bar(Request(tempo=tempo))[0], leader.following):
                assert 58 <= track.bars * 240 / (tempo + track.tempo_offset) <= 192


def test_each_section_begins_with_the_start_of_the_loop() -> None:
    for track, plan, script in bars(conductor(), 150):
        assert plan.chords == track.loops[script.material].beats(script.place)


def test_a_new_track_has_another_key_and_another_loop() -> None:
    tracks = tracks_of(bars(conductor(), 800))
    assert len(tracks) > 10
    for track, following in itertools.pairwise(tracks):
        assert track.key != following.key
        assert main_loop(track) != main_loop(following)


def test_tracks_differ_in_form_length_tempo_and_texture() -> None:
    tracks = tracks_of(bars(conductor(2, ()), 2_000))[:-1]
    assert len({tuple(script.section for script in track.script) for track in tracks}) >= 6
    assert len({track.bars for track in tracks}) >= 6
    assert all(abs(track.tempo_offset) <= 6 for track in tracks)
    assert len({track.tempo_offset for track in tracks}) > len(tracks) / 2
    assert len({track.texture.kind for track in tracks}) >= 4


def test_one_key_and_one_loop_are_enough() -> None:
    leader = Conductor(TrackWriter(writer=shipped(), progressions=LOOPS[:1], keys=("C",), seed=1), style="jazz")
    roots = {chord.root for track, _, _ in bars(leader, 64) for chord in track.loops["A"].halves}
    assert roots <= {2, 7, 0, 9}


def test_a_layer_has_a_density_if_and_only_if_it_sounds() -> None:
    for density in (0.0, 1.0):
        for _, plan, _ in bars(conductor(), 100, density=density):
            assert (plan.densities["piano"] > 0) == ("keys" in plan.layers)
            assert (plan.densities["drums"] > 0) == ("drums" in plan.layers)


def test_density_raises_only_the_level_of_the_keys() -> None:
    low, high = (bars(conductor(), 64, density=density) for density in (0.1, 0.9))
    for (_, sparse, _), (_, busy, _) in zip(low, high, strict=True):
        assert sparse.densities["piano"] <= busy.densities["piano"]
        assert sparse.densities["drums"] == busy.densities["drums"]
    assert any(s.densities["piano"] < b.densities["piano"] for (_, s, _), (_, b, _) in zip(low, high, strict=True))


def test_the_same_seed_plans_the_same_and_a_restored_conductor_continues() -> None:
    assert bars(conductor(3), 90) == bars(conductor(3), 90)
    assert bars(conductor(3), 90) != bars(conductor(4), 90)
    leader = conductor()
    bars(leader, 29)
    saved = leader.save()
    expected = bars(leader, 80)
    other = conductor(9)
    other.restore(saved)
    assert bars(other, 80) == expected


def test_control_tokens_are_in_training_order() -> None:
    plan = next(plan for _, plan, script in bars(conductor(), 60) if "drums" in plan.layers and not script.fill)
    tokens = [NAMES[token] for token in plan.controls(1, "drums")]
    chord = plan.chords[0]
    assert tokens == [
        "<b1>", f"<r{chord.root}>", f"<q:{chord.quality}>", "<s:hiphop>", "<groove>", "<backbeat>",
        f"<d{plan.densities['drums']}>",
    ]  # fmt: skip
    assert [NAMES[token] for token in plan.controls(2, "drums")] == ["<b2>"]
    keys = [NAMES[token] for token in plan.controls(1, "piano")]
    assert keys[3:-1] == ["<s:hiphop>", "<groove>", "<backbeat>", *(NAMES[token] for token in plan.attributes)]


def test_the_keys_are_asked_for_the_texture_of_the_track_in_every_bar() -> None:
    for track, plan, script in bars(conductor(), 60, density=0.7):
        texture = track.texture.at_density(0.7).in_material(script.material)
        assert plan.attributes == texture.attributes.tokens


def test_a_skip_starts_the_following_track_at_the_next_bar() -> None:
    plain, leader = conductor(), conductor()
    expected = tracks_of(bars(plain, 300))
    bars(leader, 5)
    leader.act(SKIP, Request())
    leader.act(SKIP, Request())
    after = bars(leader, expected[1].bars + 1)
    assert [track.number for track, _, _ in after] == [1] * expected[1].bars + [2]
    assert [plan.number for _, plan, _ in after] == list(range(5, 5 + expected[1].bars + 1))
    assert after[0][0].first_bar == 5
    assert [(track.title, track.key) for track in tracks_of(after)] == [(t.title, t.key) for t in expected[1:3]]


def test_a_skip_before_the_first_bar_of_a_track_changes_nothing() -> None:
    leader = conductor()
    leader.act(SKIP, Request())
    assert bars(leader, 20) == bars(conductor(), 20)


def test_learned_harmony_does_not_repeat_soon() -> None:
    tracks = tracks_of(bars(conductor(2, ()), 700))
    assert len({main_loop(track) for track in tracks}) >= len(tracks) - 1
    assert all(track.mode in ("major", "minor") for track in tracks)


def test_a_mood_takes_effect_with_the_next_loop_and_any_ends_it() -> None:
    leader = conductor()
    before = bars(leader, 5)
    landing = leader.next_loop
    turned = bars(leader, 12, mood="sad")
    for track, plan, _ in turned:
        assert (track.wish.mood, track.mode) == (("sad", "minor") if plan.number >= landing else ("any", None))
        assert (track.number, track.title, track.key) == (0, before[0][0].title, before[0][0].key)
    assert turned[landing - 5][1].place == 0
    back = leader.next_loop
    for track, plan, _ in bars(leader, 12):
        assert track.wish.mood == ("sad" if plan.number < back else "any")


def test_a_mood_gives_the_same_bars_whether_requested_early_or_at_its_loop() -> None:
    early, late = conductor(4, ()), conductor(4, ())
    bars(early, 6), bars(late, 6)
    landing = early.next_loop
    planned = bars(early, 20, mood="dreamy")
    assert bars(late, landing - 6) + bars(late, 20 - (landing - 6), mood="dreamy") == planned


def test_the_writer_gets_the_mood_the_recent_loops_and_a_seed_for_each_track() -> None:
    calls: list[tuple[Mood | None, int, tuple[int, ...]]] = []

    class Recording:
        def harmony(
            self, mood: Mood | None, recent: Recent, seed: Sequence[int], *, mode: Mode | None = None
        ) -> Harmony:
            calls.append((mood, len(recent), tuple(seed)))
            return shipped().harmony(mood, (), seed)

    leader = Conductor(TrackWriter(writer=Recording(), progressions=(), keys=("C",), seed=9), style="soul")  # type: ignore[arg-type]
    bars(leader, 1_500)
    assert calls[:3] == [(None, 0, (9, 0, 0)), (None, 1, (9, 1, 0)), (None, 2, (9, 2, 0))]
    lengths = [count for _, count, _ in calls]
    assert lengths == sorted(lengths)
    assert lengths[-1] in (24, 25), "the tracks that ended, and the current one"
