from __future__ import annotations

from dataclasses import replace

import pytest

from radio.paths import STATIONS
from radio.prompt import targets
from radio.prompt.changes import steps, understand, with_changes
from radio.prompt.concepts import CONCEPTS, Choice, Degree
from radio.prompt.text import lines_of
from radio.settings.config import load
from radio.settings.controls import CONTROLS
from radio.settings.station import StationSettings


@pytest.fixture(autouse=True)
def without_the_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radio.prompt.encoder.is_installed", lambda: False)


CHILL = load(STATIONS).stations["chill"]
SLEEP = load(STATIONS).stations["sleep"]


def changes(prompt: str, settings: StationSettings = CHILL) -> dict[str, object]:
    return dict(understand(prompt, settings, settings.controls).changes)


def test_the_first_example_of_the_documentation_is_understood() -> None:
    values = changes("Rainy night in a small café, slow, a bit sad, no drums")
    assert values.items() >= {"rain_mute": False, "mood": "sad", "tempo": 66.0, "drums_mute": True}.items()
    assert float(str(values["lowpass"])) < CHILL.controls.lowpass


def test_comparisons_refer_to_the_current_values() -> None:
    fast = CHILL.controls.changed({"tempo": 100, "rain_level": 3})
    understanding = understand("slower, more rain", CHILL, fast)
    assert understanding.changes == {"tempo": 92.0, "rain_mute": False, "rain_level": 8.0}


def test_values_stay_in_their_ranges_and_the_answer_says_so() -> None:
    assert changes("140 bpm")["tempo"] == 70
    assert changes("115 bpm")["tempo"] == 110
    (phrase,) = understand("20 bpm or so, 45 bpm", CHILL, CHILL.controls).phrases[-1:]
    assert phrase.changes["tempo"] == 50
    assert "from 50 to 110" in phrase.notes[0]
    slowest = CHILL.controls.changed({"tempo": 50})
    (phrase,) = understand("slower", CHILL, slowest).phrases
    assert not phrase.understood


def test_a_request_that_a_station_cannot_play_is_not_understood() -> None:
    assert [phrase.text for phrase in understand("busy drums, rain", SLEEP, SLEEP.controls).not_understood] == [
        "busy drums"
    ]
    assert understand("no drums", SLEEP, SLEEP.controls).not_understood == ()


def test_a_brighter_sound_needs_an_audible_cutoff() -> None:
    assert [phrase.text for phrase in understand("brighter", CHILL, CHILL.controls).not_understood] == ["brighter"]
    dull = CHILL.controls.changed({"lowpass": 4_000})
    assert understand("brighter", CHILL, dull).changes == {"lowpass": 6_400}


def test_a_request_that_is_already_met_is_understood_and_changes_nothing() -> None:
    understanding = understand("no rain", CHILL, CHILL.controls)
    assert understanding.changes == {}
    assert understanding.not_understood == ()


def test_instruments_are_chosen_or_avoided() -> None:
    assert changes("felt piano, upright bass, brushes, kalimba") == {
        "keys_instrument": "felt piano",
        "bass_instrument": "upright bass",
        "drum_kit": "brushes",
        "lead_instrument": "kalimba",
    }
    assert changes("808") == {"drum_kit": "analog"}
    assert changes("no rhodes") == {"keys_mute": True}
    assert changes("no vibraphone") == {"lead_instrument": "muted guitar"}
    assert changes("no organ") == {}


def test_a_tempo_in_numbers_applies_to_all_tracks() -> None:
    assert changes("72 bpm") == {"tempo": 72.0, "tempo_variety": 0.0}


def test_the_style_is_set_only_at_the_start_of_a_station() -> None:
    begun = with_changes(CHILL, understand("jazz", CHILL, CHILL.controls))
    assert begun.style == "jazz"
    live = understand("jazz, slow", CHILL, CHILL.controls, live=True)
    assert live.settings == {}
    assert live.changes["tempo"] == 66
    assert "fixed while it plays" in " ".join(live.phrases[0].notes)


