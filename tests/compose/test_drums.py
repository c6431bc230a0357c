from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from radio.compose import drums
from radio.compose.phrase import Phrase, phrase_of
from radio.music.events import Note

PADS = st.sampled_from([35, 36, 37, 38, 42, 44, 46, 51, 53, 41, 45])
HITS = st.lists(
    st.builds(
        lambda place, pad, velocity: Note(place * 30, place * 30 + 30, pad, velocity),
        st.integers(0, 31),
        PADS,
        st.integers(20, 110),
    ),
    min_size=1,
    max_size=30,
    unique_by=lambda note: (note.start, note.note),
)


def bar(*hits: tuple[float, int]) -> Phrase:
    return phrase_of([Note(round(beat * 120), round(beat * 120) + 30, pad, 80) for beat, pad in hits], 1)


GROOVE = bar((0, 36), (1, 38), (2.5, 36), (3, 38), *((place / 2, 42) for place in range(8)))


def test_a_plain_hip_hop_bar_ranks_ahead_of_incomplete_ones() -> None:
    good = drums.rank(GROOVE, "hiphop", 4)
    without_hats = phrase_of([note for note in GROOVE.notes if note.note != 42], 1)
    without_backbeat = phrase_of([note for note in GROOVE.notes if note.note != 38], 1)
    without_downbeat = phrase_of([note for note in GROOVE.notes if (note.start, note.note) != (0, 36)], 1)
    for worse in (without_hats, without_backbeat, without_downbeat):
        assert drums.rank(worse, "hiphop", 4) > good + 0.5


@given(HITS)
def test_soft_styles_play_rides_on_the_closed_hat(hits: list[Note]) -> None:
    sampled = phrase_of(hits, 2)
    for loop in drums.loops_of(sampled, "hiphop"):
        assert not any(note.note in drums.RIDES for note in loop.notes)
        assert len({(note.start, note.note) for note in loop.notes}) == len(loop.notes)
    cymbals = {note.start for note in sampled.notes if note.note in drums.RIDES | {42}}
    assert {note.start for note in drums.loops_of(sampled, "hiphop")[-1].notes if note.note == 42} == cymbals
    assert drums.loops_of(sampled, "jazz")[-1] == sampled


@given(HITS)
def test_every_eighth_has_a_cymbal_if_the_style_relies_on_hats(hits: list[Note]) -> None:
    loop = drums.with_hats(phrase_of(hits, 2), "soul")
    for eighth in range(0, 960, 60):
        assert any(abs(note.start - eighth) <= 10 and note.note in drums.HATS | drums.RIDES for note in loop.notes)
    assert drums.with_hats(phrase_of(hits, 2), "jazz") == phrase_of(hits, 2)


@given(HITS)
def test_leveling_keeps_hits_and_the_order_of_their_velocities(hits: list[Note]) -> None:
    loop = phrase_of(hits, 2)
    leveled = drums.leveled(loop)
    assert [(note.start, note.note) for note in leveled.notes] == [(note.start, note.note) for note in loop.notes]
    for one, other in zip(loop.notes, leveled.notes, strict=True):
        for second, changed in zip(loop.notes, leveled.notes, strict=True):
            if drums.kind_of(one.note) == drums.kind_of(second.note) and one.velocity < second.velocity:
                assert other.velocity <= changed.velocity


def test_a_fill_replaces_the_last_beats() -> None:
    fill = bar((0, 45), (2, 45), (3, 38), (3.5, 45))
    filled = drums.filled(GROOVE.notes, fill.notes, 1)
    assert [note for note in filled if note.start < 360] == [note for note in GROOVE.notes if note.start < 360]
    assert [note for note in filled if note.start >= 360] == [note for note in fill.notes if note.start >= 360]


def test_a_related_loop_keeps_snares_and_hats_and_has_other_kicks() -> None:
    other = bar((0, 36), (0.75, 36), (2, 36), (1, 40))
    related = drums.related(GROOVE, other)
    assert [n for n in related.notes if n.note != 36] == [n for n in GROOVE.notes if n.note != 36]
    assert [n.start for n in related.notes if n.note == 36] == [0, 90, 240]


def test_toms_and_crashes_stay_out_of_grooves() -> None:
    assert drums.forbidden("hiphop", fill=True) >= drums.TOMS | drums.CRASHES
    assert drums.forbidden("jazz", fill=False) >= drums.TOMS
    assert not drums.forbidden("jazz", fill=True) & drums.TOMS


@given(HITS, st.sampled_from(["hiphop", "jazz"]))
def test_a_density_removes_hits_or_adds_hats_and_one_half_changes_nothing(hits: list[Note], style: str) -> None:
    loop = phrase_of(hits, 2)
    loops = [drums.at_density(loop, style, density) for density in (0.0, 0.2, 0.4, 0.5, 0.7, 1.0)]
    assert loops[3] == loop
    counts = [len(dense.notes) for dense in loops]
    assert counts == sorted(counts)
    assert set(loops[0].notes) <= set(loops[1].notes) <= set(loops[2].notes) <= set(loop.notes)
    assert {note.note for note in set(loops[5].notes) - set(loop.notes)} <= {42}


def test_the_thinnest_groove_keeps_its_first_kick_its_backbeat_and_hats_on_beats() -> None:
    assert drums.at_density(GROOVE, "hiphop", 0.0) == bar((0, 36), (1, 38), (3, 38), *((beat, 42) for beat in range(4)))
    assert len(drums.at_density(GROOVE, "hiphop", 1.0).notes) == len(GROOVE.notes) + 8


@given(HITS)
def test_a_bar_grows_only_by_soft_snares_and_an_open_hat(hits: list[Note]) -> None:
    plain = phrase_of(hits, 1).bar(0, 0)
    grown = drums.with_ghosts(plain)
    added = [note for note in grown if note not in plain]
    assert [note for note in grown if note not in added] == plain
    assert len(added) <= 2
    assert not any(drums.is_firm_snare(note.note, note.velocity) or note.note not in drums.SNARES for note in added)
    opened = drums.with_open_hat(plain)
    changed = set(plain) - set(opened)
    assert {note.note for note in changed} <= {42}
    assert all(abs(note.start - 420) <= 15 for note in changed)
    assert {(note.start, 46) for note in changed} <= {(note.start, note.note) for note in opened}


def test_ghost_notes_are_next_to_the_backbeat_of_a_plain_groove() -> None:
    plain = GROOVE.bar(0, 0)
    assert sorted({note.start for note in drums.with_ghosts(plain)} - {note.start for note in plain}) == [210, 450]
    assert [note.start for note in drums.with_open_hat(plain) if note.note == 46] == [420]
