from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from radio.audio.cues import Cues
from radio.audio.mixer import Mixer
from radio.errors import AudioError
from radio.settings.controls import LAYERS, Controls
from radio.settings.tone import Tone
from radio.types import MIX_BLOCK, SAMPLE_RATE, Block, MixState
from tests.audio.pieces import integrated_loudness, rms_db, true_peak

if TYPE_CHECKING:
    from conftest import RenderedPassage

FRAMES = 30_000
GENERATOR = np.random.default_rng(6)
STEMS = {layer: (0.2 * GENERATOR.standard_normal((FRAMES, 2))).astype(np.float32) for layer in LAYERS}
KICKS = (0, 6_400, 7_001, 20_480)
BEFORE, AFTER = Controls(), Controls(lowpass=2_000, wow=1, keys_mute=True, rain_mute=False, drums_level=12)
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
    duck_bass_db=0,
    keys_highpass=0,
    chorus=0,
    pan_depth=0,
    drive_db=-12,
    gain_db=0,
)
STILL = Controls(wow=0, lowpass=20_000)


def cut(stems: Mapping[str, Block], a: int, b: int) -> dict[str, Block]:
    return {layer: stem[a:b] for layer, stem in stems.items()}


def mixed(mixer: Mixer, stems: Mapping[str, Block], controls: Controls, kicks: Sequence[int] = ()) -> Block:
    """Mix stems of any length block by block, padded with silence."""
    frames = len(next(iter(stems.values())))
    padded = {layer: np.pad(stem, ((0, -frames % MIX_BLOCK), (0, 0))) for layer, stem in stems.items()}
    starts = range(0, frames, MIX_BLOCK)
    blocks = [
        mixer.process(
            cut(padded, at, at + MIX_BLOCK),
            controls,
            cues=Cues(kicks=[kick - at for kick in kicks if 0 <= kick - at < MIX_BLOCK]),
        )
        for at in starts
    ]
    return np.concatenate(blocks)[:frames]


def test_a_deep_copy_continues_identically() -> None:
    mixer = Mixer(Tone())
    mixed(mixer, STEMS, BEFORE, KICKS)
    copy = deepcopy(mixer)
    assert np.array_equal(mixed(mixer, STEMS, AFTER, KICKS), mixed(copy, STEMS, AFTER, KICKS))


def test_a_missing_layer_is_silent() -> None:
    silent = {layer: stem * np.float32(layer in ("keys", "vinyl")) for layer, stem in STEMS.items()}
    some = {layer: STEMS[layer] for layer in ("keys", "vinyl")}
    assert np.array_equal(mixed(Mixer(Tone()), silent, BEFORE), mixed(Mixer(Tone()), some, BEFORE))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("layer", LAYERS)
def test_nan_and_infinity_are_refused(layer: str, value: float) -> None:
    stems = {name: stem[:MIX_BLOCK].copy() for name, stem in STEMS.items()}
    stems[layer][100, 1] = value
    mixer = Mixer(Tone())
    with pytest.raises(AudioError, match="NaN or infinity"), np.errstate(invalid="ignore"):
        mixer.process(stems, Controls(rain_mute=False))


def test_a_muted_layer_stays_audible_until_its_fade_ends() -> None:
    mixer, audible = Mixer(Tone()), []
    assert mixer.is_audible("vinyl", BEFORE)
    assert not mixer.is_audible("rain", BEFORE)
    mixed(mixer, cut(STEMS, 0, MIX_BLOCK), BEFORE)
    muted = BEFORE.changed({"vinyl_mute": True})
    for _ in range(3):
        audible.append(mixer.is_audible("vinyl", muted))
        mixed(mixer, cut(STEMS, 0, MIX_BLOCK), muted)
    assert audible == [True, False, False]
    assert mixer.is_audible("vinyl", BEFORE)


def test_later_input_never_changes_earlier_output() -> None:
    louder = {layer: np.concatenate((stem[:20_000], stem[20_000:] * 9)) for layer, stem in STEMS.items()}
    one, other = (mixed(Mixer(Tone()), stems, BEFORE) for stems in (STEMS, louder))
    assert np.array_equal(one[:20_000], other[:20_000])


def test_an_impulse_is_delayed_by_the_latency() -> None:
    mixer = Mixer(CLEAN)
    stem = np.zeros((4_800, 2), np.float32)
    stem[1_000] = 0.5
    out = mixed(mixer, {"rain": stem}, Controls(wow=0, lowpass=20_000, rain_mute=False))
    assert np.abs(out[:, 0]).argmax() == 1_000 + mixer.latency


