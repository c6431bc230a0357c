"""The shipped soundfont, as FluidSynth plays it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest

from radio.audio.soundfont import presets
from radio.paths import SOUNDFONT
from tests.train.instruments.riff import SoundfontFile
from train.instruments.drum_analysis import noise_seed
from train.instruments.envelopes import attack_time
from train.instruments.fitting import PARAMETERS, read_parameters
from train.instruments.loudness import loudness, read_levels, velocity_gain
from train.instruments.note import render
from train.instruments.player import Player
from train.instruments.references import RATE

KEYS = (0, 4, 5)
PITCHED = (0, 1, 4, 5, 10, 11, 14, 16, 24, 28, 32, 33, 35, 38, 59, 73, 78, 88, 89, 94, 108)
STEADY = (0, 1, 4, 5, 10, 11, 24, 28, 32, 33, 38, 59, 73, 78)
"""Programs with one clear pitch, which neither vibrato nor detuned voices shift."""
KITS = (0, 8, 24, 25, 40)


@pytest.fixture(scope="module")
def file() -> SoundfontFile:
    return SoundfontFile(SOUNDFONT)


@pytest.fixture(scope="module")
def player() -> Iterator[Player]:
    with Player(SOUNDFONT) as opened:
        yield opened


def test_the_soundfont_has_the_programs_and_kits_and_is_small() -> None:
    assert set(presets(SOUNDFONT)) == {(0, program) for program in PITCHED} | {(128, kit) for kit in KITS}
    assert SOUNDFONT.stat().st_size < 20e6


def test_the_card_of_the_soundfont_names_every_reference() -> None:
    card = json.loads(SOUNDFONT.with_suffix(".json").read_text())
    assert card["bytes"] == SOUNDFONT.stat().st_size
    assert "Greg Sullivan" in card["parameters fitted to"]["wurlitzer-ep200"]
    assert "CC BY 3.0" in card["parameters fitted to"]["wurlitzer-ep200"]


@pytest.mark.parametrize("program", STEADY)
def test_notes_are_in_tune(player: Player, program: int) -> None:
    for note in (41, 48, 55) if program in (32, 33, 38) else (55, 60, 67, 74):
        vibrato_free = player.note(0, program, note, 90, seconds=1.2)[round(0.1 * RATE) : round(0.5 * RATE)]
        assert cents_off(vibrato_free, note) < 3, (program, note)


def cents_off(sound: np.ndarray, note: int) -> float:
    """Return the distance in cents of the partial nearest to the pitch, from the phase between two windows."""
    nominal = 440 * 2 ** ((note - 69) / 12)
    length = round(0.3 * RATE)
    step = round(0.08 * RATE)
    wave = np.exp(-2j * np.pi * nominal * np.arange(len(sound)) / RATE)
    window = np.blackman(length)
    first, second = ((sound * wave)[start : start + length] @ window for start in (0, step))
    drift = np.angle(second / first) / (2 * np.pi * step / RATE)
    return abs(1200 * np.log2(1 + drift / nominal))


def test_loops_have_no_audible_seam(file: SoundfontFile) -> None:
    looped = {id(zone.sample): zone.sample for kit in PITCHED for zone in file.zones(0, kit) if zone.looped}
    assert len(looped) > 300
    for sample in looped.values():
        first, last = sample.loop
        turn = sample.audio[first:last]
        seam = np.concatenate([turn[-64:], turn[:64]])
        jumps = np.abs(np.diff(seam, 2))
        usual = np.abs(np.diff(turn, 2))
        assert jumps[62:65].max() <= 1.2 * usual.max() + 3 / 32_767, sample.name


@pytest.mark.parametrize("program", KEYS)
def test_keys_get_brighter_the_harder_they_are_struck(file: SoundfontFile, player: Player, program: int) -> None:
    assert len({zone.velocities[1] for zone in file.zones(0, program) if 48 not in zone.generators}) >= 4
    for note in (48, 60):
        centers = [brightness(player.note(0, program, note, velocity)) for velocity in (20, 60, 92, 125)]
        assert centers == sorted(centers), (program, note, centers)
        assert centers[-1] > 1.15 * centers[0]


def brightness(note: np.ndarray) -> float:
    """Return the power-weighted mean frequency of a note's first 0.3 seconds in Hz."""
    spectrum = np.abs(np.fft.rfft(note[: round(0.3 * RATE)])) ** 2
    hertz = np.fft.rfftfreq(round(0.3 * RATE), 1 / RATE)
    spectrum[hertz > 10_000] = 0
    return float((hertz * spectrum).sum() / spectrum.sum())


@pytest.mark.parametrize(("pad", "name"), [(36, "kick"), (38, "snare"), (42, "hihat-closed")])
def test_the_strokes_of_the_acoustic_kit_are_those_of_the_fitted_hits(player: Player, pad: int, name: str) -> None:
    hits = {(hit.velocity, hit.take): hit.note for hit in read_parameters(PARAMETERS / f"{name}.json")}
    errors = []
    for velocity, fitted in ((16, 16), (50, 48), (80, 80), (112, 112)):
        attack = attack_time(player.note(128, 8, pad, velocity))
        wanted = [attack_time(render(hits[fitted, take], 0.6, seed=noise_seed(take))) for take in (0, 1)]
        errors.append(min(abs(attack / one - 1) for one in wanted))
    assert np.median(errors) < 0.15, errors


@pytest.mark.parametrize("kit", KITS)
def test_closed_hats_choke_the_open_one(player: Player, kit: int) -> None:
    late = slice(round(0.2 * RATE), round(0.4 * RATE))
    ringing = player.stereo(128, kit, [(0.0, 46, 100)], 0.7)[late]
    for choke in (42, 44):
        both = player.stereo(128, kit, [(0.0, 46, 100), (0.05, choke, 10)], 0.7)[late]
        assert np.abs(both).max() < 0.5 * np.abs(ringing).max(), choke


@pytest.mark.parametrize("kit", KITS)
def test_every_pad_of_a_kit_sounds_at_every_velocity(file: SoundfontFile, kit: int) -> None:
    zones = file.zones(128, kit)
    for pad in range(35, 60):
        spans = sorted({zone.velocities for zone in zones if zone.keys == (pad, pad)})
        covered = {velocity for low, high in spans for velocity in range(low, high + 1)}
        assert covered >= set(range(1, 128)), pad


@pytest.mark.parametrize("kit", KITS)
def test_neighboring_velocities_alternate_between_takes(file: SoundfontFile, kit: int) -> None:
    zones = [zone for zone in file.zones(128, kit) if zone.keys == (42, 42)]
    assert len({zone.sample.name for zone in zones}) >= 4
    assert len({zone.velocities for zone in zones}) > len({zone.sample.name for zone in zones})


@pytest.mark.parametrize("program", PITCHED)
def test_a_program_is_about_as_loud_as_that_of_fluidr3(player: Player, program: int) -> None:
    levels = read_levels()[0, program]
    notes = (36, 42, 48) if 32 <= program <= 39 else (54, 60, 66, 72)
    for velocity in (50, 110):
        shift = velocity_gain(velocity) - velocity_gain(90)
        differences = [
            loudness(player.stereo(0, program, [(0.0, note, velocity)], 1.6)) - levels[note] - shift for note in notes
        ]
        assert abs(np.mean(differences)) < 3, (velocity, differences)


def test_a_note_is_silent_after_its_release(player: Player) -> None:
    for program in PITCHED:
        note = player.note(0, program, 60, 100, held=0.5, seconds=6.0)
        assert np.abs(note[-RATE // 2 :]).max() < 2e-4, program
