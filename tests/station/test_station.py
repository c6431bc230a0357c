from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import mido
import numpy as np
import pytest

from radio.compose.feel import LOOKAHEAD
from radio.errors import ControlError, ModelError
from radio.model.weights import checkpoint
from radio.music import midi
from radio.paths import STATIONS
from radio.settings.config import load
from radio.settings.station import StationSettings
from radio.station.extent import TimedExcerpt
from radio.station.factory import open_station
from radio.station.midi_export import write_midi
from radio.station.score import compose
from radio.types import GRID, MIX_BLOCK, SAMPLE_RATE, SKIP, TICKS_PER_BAR, StationEvent
from tests.model.models import checkpoint as random_model

BAR = round(4 * 60 / 80 * SAMPLE_RATE)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> StationSettings:
    """The shipped station `chill` with small, fast models with random weights, and with keys that snares duck."""
    folder = tmp_path_factory.mktemp("models")
    for part in ("piano", "drums"):
        checkpoint.write(folder / f"{part}.safetensors", random_model(part))
    chill = load(STATIONS).stations["chill"]
    controls = chill.controls.changed({"tempo": 80, "temperature": 1.0, "rain_mute": True})
    return replace(
        chill,
        piano=folder / "piano.safetensors",
        drums=folder / "drums.safetensors",
        controls=controls,
        tone=replace(chill.tone, duck_snare_db=8),
        tempo_spread=0,
    )


def play(settings: StationSettings, blocks: list[int], seed: int = 3) -> tuple[np.ndarray, list[StationEvent]]:
    station = open_station(settings, seed=seed)
    try:
        audio = np.concatenate([station.render(frames) for frames in blocks])
        return audio, station.events()
    finally:
        station.close()


@pytest.fixture(scope="module")
def undisturbed(settings: StationSettings) -> tuple[np.ndarray, list[StationEvent]]:
    """The audio and the events of a bit more than four bars from seed 3."""
    return play(settings, [4 * BAR + 100])


def test_samples_do_not_depend_on_block_sizes(
    settings: StationSettings, undisturbed: tuple[np.ndarray, list[StationEvent]]
) -> None:
    whole, events = undisturbed
    uneven = [1, 63, 64, 65, 4800, 960, 7, 20_000, 0, 33]
    split, split_events = play(settings, [*uneven, 2 * BAR - sum(uneven)])
    np.testing.assert_array_equal(whole[: 2 * BAR], split)
    assert [event for event in events if event.frame < 2 * BAR] == split_events


@pytest.mark.slow
def test_tracks_play_with_the_programs_that_their_events_name(settings: StationSettings) -> None:
    several = replace(settings, keys_program=(4, 0, 5), lead_programs=(11, 73))
    station = open_station(several, seed=3)
    parts = [station.render(BAR)]
    landing = station.act(SKIP)
    parts += [station.render(frames) for frames in (100, 3 * BAR, 4_000, BAR)]
    events = station.events()
    station.close()
    tracks = [event for event in events if event.kind == "track"]
    assert [track.frame for track in tracks] == [0, landing.frame]
    first, second = (track.data["instruments"] for track in tracks)
    assert first != second
    for bar in (event for event in events if event.kind == "bar"):
        assert bar.data["instruments"] == (second if bar.frame >= landing.frame else first)
    # With only the programs of the first track, the sound is the same until the second one begins.
    plain = replace(settings, keys_program=first["keys"], lead_programs=several.lead_programs)
    station = open_station(plain, seed=3)
    alone = [station.render(BAR)]
    station.act(SKIP)
    alone.append(station.render(sum(map(len, parts[1:]))))
    station.close()
    one, other = np.concatenate(parts), np.concatenate(alone)
    np.testing.assert_array_equal(one[: landing.frame - LOOKAHEAD], other[: landing.frame - LOOKAHEAD])
    assert np.abs(one[landing.frame :] - other[landing.frame :]).max() > 0.01


def test_the_audio_depends_on_the_seed(
    settings: StationSettings, undisturbed: tuple[np.ndarray, list[StationEvent]]
) -> None:
    one = undisturbed[0][:BAR]
    again, _ = play(settings, [BAR], seed=3)
    other, _ = play(settings, [BAR], seed=4)
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0.01