def test_neither_samples_nor_true_peaks_exceed_the_ceiling() -> None:
    out = mixed(Mixer(Tone(gain_db=24)), STEMS, AFTER)
    assert true_peak(out[2_000:] * np.hanning(FRAMES - 2_000)[:, None].astype(np.float32)) <= -1.0
    assert np.abs(out).max() <= 10 ** (-1 / 20)
    assert out.dtype == np.float32


def test_silence_remains_silent() -> None:
    silence = {layer: np.zeros((SAMPLE_RATE, 2), np.float32) for layer in LAYERS}
    out = mixed(Mixer(Tone()), silence, BEFORE)
    assert np.abs(out).max() < 1e-12


@pytest.mark.parametrize("layer", LAYERS)
def test_a_muted_layer_is_silent(layer: str) -> None:
    controls = BEFORE.changed({f"{name}_mute": name == layer for name in LAYERS})
    alone = mixed(Mixer(Tone()), {layer: STEMS[layer]}, controls)
    assert np.abs(alone).max() < 1e-12
    assert rms_db(mixed(Mixer(Tone()), {layer: STEMS[layer]}, controls.changed({f"{layer}_mute": False}))) > -40


@pytest.mark.parametrize("layer", LAYERS)
def test_levels_are_in_decibels(layer: str) -> None:
    stem = {layer: (STEMS[layer] * 0.01).astype(np.float32)}
    controls = Controls(rain_mute=False)
    levels = [
        rms_db(mixed(Mixer(CLEAN), stem, controls.changed({f"{layer}_level": level}))[3_000:]) for level in (0, -12, 6)
    ]
    assert levels[1] - levels[0] == pytest.approx(-12, abs=0.1)
    assert levels[2] - levels[0] == pytest.approx(6, abs=0.1)