def test_words_that_contradict_others_are_reported() -> None:
    assert [phrase.text for phrase in understand("happy, sad", CHILL, CHILL.controls).not_understood] == ["sad"]
    assert understand("slow, 66 bpm", CHILL, CHILL.controls).not_understood == ()
    assert understand("fast, 66 bpm", CHILL, CHILL.controls).not_understood[0].text == "fast"


def test_a_control_that_does_not_exist_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radio.prompt.changes.NUMBERS", {**targets.NUMBERS, "tempo": "pulse"})
    understanding = understand("slow", CHILL, CHILL.controls)
    assert understanding.changes == {}
    assert understanding.not_understood[0].notes == ("the radio has no control for the tempo",)


def test_every_aspect_of_a_concept_has_a_target() -> None:
    for concept in CONCEPTS.values():
        if isinstance(concept, Degree):
            assert concept.aspect in targets.NUMBERS
        if isinstance(concept, Choice):
            assert concept.aspect in {**targets.CHOICES, **targets.SETTINGS}


def test_numbers_move_in_even_steps_and_all_else_changes_immediately() -> None:
    understanding = understand("slow, dull, no drums", CHILL, CHILL.controls)
    first, *rest = steps(understanding, CHILL.controls, 4)
    assert first["drums_mute"] is True
    assert all("drums_mute" not in patch for patch in rest)
    assert [patch["tempo"] for patch in (first, *rest)] == [75, 72, 69, 66]
    cutoffs = [float(patch["lowpass"]) for patch in (first, *rest)]
    ratios = [later / earlier for earlier, later in zip([CHILL.controls.lowpass, *cutoffs], cutoffs, strict=False)]
    assert max(ratios) - min(ratios) < 0.001
    assert cutoffs[-1] == understanding.changes["lowpass"]


def test_sounds_silenced_by_only_have_no_note_about_sounds_the_radio_lacks() -> None:
    understanding = understand("only rain", CHILL, CHILL.controls)
    assert "stream" not in " ".join(note for phrase in understanding.phrases for note in phrase.notes)
    assert understanding.changes["keys_mute"] is True


def test_all_changes_are_allowed_values() -> None:
    for prompt in ("everything much louder, very bright, extremely fast", "very very quiet", "only rain, 110 bpm"):
        understanding = understand(prompt, CHILL, CHILL.controls)
        assert CHILL.controls.changed(understanding.changes).as_json().keys() == CONTROLS.keys()
        begun = with_changes(CHILL, understanding)
        controls = CHILL.controls.changed(understanding.changes)
        assert begun == replace(CHILL, controls=controls, prime_leaves=begun.prime_leaves)


def test_lines_for_a_terminal_name_each_phrase() -> None:
    lines = lines_of(understand("slow, saxophone, no rain", CHILL, CHILL.controls))
    assert lines[:3] == [
        "slow       tempo=66",
        "saxophone  not understood: the radio has no such instrument",
        "no rain    rain_mute=true",
    ]
    assert lines_of(understand("雨, slow", CHILL, CHILL.controls)) == ["雨    rain_mute=false", "slow  tempo=66"]


def test_an_explicit_request_is_not_left_to_a_file() -> None:
    def leaves(prompt: str, settings: StationSettings = CHILL) -> tuple[str, ...]:
        return with_changes(settings, understand(prompt, settings, settings.controls)).prime_leaves

    assert leaves("72 bpm, in D, rain") == ("tempo", "key")
    assert leaves(f"{CHILL.controls.tempo:g} bpm") == ("tempo",), "even though it is the tempo already"
    assert leaves("slower") == ("tempo",)
    assert leaves("sparse keys") == ("density",)
    assert leaves("music to sleep") == (), "a scene only suggests a tempo"
    assert leaves("rain", replace(CHILL, prime_leaves=("key",))) == ("key",)
