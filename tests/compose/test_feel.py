from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from radio.compose.feel import LOOKAHEAD, Feel, swung
from radio.music.clock import Clock
from radio.types import GRID, SAMPLE_RATE

TICKS = st.lists(st.integers(0, 1920).map(lambda place: place * 5), min_size=1, max_size=60).map(sorted)
SWING = st.floats(50, 66)


@given(TICKS, SWING, st.sampled_from(["keys", "bass"]))
def test_the_order_of_events_survives_so_a_release_never_follows_its_restrike(
    ticks: list[int], swing: float, layer: str
) -> None:
    feel, clock = Feel(layer, 1), Clock(80)
    frames = [feel.place(tick, 60, clock, swing) for tick in ticks]
    assert frames == sorted(frames)
    assert all(frame % GRID == 0 for frame in frames)
    for one, other, here, there in zip(ticks, ticks[1:], frames, frames[1:], strict=False):
        assert (one == other) == (here == there)


@given(TICKS)
def test_nothing_sounds_earlier_than_the_station_looks_ahead(ticks: list[int]) -> None:
    feel, clock = Feel("drums", 2), Clock(110)
    for tick in ticks:
        assert feel.place(tick, 42, clock, 50) >= clock.frame(tick) - LOOKAHEAD


@given(SWING)
def test_swing_moves_the_off_beat_sixteenth_to_its_share_of_the_pair_and_the_beat_nowhere(swing: float) -> None:
    assert swung(0, swing) == 0
    assert abs((30 + swung(30, swing)) / 60 * 100 - swing) < 1e-9
    places = [within + swung(within, swing) for within in range(60)]
    assert places == sorted(places)
    assert places[-1] < 60


def test_the_snare_lies_behind_the_beat_and_the_hat_a_little_before() -> None:
    clock = Clock(80)
    feel = Feel("drums", 3)
    late = []
    for bar in range(400):
        tick = bar * 480 + 120
        late.append(
            [(feel.place(tick, note, clock, 56) - clock.frame(tick)) * 1000 / SAMPLE_RATE for note in (36, 38, 42)]
        )
    kick, snare, hat = (sum(column) / len(column) for column in zip(*late, strict=True))
    assert abs(kick) < 1
    assert abs(snare - kick - 10) < 1
    assert abs(hat - kick + 3) < 1


def test_a_save_goes_on_as_if_never_stopped() -> None:
    clock = Clock(80)
    feel = Feel("keys", 4)
    for tick in range(0, 480, 30):
        feel.place(tick, 60, clock, 56)
    saved = feel.save()
    expected = [feel.place(tick, 60, clock, 56) for tick in range(480, 960, 30)]
    other = Feel("keys", 5)
    other.restore(saved)
    assert [other.place(tick, 60, clock, 56) for tick in range(480, 960, 30)] == expected
