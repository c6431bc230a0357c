"""Fits of recordings whose parameters are known."""

from __future__ import annotations

import numpy as np
import pytest

from train.instruments.analysis import fit_note, with_envelope
from train.instruments.envelopes import attack_time, decay_slopes
from train.instruments.note import Note, fall, render
from train.instruments.references import RATE, Signal

HERTZ = 220.0


def recording(slope: float, seconds: float, *, attack: float = 0.002) -> Signal:
    """Return three partials that decay equally, and a little noise."""
    time = np.arange(round(seconds * RATE)) / RATE
    waves = sum(level * np.sin(2 * np.pi * order * HERTZ * time) for order, level in ((1, 0.3), (2, 0.1), (3, 0.05)))
    hiss = 0.002 * np.random.default_rng(1).standard_normal(len(time))
    return np.asarray((waves + hiss) * np.minimum(time / attack, 1) * 10 ** (-slope * time / 20))


def fitted(sound: Signal) -> Note:
    return with_envelope(fit_note(sound, HERTZ, np.arange(1.0, 6.0)), sound)


@pytest.mark.parametrize("seconds", [0.5, 0.9, 2.2, 2.8])
def test_a_note_keeps_decaying_after_a_short_recording_ends(seconds: float) -> None:
    note = fitted(recording(12.0, seconds))
    assert fall(note) == pytest.approx(12, rel=0.2)
    assert (np.diff(note.partials[0, 4:]) < 1).all()


@pytest.mark.parametrize("attack", [0.01, 0.03, 0.08])
def test_a_fitted_note_has_the_attack_and_decay_of_the_recording(attack: float) -> None:
    sound = recording(9.0, 2.8, attack=attack)
    note = render(fitted(sound), 2.8)
    assert attack_time(note, HERTZ) == pytest.approx(attack_time(sound, HERTZ), rel=0.2)
    slopes = decay_slopes(sound, note, HERTZ)
    assert slopes is not None
    assert slopes[1] == pytest.approx(slopes[0], rel=0.05)
