from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import groupby
from random import Random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.compose import melody
from radio.compose.composer import Composer
from radio.compose.conductor import Conductor
from radio.compose.instruments import THIRD_PROGRAMS, Instruments
from radio.compose.loop_writer import LoopWriter
from radio.compose.melody import (
    Backing,
    recurrence,
    sounding_share,
    without_clashes,
    write_lead,
    write_return,
)
from radio.compose.motif import MOTIF_BARS, WIDEST_STEP, draw_motif
from radio.compose.phrase import Phrase, chord_at, phrase_of
from radio.compose.track_writer import TrackWriter
from radio.music.chord_loops import parse_loop
from radio.music.events import Note
from radio.settings.controls import Controls
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT
from tests.compose.test_composer import heard
from tests.model.models import engine

pytestmark = pytest.mark.usefixtures("all_leads")

SCALE = frozenset({0, 2, 4, 5, 7, 9, 11})
LOOP = parse_loop(["Dm9", "G7", "Cmaj9", "Am7"])
CHORDS = [chord for bar in range(4) for chord in LOOP.beats(bar)]


def keys(random: Random) -> Phrase:
    """Return chords struck at random places in each bar, some of them held."""
    notes = []
    for bar in range(4):
        for start in sorted(random.sample(range(0, TICKS_PER_BAR, 60), random.randint(1, 4))):
            length = random.choice((30, 60, 120, 240))
            tones = sorted(chord_at(CHORDS, bar * TICKS_PER_BAR + start).tones)
            tick = bar * TICKS_PER_BAR + start
            notes += [Note(tick, tick + length, 60 + tone, 70) for tone in random.sample(tones, 3)]
    return phrase_of(notes, 4)


def line(random: Random) -> list[Note]:
    starts = sorted(random.sample(range(0, 2 * TICKS_PER_BAR, 60), 10))
    return [Note(start, start + 30, random.randint(66, 82), 70) for start in starts]


@cache
def lead(seed: int, density: float = 0.5) -> tuple[Phrase, Backing]:
    random = Random(seed)
    backing = Backing(keys(random), CHORDS, SCALE, 74, 70.0)
    return write_lead([line(random), line(random)], backing, density, random), backing


def assert_fits(phrase: Phrase, backing: Backing) -> None:
    """Check that a lead is one voice within a tenth that fits chords and keys."""
    pitches = [note.note for note in phrase.notes]
    assert max(pitches) - min(pitches) <= 2 * melody.REACH
    for note, after in zip(phrase.notes, phrase.notes[1:], strict=False):
        assert note.start < note.end <= after.start
    for note in phrase.notes:
        tones = chord_at(CHORDS, note.start).tones
        assert note.note % 12 in tones | SCALE
        if note.start % (2 * TICKS_PER_BEAT) == 0:
            assert note.note % 12 in tones
        clashes = [
            min(note.end, other.end) - max(note.start, other.start)
            for other in backing.sounding(note.start, note.end)
            if abs(other.note - note.note) in (1, 13)
        ]
        assert max(clashes, default=0) < TICKS_PER_BEAT
    last = phrase.notes[-1]
    assert last.note % 12 in chord_at(CHORDS, last.start).tones


@given(st.integers(0, 10**6), st.floats(0, 1))
def test_a_lead_is_one_voice_that_fits_the_chords_within_a_tenth(seed: int, density: float) -> None:
    phrase, backing = lead(seed, density)
    assert phrase.bars in (4, 8)
    assert_fits(phrase, backing)


@given(st.integers(0, 10**6), st.floats(0, 1))
def test_a_lead_that_returns_opens_as_before(seed: int, density: float) -> None:
    phrase, backing = lead(seed, density)
    returned = write_return(phrase, backing, density, Random(seed))
    assert returned == write_return(phrase, backing, density, Random(seed))
    assert opening(returned) == opening(phrase) != []
    assert returned.bars % backing.keys.bars == 0
    assert_fits(returned, backing)


def opening(phrase: Phrase) -> list[Note]:
    return [note for note in phrase.notes if note.start < MOTIF_BARS * TICKS_PER_BAR]