def test_the_audio_is_finite_below_full_scale_and_never_silent(
    undisturbed: tuple[np.ndarray, list[StationEvent]],
) -> None:
    audio, _ = undisturbed
    assert audio.dtype == np.float32
    assert audio.shape == (4 * BAR + 100, 2)
    assert np.isfinite(audio).all()
    assert np.abs(audio).max() <= 0.892
    seconds = audio[: len(audio) // SAMPLE_RATE * SAMPLE_RATE].reshape(-1, SAMPLE_RATE, 2)
    assert (np.sqrt(np.mean(seconds**2, axis=(1, 2))) > 1e-3).all()


def test_events_have_exact_frames_in_order(undisturbed: tuple[np.ndarray, list[StationEvent]]) -> None:
    _, events = undisturbed
    bars = [event for event in events if event.kind == "bar"]
    assert [event.frame for event in bars] == [0, BAR, 2 * BAR, 3 * BAR, 4 * BAR]
    assert [event.data["number"] for event in bars] == [0, 1, 2, 3, 4]
    assert events[0].kind == "track"
    assert [event.frame for event in events] == sorted(event.frame for event in events)
    assert {event.data["layer"] for event in events if event.kind == "note"} == {"keys", "bass", "drums"}


def test_a_note_sounds_at_the_frame_of_its_event(settings: StationSettings) -> None:
    """With only drums, the audio is silent before the first note event and sounds a few milliseconds after it."""
    muted = settings.controls.changed({"keys_mute": True, "bass_mute": True, "vinyl_mute": True, "wow": 0})
    audio, events = play(replace(settings, controls=muted), [2 * BAR])
    first = min(event.frame for event in events if event.kind == "note" and event.data["layer"] == "drums")
    level = np.abs(audio).max(axis=1)
    assert level[: max(0, first - 64)].max(initial=0) < 1e-4
    assert level[first : first + 960].max() > 1e-3


def test_music_controls_take_effect_at_the_announced_bar_line(settings: StationSettings) -> None:
    station = open_station(settings, seed=3)
    station.render(BAR // 2)
    landing = station.control({"tempo": 60, "temperature": 0.5})
    assert landing["tempo"] == landing["temperature"]
    assert landing["tempo"].frame == BAR * landing["tempo"].bar
    assert landing["tempo"].frame > station.position
    station.render(4 * BAR)
    bars = {event.data["number"]: event.frame for event in station.events() if event.kind == "bar"}
    station.close()
    first = landing["tempo"].bar
    assert bars[first] - bars[first - 1] == BAR
    assert bars[first + 1] - bars[first] == 4 * SAMPLE_RATE


def test_a_value_moves_in_steps_at_bar_lines_until_it_is_changed_by_hand(settings: StationSettings) -> None:
    def played(*sizes: int) -> tuple[np.ndarray, list[StationEvent]]:
        station = open_station(settings, seed=5)
        audio = [station.render(BAR // 2)]
        first = {"tempo": 76, "lowpass": 9_000, "drums_level": -1}
        station.control(first, [{"tempo": 72, "lowpass": 8_000}, {"tempo": 70, "drums_level": -2}])
        station.control({"lowpass": 12_000})
        audio += [station.render(frames) for frames in sizes]
        events = station.events()
        station.close()
        return np.concatenate(audio), events

    audio, events = played(4 * BAR + 7_000)
    bars = [event for event in events if event.kind == "bar"]
    assert [bar.data["tempo"] for bar in bars[:4]] == [80, 76, 72, 70]
    steps = [(event.frame, event.data) for event in events if event.kind == "control"]
    assert (bars[2].frame, {"tempo": 72}) in steps
    assert [data["drums_level"] for _, data in steps if "drums_level" in data] == [-1, -2]
    assert [data["lowpass"] for _, data in steps if "lowpass" in data] == [9_000, 12_000]
    again, same = played(1_000, 63, BAR, 2 * BAR, 4 * BAR + 7_000 - 3 * BAR - 1_063)
    assert same == events
    np.testing.assert_array_equal(audio, again)


def test_instruments_change_at_the_next_bar(settings: StationSettings) -> None:
    station = open_station(settings, seed=5)
    station.render(BAR // 2)
    landing = station.control({"keys_instrument": "felt piano", "drum_kit": "brushes"})["keys_instrument"]
    station.render(3 * BAR)
    station.control({"keys_instrument": "any", "drum_kit": "any"})
    station.render(2 * BAR)
    bars = [event for event in station.events() if event.kind == "bar"]
    station.close()
    own = (settings.keys_programs[0], settings.drum_kit)
    chosen = [(bar.data["instruments"]["keys"], bar.data["instruments"]["drums"]) for bar in bars]
    assert chosen[: landing.bar] == [own] * landing.bar
    assert chosen[landing.bar] == (1, 40)
    assert chosen[-1] == own


def test_a_control_changes_the_music_only_from_the_announced_bar(
    settings: StationSettings, undisturbed: tuple[np.ndarray, list[StationEvent]]
) -> None:
    station = open_station(settings, seed=3)
    station.render(BAR + 1000)
    frame = station.control({"temperature": 0.3})["temperature"].frame
    station.render(3 * BAR - 900)
    results = [[event for event in events if event.kind == "note"] for events in (undisturbed[1], station.events())]
    station.close()
    early = frame - LOOKAHEAD  # a hat may sound slightly before its bar line
    plain, changed = ([event for event in events if event.frame < early] for events in results)
    assert plain == changed
    assert results[0] != results[1]


@pytest.mark.slow
def test_bars_composed_early_are_the_same_and_are_composed_again_after_a_control_change(
    settings: StationSettings,
) -> None:
    stations = [open_station(settings, seed=3) for _ in range(2)]
    results = []
    for station in stations:
        early = station is stations[1]
        blocks = []
        for patch in ({}, {"temperature": 0.3}, {"density": 1.0, "tempo": 90}):
            if early:
                station.prepare()
            landings = station.control(patch)
            assert all(landing.frame == station.next_bar_line for landing in landings.values())
            if early:
                station.prepare()
            blocks.append(station.render(BAR))
        results.append((np.concatenate(blocks), station.events()))
        station.close()
    np.testing.assert_array_equal(results[0][0], results[1][0])
    assert results[0][1] == results[1][1]


def test_a_skip_takes_effect_at_the_announced_bar_line(settings: StationSettings) -> None:
    station = open_station(settings, seed=3)
    station.render(BAR // 2)
    station.events()
    landing = station.act(SKIP)
    assert station.act(SKIP) == landing
    station.render(landing.frame + BAR - station.position)
    events = station.events()
    station.close()
    tracks = [event for event in events if event.kind == "track"]
    assert [(track.frame, track.data["number"]) for track in tracks] == [(landing.frame, 1)]
    opened = [event.data["number"] for event in events if event.kind == "bar" and event.frame == landing.frame]
    assert opened == [landing.bar]


def test_mix_controls_take_effect_immediately(
    settings: StationSettings, undisturbed: tuple[np.ndarray, list[StationEvent]]
) -> None:
    station = open_station(settings, seed=3)
    before = station.render(BAR)
    everything = {f"{layer}_mute": True for layer in ("keys", "bass", "drums", "vinyl", "rain", "ambience")}
    landings = station.control(everything)
    (frame,) = {landing.frame for landing in landings.values()}
    assert 0 <= frame - station.position < MIX_BLOCK + station._sound.latency
    whole = np.concatenate([before, station.render(BAR)])
    station.close()
    plain, _ = undisturbed
    early = frame - GRID  # the tape's delay may be shorter by this much
    np.testing.assert_array_equal(whole[:early], plain[:early])
    assert np.abs(whole[:BAR]).max() > 0.01
    assert np.abs(whole[frame + 2 * SAMPLE_RATE :]).max() < 1e-4


def test_an_invalid_control_changes_nothing(settings: StationSettings) -> None:
    station = open_station(settings, seed=3)
    controls = station.controls
    for patch in ({"temperature": 0.5, "tempo": 500}, {"temprature": 1}, {"keys_mute": 1}, {"top_k": 1.5}):
        with pytest.raises(ControlError):
            station.control(patch)
    assert station.controls == controls
    with pytest.raises(ControlError, match="Did you mean 'temperature'"):
        station.control({"temprature": 1})
    station.close()


def test_a_model_for_another_part_is_refused(settings: StationSettings) -> None:
    with pytest.raises(ModelError, match="this is a drums model; use a piano model"):
        open_station(replace(settings, piano=settings.drums))


def midi_of(settings: StationSettings, path: Path, *, seed: int, minutes: float = 1) -> bytes:
    shares: list[float] = []
    write_midi(compose(settings, seed, TimedExcerpt(60 * minutes), on_progress=shares.append), path)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    return path.read_bytes()


def test_midi_depends_only_on_the_seed(settings: StationSettings, tmp_path: Path) -> None:
    one = midi_of(settings, tmp_path / "a.mid", seed=7, minutes=0.3)
    assert midi_of(settings, tmp_path / "b.mid", seed=7, minutes=0.3) == one
    assert midi_of(settings, tmp_path / "c.mid", seed=8, minutes=0.3) != one


def test_midi_has_the_requested_length_and_no_hanging_notes(settings: StationSettings, tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    midi_of(settings, path, seed=7, minutes=1.3)
    assert mido.MidiFile(path).length == pytest.approx(1.3 * 60, abs=0.05)
    sounding: dict[tuple[int, int], int] = {}
    for track in mido.MidiFile(path).tracks:
        for message in track:
            if message.type == "note_on" and message.velocity:
                key = (message.channel, message.note)
                assert key not in sounding
                sounding[key] = 1
            elif message.type in ("note_on", "note_off"):
                del sounding[message.channel, message.note]
    assert not sounding
    notes = midi.read(path).notes
    assert {note.track for note in notes} == {"keys", "bass", "drums", "lead"}
    for bar in range(int(1.3 * 80 / 4)):
        tracks = {note.track for note in notes if note.start // TICKS_PER_BAR == bar}
        assert tracks or bar >= 20
