from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from pieces import SIZES, bounds, few, rms_db

from radio.audio.loudness import integrated_loudness, true_peak
from radio.audio.mixer import Mixer
from radio.audio.tone import Tone
from radio.controls import LAYERS, Controls
from radio.errors import AudioError
from radio.types import SAMPLE_RATE, Block

if TYPE_CHECKING:
    from conftest import Passage

FRAMES = 30_000
GENERATOR = np.random.default_rng(6)
STEMS = {layer: (0.2 * GENERATOR.standard_normal((FRAMES, 2))).astype(np.float32) for layer in LAYERS}
KICKS = (0, 6_400, 7_001, 20_480)
BEFORE, AFTER = Controls(), Controls(lowpass=2_000, wow=1, keys_mute=True, rain_mute=False, drums_level=12)
TURN = 11_111
CLEAN = Tone(
    bass_db=0,
    drums_db=0,
    keys_lowpass=20_000,
    drums_lowpass=20_000,
    highpass=10,
    grit_bits=24,
    grit_rate=48_000,
    room_db=-60,
    duck_db=0,
    drive_db=-12,
    gain_db=0,
)
STILL = Controls(wow=0, lowpass=20_000)


def cut(stems: Mapping[str, Block], a: int, b: int) -> dict[str, Block]:
    return {layer: stem[a:b] for layer, stem in stems.items()}


def mixed(mixer: Mixer, cuts: list[int]) -> Block:
    """STEMS through the mixer in pieces; the controls change at TURN."""
    parts = []
    for a, b in pairwise(sorted({*cuts, TURN})):
        controls = BEFORE if a < TURN else AFTER
        parts.append(mixer.process(cut(STEMS, a, b), controls, [kick - a for kick in KICKS if a <= kick < b]))
    return np.concatenate(parts)


def played(passage: Passage, stems: Mapping[str, Block]) -> Block:
    """Stems of the passage as a station would mix them: 0.1 s at a time, with everything as it comes."""
    mixer = Mixer(Tone())
    return np.concatenate(
        [
            mixer.process(
                cut(stems, at, at + 4_800), Controls(), [k - at for k in passage.kicks if 0 <= k - at < 4_800]
            )
            for at in range(0, len(passage.stems["keys"]), 4_800)
        ]
    )


@few
@given(sizes=SIZES)
def test_whole_equals_split(sizes: list[int]) -> None:
    assert np.array_equal(mixed(Mixer(Tone()), bounds(sizes, FRAMES)), mixed(Mixer(Tone()), [0, FRAMES]))


def test_a_copy_goes_on_identically() -> None:
    mixer = Mixer(Tone())
    mixed(mixer, [0, FRAMES])
    copy = deepcopy(mixer)
    assert np.array_equal(mixed(mixer, [0, FRAMES]), mixed(copy, [0, FRAMES]))


def test_later_input_never_changes_earlier_output() -> None:
    louder = {layer: np.concatenate((stem[:20_000], stem[20_000:] * 9)) for layer, stem in STEMS.items()}
    one, other = (Mixer(Tone()).process(stems, BEFORE) for stems in (STEMS, louder))
    assert np.array_equal(one[:20_000], other[:20_000])


def test_latency_is_what_an_impulse_takes() -> None:
    mixer = Mixer(CLEAN)
    stem = np.zeros((4_800, 2), np.float32)
    stem[1_000] = 0.5
    out = mixer.process({"rain": stem}, Controls(wow=0, lowpass=20_000, rain_mute=False))
    assert np.abs(out[:, 0]).argmax() == 1_000 + mixer.latency


def test_no_sample_and_no_peak_between_samples_passes_the_ceiling() -> None:
    out = Mixer(Tone(gain_db=24)).process(STEMS, AFTER)
    assert true_peak(out[2_000:] * np.hanning(FRAMES - 2_000)[:, None].astype(np.float32)) <= -1.0
    assert np.abs(out).max() <= 10 ** (-1 / 20)
    assert out.dtype == np.float32


def test_silence_stays_silence() -> None:
    out = Mixer(Tone()).process({layer: np.zeros((SAMPLE_RATE, 2), np.float32) for layer in LAYERS}, BEFORE)
    assert np.abs(out).max() < 1e-12