def test_a_lead_that_returns_climbs_higher_and_rests_and_recurs_as_before() -> None:
    leads = [lead(seed) for seed in range(30)]
    returns = [write_return(*pair, 0.5, Random(seed)) for seed, pair in enumerate(leads)]
    higher = [highest(after) > highest(before) for after, (before, _) in zip(returns, leads, strict=True)]
    assert sum(higher) >= 16, "most others are at the top of their range already"
    assert fmean(climb(phrase) for phrase in returns) > 2
    assert 0.4 < fmean(map(sounding_share, returns)) < 0.6
    assert fmean(recurrence(phrase.notes) for phrase in returns) > 0.4


def climb(phrase: Phrase) -> float:
    """Return the distance in semitones from the opening up to the climax in the middle of the phrase."""
    cell = MOTIF_BARS * TICKS_PER_BAR
    middle = phrase.bars // MOTIF_BARS // 2 * cell
    return fmean(note.note for note in phrase.notes if middle <= note.start < middle + cell) - fmean(
        note.note for note in opening(phrase)
    )


def highest(phrase: Phrase) -> int:
    return max(note.note for note in phrase.notes)


def test_a_lead_rests_half_of_the_time_and_steps_are_small() -> None:
    leads = [lead(seed)[0] for seed in range(25)]
    assert 0.4 < fmean(map(sounding_share, leads)) < 0.6
    steps = [
        abs(after.note - note.note)
        for phrase in leads
        for note, after in zip(phrase.notes, phrase.notes[1:], strict=False)
    ]
    assert sum(step <= WIDEST_STEP for step in steps) / len(steps) > 0.9


def test_figures_of_three_notes_recur() -> None:
    leads = [lead(seed)[0] for seed in range(25)]
    assert fmean(recurrence(phrase.notes) for phrase in leads) > 0.5


def test_a_lead_answers_the_keys() -> None:
    """It strikes together with its keys less often than with those of another phrase."""

    def together(phrase: Phrase, other: Phrase) -> float:
        strikes = {note.start for note in other.notes}
        return fmean(note.start % other.end in strikes for note in phrase.notes)

    pairs = [lead(seed) for seed in range(40)]
    answering = fmean(together(phrase, backing.keys) for phrase, backing in pairs)
    by_chance = fmean(together(pairs[at][0], pairs[at - 1][1].keys) for at in range(40))
    assert answering < 0.85 * by_chance


def test_density_sets_the_number_of_notes() -> None:
    counts = [fmean(len(lead(seed, density)[0].notes) / lead(seed, density)[0].bars for seed in range(12))
              for density in (0.0, 0.5, 1.0)]  # fmt: skip
    assert counts[0] < 0.7 * counts[1] < 0.7 * counts[2]


def test_a_phrase_of_the_same_seed_is_the_same() -> None:
    assert lead(5) == lead.__wrapped__(5)
    assert lead(5) != lead(6)


@given(st.integers(0, 10**6), st.integers(2, 8))
def test_a_motif_keeps_rhythm_and_contour_of_its_line(seed: int, size: int) -> None:
    random = Random(seed)
    motif = draw_motif(line(random), size, SCALE, random)
    assert len(motif) == size
    assert motif[0].degree == 0
    assert [step.start for step in motif] == sorted({step.start for step in motif})
    assert all(step.length > 0 for step in motif)


def test_a_line_that_is_too_short_still_gives_a_motif() -> None:
    assert len(draw_motif([], 5, SCALE, Random(1))) == 5


def test_a_note_a_semitone_from_the_keys_is_cut() -> None:
    note = Note(0, 240, 72, 70)
    (cut,) = without_clashes([note], [Note(60, 240, 71, 70)])
    assert (cut.start, cut.end) == (0, 90)
    assert without_clashes([note], [Note(60, 150, 71, 70), Note(0, 240, 70, 70)]) == [note]


def test_instruments_play_in_their_own_ranges() -> None:
    assert melody.middle_of(28) < melody.middle_of(11) < melody.middle_of(73)
    assert melody.velocity_of(108) > melody.velocity_of(10) > melody.velocity_of(73)


def composer(seed: int = 1, *, programs: tuple[int, ...] = (11, 73)) -> Composer:
    return Composer(
        engine("piano"),
        engine("drums"),
        Conductor(
            TrackWriter(
                writer=LoopWriter(engine("chords")),
                progressions=[parse_loop(["Dm7", "G7", "Cmaj7", "Am7"])],
                keys=("C", "F"),
                seed=seed,
                instruments=Instruments(keys=(4, 5), lead=programs),
            ),
            style="hiphop",
        ),
        seed=seed,
    )


