from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.compose.dynamics import LEVELS, Dynamics
from radio.music.events import NoteEvent

VELOCITIES = st.lists(st.integers(1, 127), min_size=1, max_size=100)


def strikes(velocities: list[int], note: int = 60) -> list[NoteEvent]:
    return [NoteEvent(place * 30, note, velocity) for place, velocity in enumerate(velocities)]


@pytest.mark.parametrize("played", [35, 60, 100])
@pytest.mark.parametrize(
    ("layer", "note", "kind"), [("keys", 60, "keys"), ("drums", 36, "kick"), ("drums", 38, "snare")]
)
def test_however_loud_a_model_plays_its_layer_comes_to_its_level(played: int, layer: str, note: int, kind: str) -> None:
    pattern = [played - 10, played + 10] * 300
    levelled = [event.velocity for event in Dynamics(layer).level(strikes(pattern, note))][-100:]
    assert sum(levelled) / 100 == pytest.approx(LEVELS[kind].target, abs=2)
    assert levelled[-1] - levelled[-2] == pytest.approx(20 * LEVELS[kind].accent, abs=2), "the accent is kept"


@given(VELOCITIES)
def test_only_the_velocity_of_strikes_changes_and_none_becomes_a_release(velocities: list[int]) -> None:
    events = [*strikes(velocities), NoteEvent(10**6, 60, 0)]
    levelled = Dynamics("keys").level(events)
    assert [(event.tick, event.note) for event in levelled] == [(event.tick, event.note) for event in events]
    assert all(10 <= event.velocity <= 112 for event in levelled[:-1])
    assert levelled[-1].velocity == 0


@given(VELOCITIES, VELOCITIES)
def test_a_save_goes_on_as_if_never_stopped(first: list[int], second: list[int]) -> None:
    whole = Dynamics("keys")
    whole.level(strikes(first))
    saved = whole.save()
    other = Dynamics("keys")
    other.restore(saved)
    assert other.level(strikes(second)) == whole.level(strikes(second))
