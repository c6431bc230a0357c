"""Fits of drums whose strokes are known, and the strokes of the fitted parameters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from train.instruments.drum_analysis import fit_drum, noise_seed
from train.instruments.envelopes import attack_time
from train.instruments.fitting import PARAMETERS, read_parameters
from train.instruments.note import Note, render
from train.instruments.percussion import low_pass
from train.instruments.references import RATE, Signal
from train.instruments.stroke import split, struck

SEED = 11


def drum(contact: float) -> Signal:
    """Return a drum: two modes and noise that start after `contact` seconds of faint noise."""
    time = np.arange(RATE) / RATE - contact
    rise = np.minimum(np.maximum(time, 0) / 0.0005, 1)
    noise = np.random.default_rng(5).standard_normal(RATE)
    body = 0.5 * np.cos(2 * np.pi * 90 * time) * 10 ** (-2 * time) + 0.3 * np.cos(2 * np.pi * 230 * time + 1)
    snap = 0.4 * noise * 10 ** (-np.maximum(time, 0) / 0.03)
    return np.asarray(rise * (body * 10 ** (-4 * time) + snap) + 0.01 * noise * 10 ** (-3 * np.maximum(time, 0)))


@pytest.fixture(scope="module")
def fits() -> dict[float, tuple[Signal, Note]]:
    return {contact: (drum(contact), fit_drum(drum(contact), SEED)) for contact in (0.001, 0.006)}


@pytest.mark.parametrize("contact", [0.001, 0.006])
def test_a_fitted_drum_has_the_attack_of_the_recording(fits: dict[float, tuple[Signal, Note]], contact: float) -> None:
    sound, note = fits[contact]
    assert attack_time(render(note, 1.0, seed=SEED)) == pytest.approx(attack_time(sound), rel=0.15)
    for fitted, recorded in zip(slices(render(note, 1.0, seed=SEED)), slices(sound), strict=True):
        assert fitted == pytest.approx(recorded, abs=6)


def slices(sound: Signal) -> list[Signal]:
    """Return the level of the upper three bands in steps of 4 ms, in dB, at least 30 dB below the loudest."""
    steps = split(sound)[1:, : 8 * 176].reshape(3, 8, 176)
    levels = 10 * np.log10((steps**2).mean(axis=2) + 1e-12)
    return list(np.maximum(levels, levels.max(axis=1, keepdims=True) - 30))


def test_the_modes_of_a_drum_add_up_to_the_recording(fits: dict[float, tuple[Signal, Note]]) -> None:
    sound, note = fits[0.001]
    wanted, fitted = (low_pass(one, 300)[: round(0.1 * RATE)] for one in (sound, render(note, 1.0, seed=SEED)))
    assert np.corrcoef(wanted, fitted)[0, 1] > 0.9
    other = low_pass(render(replace(note, phases=None), 1.0, seed=SEED), 300)[: round(0.1 * RATE)]
    assert np.corrcoef(wanted, other)[0, 1] < 0.8


def test_the_bands_of_a_stroke_add_up_to_the_sound() -> None:
    sound = drum(0.001)
    assert np.allclose(split(sound).sum(axis=0), sound)
    assert struck(sound, None) is sound


RECORDED = {
    "kick": ((14.3, 13.5), (12.1, 13.3), (11.9, 12.5), (6.8, 5.3)),
    "snare": ((11.2, 11.7), (5.4, 4.1), (5.5, 3.5), (6.2, 4.0)),
    "hihat-closed": ((4.1, 3.9), (3.1, 3.2), (7.9, 3.4), (7.6, 3.0)),
}
"""Milliseconds: the attacks of the recordings, from the softest velocity to the loudest, of both takes."""


@pytest.mark.parametrize("name", RECORDED)
def test_the_fitted_parameters_have_the_attacks_of_the_recordings(name: str) -> None:
    hits = read_parameters(PARAMETERS / f"{name}.json")
    recorded = [attack for takes in RECORDED[name] for attack in takes]
    attacks = [attack_time(render(hit.note, 0.6, seed=noise_seed(hit.take))) for hit in hits]
    assert np.median(np.abs(np.array(attacks) / recorded - 1)) < 0.15