def test_the_lead_plays_in_the_bars_that_name_it() -> None:
    player = composer()
    bars = [player.next_bar(Controls()) for _ in range(120)]
    named = [bar for bar in bars if "lead" in bar.plan.layers]
    assert 0.15 < len(named) / len(bars) < 0.6
    assert all("keys" in bar.plan.layers for bar in named)
    assert fmean(bool(heard(bar, "lead")) for bar in named) > 0.6
    assert not any(bar.events["lead"] for bar in bars if "lead" not in bar.plan.layers)
    assert {bar.track.programs["lead"] for bar in bars} <= {11, 73}
    assert {bar.track.programs["keys"] for bar in bars} <= {4, 5}
    drawn = [Instruments(keys=(4, 5), lead=(11, 73)).draw(Random(seed)) for seed in range(20)]
    assert {(programs["keys"], programs["lead"]) for programs in drawn} == {(4, 11), (4, 73), (5, 11), (5, 73)}


def test_a_lead_opens_as_before_when_its_phrase_returns_and_then_changes() -> None:
    player = composer()
    controls = Controls(energy=1.0)  # every groove has a lead
    bars = [player.next_bar(controls) for _ in range(100)]
    returns = 0
    for _, group in groupby(bars, key=lambda bar: bar.track.number):
        track = list(group)
        script = track[0].track.script
        first: dict[str, list[list[tuple[int, int]]]] = {}
        for start in (place for place in range(len(track)) if script[place].place == 0):
            length = next((n for n, one in enumerate(script[start + 1 :], 1) if one.place == 0), len(script))
            section = track[start : start + length]
            if "lead" not in script[start].layers or len(section) < 8:
                continue
            played = [[(event.tick - bar.plan.tick, event.note) for event in bar.events["lead"]] for bar in section]
            before = first.setdefault(script[start].material, played)
            if before is not played:
                returns += 1
                assert played[0] == before[0]
                assert played[2:8] != before[2:8]
    assert returns


def test_a_station_without_lead_programs_has_no_lead() -> None:
    player = composer(programs=())
    for _ in range(60):
        bar = player.next_bar(Controls())
        assert "lead" not in bar.plan.layers
        assert not bar.events["lead"]


def test_a_lead_changes_neither_the_other_layers_nor_the_form() -> None:
    one, other = composer(), composer(programs=())
    for _ in range(60):
        with_lead, without = one.next_bar(Controls()), other.next_bar(Controls())
        assert with_lead.plan.layers - {"lead"} == without.plan.layers
        assert all(with_lead.events[layer] == without.events[layer] for layer in ("keys", "bass", "drums"))


def test_a_restored_composer_continues_with_the_same_lead() -> None:
    first = composer()
    controls = Controls(lead_density=0.8)
    while not heard(first.next_bar(controls), "lead"):
        pass
    saved = first.save()
    expected = [first.next_bar(controls) for _ in range(10)]
    assert any(heard(bar, "lead") for bar in expected)
    other = composer(seed=9)
    other.restore(saved)
    assert [other.next_bar(controls) for _ in range(10)] == expected


def test_the_density_of_the_lead_counts_from_the_next_bar_and_changes_nothing_else() -> None:
    plain, changed = composer(2), composer(2)
    before = [(plain.next_bar(Controls()), changed.next_bar(Controls())) for _ in range(6)]
    assert all(one == other for one, other in before)
    after = [(plain.next_bar(Controls()), changed.next_bar(Controls(lead_density=1.0))) for _ in range(30)]
    counts = [sum(len(heard(pair[place], "lead")) for pair in after) for place in (0, 1)]
    assert counts[1] > 1.3 * counts[0] > 0
    for one, other in after:
        assert replace(one, events={**one.events, "lead": []}) == replace(other, events={**other.events, "lead": []})


@pytest.mark.parametrize("third", [(), (40, 46)])
def test_a_tenth_of_the_leads_has_a_third_instrument(third: tuple[int, ...]) -> None:
    instruments = Instruments(keys=(11,), lead=(11, 73), third=third)
    drawn = [instruments.draw(Random(seed))["lead"] for seed in range(600)]
    share = sum(program in THIRD_PROGRAMS for program in drawn) / len(drawn)
    assert share == pytest.approx(0.1 if third else 0, abs=0.05)
    assert 11 not in drawn  # the keys use it