@pytest.mark.parametrize("layer", LAYERS)
def test_a_muted_layer_is_not_heard(layer: str) -> None:
    controls = BEFORE.changed({f"{name}_mute": name == layer for name in LAYERS})
    alone = Mixer(Tone()).process({layer: STEMS[layer]}, controls)
    assert np.abs(alone).max() < 1e-12
    assert rms_db(Mixer(Tone()).process({layer: STEMS[layer]}, controls.changed({f"{layer}_mute": False}))) > -40


@pytest.mark.parametrize("layer", LAYERS)
def test_levels_are_decibels(layer: str) -> None:
    stem = {layer: (STEMS[layer] * 0.01).astype(np.float32)}
    controls = Controls(rain_mute=False)
    levels = [
        rms_db(Mixer(CLEAN).process(stem, controls.changed({f"{layer}_level": level}))[3_000:]) for level in (0, -12, 6)
    ]
    assert levels[1] - levels[0] == pytest.approx(-12, abs=0.1)
    assert levels[2] - levels[0] == pytest.approx(6, abs=0.1)


def test_a_change_of_level_makes_no_click() -> None:
    t = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    stem = (0.2 * np.sin(2 * np.pi * 200 * t))[:, None].repeat(2, axis=1).astype(np.float32)
    mixer = Mixer(CLEAN)
    parts = [
        mixer.process({"keys": stem[at : at + 4_800]}, STILL.changed({"keys_mute": at // 4_800 % 2 == 1}))
        for at in range(0, len(stem), 4_800)
    ]
    bend = np.abs(np.diff(np.concatenate(parts)[4_800:], 2, axis=0)).max()
    assert bend < 2 * 0.2 * (2 * np.pi * 200 / SAMPLE_RATE) ** 2
    assert np.abs(parts[2][:400]).max() < 0.01


@pytest.mark.parametrize(("layer", "dip"), [("keys", 3.0), ("drums", 0.0), ("vinyl", 0.0)])
def test_a_kick_ducks_keys_only_and_by_as_much_as_the_tone_says(layer: str, dip: float) -> None:
    t = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    stem = (0.01 * np.sin(2 * np.pi * 1_000 * t))[:, None].repeat(2, axis=1).astype(np.float32)
    mixer = Mixer(replace(CLEAN, duck_db=3.0))
    out = mixer.process({layer: stem}, STILL, [24_000])[mixer.latency :]
    before = rms_db(out[12_000:23_040])
    assert rms_db(out[24_240:24_288]) - before == pytest.approx(-dip, abs=0.15)


def test_the_master_low_pass_is_heard() -> None:
    dark, bright = (Mixer(Tone()).process(STEMS, BEFORE.changed({"lowpass": hertz})) for hertz in (1_000, 16_000))
    treble = [np.square(np.diff(out.astype(np.float64), axis=0)).mean() for out in (dark, bright)]
    assert treble[0] < treble[1] / 20


def test_a_usual_mix_is_as_loud_as_the_design_wants(passage: Passage) -> None:
    out = played(passage, passage.stems)
    assert integrated_loudness(out) == pytest.approx(-16, abs=0.7)
    assert true_peak(out) <= -1.0


def test_the_layers_are_in_balance(passage: Passage) -> None:
    loudness = {layer: integrated_loudness(played(passage, {layer: stem})) for layer, stem in passage.stems.items()}
    assert abs(loudness["keys"] - loudness["drums"]) < 4
    assert abs(loudness["keys"] - loudness["bass"]) < 4
    assert -40 < loudness["vinyl"] - loudness["keys"] < -25


@pytest.mark.parametrize(
    ("stems", "words"),
    [
        ({}, "at least one stem"),
        ({"kees": STEMS["keys"]}, "no layer 'kees'. Did you mean 'keys'"),
        ({"keys": STEMS["keys"], "bass": STEMS["bass"][:-1]}, "differ in length"),
        ({"keys": STEMS["keys"].T}, "not \\(frames, 2\\)"),
    ],
)
def test_stems_that_cannot_be_mixed_are_refused(stems: dict[str, Block], words: str) -> None:
    with pytest.raises(AudioError, match=words):
        Mixer(Tone()).process(stems, BEFORE)
