"""The leveler, fed noise instead of music: tracks whose bars differ in loudness."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from radio.audio.leveler import BarShape, Leveler, LevelerState
from radio.audio.loudness import Meter
from radio.types import MIX_BLOCK, Block
from tests.audio.pieces import integrated_loudness

BLOCKS = 20
"""Blocks per bar, which lasts 0.8 seconds."""
BAR = BLOCKS * MIX_BLOCK

INTRO, GROOVE, LEAD = BarShape("keys", -8.0), BarShape("band"), BarShape("band lead", 0.8)
REST, FADE = BarShape(""), BarShape("band", 0.0, -14.0)
FORM = (*[INTRO] * 4, *[GROOVE] * 8, *[INTRO] * 4, *[LEAD] * 8, FADE, REST)
LEVELS = {"keys": -31.0, "band": -22.5, "band lead": -22.0, "": -80.0}
"""Levels of the noise in dB, by kind of bar. The predictions for intro and lead are off by 0.5 and 0.3 dB."""


def noise(form: Sequence[BarShape], db: float = 0.0, seed: int = 4) -> Block:
    """Return bars of noise at the level of their kind plus `db`, give or take half a decibel."""
    random = np.random.default_rng(seed)
    bars = []
    for bar in form:
        level = LEVELS[bar.kind] + bar.gain_db + db + random.uniform(-0.5, 0.5)
        bars.append(random.standard_normal((BAR, 2)) * 10 ** (level / 20))
    return np.concatenate(bars).astype(np.float32)


def play(
    leveler: Leveler,
    form: Sequence[BarShape],
    x: Block,
    start: int = 0,
    place: int = 0,
    *,
    silenced: frozenset[str] = frozenset(),
) -> tuple[Block, list[float]]:
    """Play a track from bar `place` onward. Return its output and the gain in dB at the end of each bar."""
    out, gains = [], []
    for number in range(place, len(form)):
        at = number * BAR
        before, after = leveler.next_bar(start + at, start + at + BAR, form, number)
        gains.append(after)
        for block in range(BLOCKS):
            gain = 10 ** ((before + (after - before) * (block + 1) / BLOCKS) / 20)
            out.append((x[at : at + MIX_BLOCK] * gain).astype(np.float32))
            leveler.add(out[-1], start + at, gain * 10 ** (form[number].gain_db / 20), silenced)
            at += MIX_BLOCK
    return np.concatenate(out), gains


@pytest.mark.parametrize("target", [-16.0, -14.0])
@pytest.mark.parametrize("db", [-6.0, -3.0, 0.0, 4.0])
def test_the_first_two_tracks_have_the_target_loudness(db: float, target: float) -> None:
    leveler = Leveler(target)
    for number in range(2):
        out, gains = play(leveler, FORM, noise(FORM, db, seed=number), number * len(FORM) * BAR)
        assert integrated_loudness(out) == pytest.approx(target, abs=0.5)
        assert max(abs(np.diff(gains))) <= 1.0 + 1e-9


def test_tracks_that_differ_by_four_decibels_all_have_the_target_loudness() -> None:
    leveler = Leveler(-16)
    for number, db in enumerate((0.0, -4.0, 0.0, 2.0, -2.0)):
        out, _ = play(leveler, FORM, noise(FORM, db, seed=number), number * len(FORM) * BAR)
        assert integrated_loudness(out) == pytest.approx(-16, abs=0.5)


def test_quiet_bars_stay_quiet() -> None:
    """A track keeps its loudness range, and the gain settles once it is right."""
    leveler, x = Leveler(-16), noise(FORM)
    play(leveler, FORM, x)
    out, gains = play(leveler, FORM, x, len(FORM) * BAR)
    ranges = []
    for audio in (x, out):
        meter = Meter()
        meter.add(audio)
        ranges.append(meter.loudness_range)
    assert ranges[1] == pytest.approx(ranges[0], abs=1.0)
    assert np.ptp(gains) < 1.2


def test_a_wrong_prediction_is_corrected_within_the_track() -> None:
    """All bars are of a kind that is 5 dB louder than expected."""
    form = (BarShape("keys", -5.0),) * 20
    levels = noise([GROOVE] * 20, 0.0)
    out, gains = play(Leveler(-16), form, levels)
    assert integrated_loudness(out) == pytest.approx(-16, abs=0.5)
    assert np.ptp(gains[10:]) < 1.5


def test_the_gain_stays_within_its_range() -> None:
    _, gains = play(Leveler(-16), FORM, noise(FORM, -40.0))
    assert max(gains) <= 12.0


def test_silence_and_a_target_of_zero_leave_the_gain_alone() -> None:
    silence = np.zeros((5 * BAR, 2), np.float32)
    assert len(set(play(Leveler(-16), [REST] * 5, silence)[1])) == 1
    assert play(Leveler(0), [GROOVE] * 5, noise([GROOVE] * 5, -10))[1] == [0.0] * 5


def test_bars_whose_layers_listeners_have_silenced_change_nothing() -> None:
    form = [BarShape("drums keys muffled", -1.0)] * 10
    rain = noise([INTRO] * 10, -20.0)
    leveler = Leveler(-16)
    _, gains = play(leveler, form, rain, silenced=frozenset({"bass", "drums", "keys", "vinyl"}))
    assert len(set(gains)) == 1
    assert leveler.save().heard == {}
    play(leveler, form, rain, 10 * BAR, silenced=frozenset({"bass", "keys"}))
    assert leveler.save().heard["drums keys muffled"].bars > 5


def test_the_measurement_does_not_depend_on_the_gain() -> None:
    one, other = Leveler(-16), Leveler(-16)
    x = noise([GROOVE] * 10)
    for leveler in (one, other):
        leveler.next_bar(0, len(x), [GROOVE], 0)
    for at in range(0, len(x), MIX_BLOCK):
        one.add(x[at : at + MIX_BLOCK], at, 1.0)
        other.add(x[at : at + MIX_BLOCK] * np.float32(0.5), at, 0.5)
    assert one.save().heard["band"].power == pytest.approx(other.save().heard["band"].power, rel=1e-5)


def test_a_restored_leveler_continues_like_the_original() -> None:
    one, x = Leveler(-16), noise(FORM)
    play(one, FORM[:10], x[: 10 * BAR])
    other = Leveler(-16)
    other.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(one.save()), type=LevelerState))
    assert other.save() == one.save()
    results = [play(leveler, FORM, x, place=10)[1] for leveler in (one, other)]
    assert results[0] == pytest.approx(results[1], abs=0.011)


def test_a_loop_held_for_hours_does_not_grow_the_state() -> None:
    leveler = Leveler(-16)
    silence = np.zeros((MIX_BLOCK, 2), np.float32)
    leveler.next_bar(0, BAR, [GROOVE], 0)
    for at in range(20_000):
        leveler.add(silence, at * MIX_BLOCK, 1.0)
    assert len(leveler.save().powers) <= 1_500