def test_a_level_change_does_not_click() -> None:
    t = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    stem = (0.2 * np.sin(2 * np.pi * 200 * t))[:, None].repeat(2, axis=1).astype(np.float32)
    mixer = Mixer(CLEAN)
    parts = [
        mixer.process({"keys": stem[at : at + MIX_BLOCK]}, STILL.changed({"keys_mute": at // MIX_BLOCK // 3 % 2 == 1}))
        for at in range(0, len(stem) // MIX_BLOCK * MIX_BLOCK, MIX_BLOCK)
    ]
    bend = np.abs(np.diff(np.concatenate(parts)[MIX_BLOCK:].astype(np.float64), 2, axis=0)).max()
    assert bend < 2 * 0.2 * (2 * np.pi * 200 / SAMPLE_RATE) ** 2
    assert np.abs(parts[5]).max() < 0.01


@pytest.mark.parametrize(
    ("layer", "dip"), [("keys", 3.0), ("bass", 3.0), ("lead", 1.5), ("drums", 0.0), ("vinyl", 0.0)]
)
def test_a_kick_ducks_keys_and_bass_by_the_configured_depth_and_the_lead_by_half(layer: str, dip: float) -> None:
    t = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    stem = (0.01 * np.sin(2 * np.pi * 1_000 * t))[:, None].repeat(2, axis=1).astype(np.float32)
    mixer = Mixer(replace(CLEAN, duck_db=3.0))
    out = mixed(mixer, {layer: stem}, STILL, [24_000])[mixer.latency :]
    before = rms_db(out[12_000:23_040])
    assert rms_db(out[24_240:24_288]) - before == pytest.approx(-dip, abs=0.15)


@pytest.mark.parametrize("cue", ["bass_notes", "snares"])
@pytest.mark.parametrize(("layer", "dip"), [("keys", 5.0), ("bass", 0.0), ("lead", 0.0), ("drums", 0.0)])
def test_bass_notes_and_snares_duck_only_the_keys(layer: str, dip: float, cue: str) -> None:
    mixer = Mixer(replace(CLEAN, duck_bass_db=5.0, duck_snare_db=5.0))
    assert dip_after(Cues(**{cue: [0]}), layer, mixer) == pytest.approx(-dip, abs=0.3)


def test_a_snare_on_a_kick_ducks_the_keys_by_the_deeper_of_the_two() -> None:
    mixer = Mixer(replace(CLEAN, duck_db=3.0, duck_snare_db=5.0))
    assert dip_after(Cues(kicks=[0], snares=[0]), "keys", mixer) == pytest.approx(-5, abs=0.3)


def dip_after(cues: Cues, layer: str, mixer: Mixer) -> float:
    """Return the change of a tone's level in dB, 5 to 10 ms after the cues of one block."""
    t = np.arange(MIX_BLOCK * 10) / SAMPLE_RATE
    stem = (0.01 * np.sin(2 * np.pi * 400 * t))[:, None].repeat(2, axis=1).astype(np.float32)
    hit = 5 * MIX_BLOCK
    out = np.concatenate(
        [
            mixer.process({layer: stem[at : at + MIX_BLOCK]}, STILL, cues=cues if at == hit else Cues())
            for at in range(0, len(stem), MIX_BLOCK)
        ]
    )[mixer.latency :]
    return rms_db(out[hit + 240 : hit + 480]) - rms_db(out[hit - 480 : hit - 240])


def test_the_bell_filter_of_the_keys_leaves_bass_and_high_keys_unchanged() -> None:
    t = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    for layer, hertz, gain in (("keys", 350, -6.0), ("keys", 4_000, 0.0), ("bass", 350, 0.0)):
        stem = (0.01 * np.sin(2 * np.pi * hertz * t))[:, None].repeat(2, axis=1).astype(np.float32)
        plain, cut_out = (
            mixed(Mixer(replace(CLEAN, keys_middle_db=middle)), {layer: stem}, STILL)[24_000:] for middle in (0.0, -6.0)
        )
        assert rms_db(cut_out) - rms_db(plain) == pytest.approx(gain, abs=0.2)


def test_the_gain_of_the_keys_moves_only_the_keys_and_without_steps() -> None:
    t = np.arange(MIX_BLOCK * 10) / SAMPLE_RATE
    stem = (0.1 * np.sin(2 * np.pi * 200 * t))[:, None].repeat(2, axis=1).astype(np.float32)
    for layer, gain in (("keys", -6.0), ("drums", 0.0)):
        mixer = Mixer(CLEAN)
        out = np.concatenate(
            [
                mixer.process({layer: stem[at : at + MIX_BLOCK]}, STILL, move=MixState(keys=0.5 if at else 1.0))
                for at in range(0, len(stem), MIX_BLOCK)
            ]
        )[mixer.latency :]
        assert rms_db(out[-MIX_BLOCK * 3 :]) - rms_db(out[240:1_200]) == pytest.approx(gain, abs=0.4)
        bend = np.abs(np.diff(out[480:].astype(np.float64), 2, axis=0)).max()
        assert bend < 2 * 0.1 * (2 * np.pi * 200 / SAMPLE_RATE) ** 2


def test_the_master_low_pass_reduces_treble() -> None:
    dark, bright = (mixed(Mixer(Tone()), STEMS, BEFORE.changed({"lowpass": hertz})) for hertz in (1_000, 16_000))
    treble = [np.square(np.diff(out.astype(np.float64), axis=0)).mean() for out in (dark, bright)]
    assert treble[0] < treble[1] / 20


def test_the_arrangement_can_only_lower_the_cutoff_of_the_master_low_pass() -> None:
    stems = cut(STEMS, 0, MIX_BLOCK)
    outs = [
        Mixer(Tone()).process(stems, BEFORE.changed({"lowpass": hertz}), MixState(lowpass=moved))
        for hertz, moved in ((1_000, 16_000.0), (16_000, 1_000.0), (1_000, 1_000.0))
    ]
    assert np.array_equal(outs[0], outs[2])
    assert np.array_equal(outs[1], outs[2])


def test_a_typical_mix_has_the_intended_loudness(passage: RenderedPassage) -> None:
    out = mixed(Mixer(Tone()), passage.stems, Controls(), passage.kicks)
    assert integrated_loudness(out) == pytest.approx(-16, abs=0.7)
    assert true_peak(out) <= -1.0


def test_the_layers_are_balanced(passage: RenderedPassage) -> None:
    loudness = {
        layer: integrated_loudness(mixed(Mixer(Tone()), {layer: stem}, Controls(), passage.kicks))
        for layer, stem in passage.stems.items()
    }
    assert abs(loudness["keys"] - loudness["drums"]) < 4
    assert abs(loudness["keys"] - loudness["bass"]) < 4
    assert -35 < loudness["vinyl"] - loudness["keys"] < -20


@pytest.mark.parametrize(
    ("stems", "message"),
    [
        ({"kees": STEMS["keys"][:MIX_BLOCK]}, "unknown layer 'kees'. Did you mean 'keys'"),
        ({"keys": STEMS["keys"][: MIX_BLOCK - 1]}, rf"\({MIX_BLOCK - 1}, 2\), not \({MIX_BLOCK}, 2\)"),
        ({"keys": STEMS["keys"][:MIX_BLOCK].T}, rf"not \({MIX_BLOCK}, 2\)"),
    ],
)
def test_invalid_stems_are_refused(stems: dict[str, Block], message: str) -> None:
    with pytest.raises(AudioError, match=message):
        Mixer(Tone()).process(stems, BEFORE)
