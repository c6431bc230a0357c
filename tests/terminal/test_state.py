from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from radio.playback.player import Said, Tuned, Turned
from radio.settings.controls import CONTROLS, LAYERS
from radio.terminal.state import KNOBS, Desk, Quit, Redraw, Tune, Turn, Volume
from tests.terminal.states import STATIONS, bar, fresh, heard, playing, track

KEYS = ["up", "down", "left", "right", "m", "enter", *"12345vrtT[]-+=_q?Q", "space", "tab", "back-tab", "escape"]


def pressed(desk: Desk, *keys: str) -> list[object]:
    return [wish for wish in map(desk.press, keys) if wish is not None]


def test_every_row_turns_its_own_control_by_a_step_each_way() -> None:
    for knob in KNOBS:
        desk = playing()
        desk.cursor = KNOBS.index(knob)
        before = desk.controls
        if knob == "volume":
            assert pressed(desk, "left") == [Volume(0.95**3)]
            assert pressed(desk, "right", "right") == [Volume(1.0)] * 2
            continue
        (wish,) = pressed(desk, "left")
        assert isinstance(wish, Turn)
        assert list(wish.patch) == [knob]
        assert getattr(desk.controls, knob) < getattr(before, knob)
        (wish,) = pressed(desk, "right")
        assert wish == Turn({knob: getattr(before, knob)})
        assert desk.controls == before


def test_keys_of_their_own() -> None:
    desk = playing()
    for place, layer in enumerate(LAYERS):
        muted = getattr(desk.controls, f"{layer}_mute")
        assert pressed(desk, str(place + 1)) == [Turn({f"{layer}_mute": not muted})]
    assert pressed(desk, "v", "r") == [Turn({"vinyl_mute": False}), Turn({"rain_mute": True})]
    assert pressed(desk, "down", "m") == [Turn({"bass_mute": False})]
    assert pressed(desk, "]", "[", "[") == [Turn({"tempo": 79.0}), Turn({"tempo": 78.0}), Turn({"tempo": 77.0})]
    assert pressed(desk, "T", "t") == [Turn({"temperature": 1.05}), Turn({"temperature": 1.0})]
    assert pressed(desk, "space", "space") == [Volume(0.0), Volume(1.0)]
    assert pressed(desk, "q") == [Quit()]
    assert pressed(desk, "redraw") == [Redraw()]
    assert pressed(desk, "x", "é", "F", "0", "9", "h", "j") == []


def test_a_control_stops_at_the_end_of_its_range_and_then_asks_for_nothing() -> None:
    for knob in KNOBS[:-1]:
        desk = playing()
        desk.cursor = KNOBS.index(knob)
        for key, end in (("right", CONTROLS[knob].high), ("left", CONTROLS[knob].low)):
            for _ in range(200):
                desk.press(key)
            assert getattr(desk.controls, knob) == end
            assert desk.press(key) is None


@given(st.lists(st.sampled_from(KEYS), max_size=60))
def test_no_keys_ask_for_what_a_station_would_refuse(keys: list[str]) -> None:
    desk = playing()
    for key in keys:
        match desk.press(key):
            case Turn(patch):
                for name, value in patch.items():
                    assert CONTROLS[name].check(value) == getattr(desk.controls, name)
            case Volume(gain):
                assert 0 <= gain <= 1


def test_nothing_is_turned_before_anything_plays() -> None:
    desk = fresh()
    assert pressed(desk, "1", "]", "right", "m") == []
    assert desk.controls == STATIONS[0].controls


def test_a_turned_tempo_waits_for_its_bar() -> None:
    desk = playing()
    desk.press("]")
    assert desk.pending == {"tempo": None}
    desk.told(Turned({"tempo": 79.0}, 4))
    heard(desk, bar(3))
    assert desk.pending == {"tempo": 4}
    heard(desk, bar(4))
    assert desk.pending == {}
    desk.press("1")
    assert desk.pending == {}


def test_tracks_that_were_heard_are_remembered_the_latest_first() -> None:
    desk = playing(tracks=3)
    assert [past.title for past in desk.before] == ["Slow Tape 2", "Slow Tape 1"]
    assert desk.first_bar == 64
    for number in range(3, 200):
        heard(desk, track(number, f"Slow Tape {number + 1}"))
    assert desk.before[0].title == "Slow Tape 199"
    assert len(desk.before) == 12


def test_stations_go_round_and_the_one_that_plays_goes_on_until_the_other_is_there() -> None:
    desk = playing()
    one, two, three = STATIONS
    assert pressed(desk, "tab") == [Tune(two)]
    assert (desk.settings, desk.wanted) == (one, two)
    assert pressed(desk, "tab") == [Tune(three)]
    assert pressed(desk, "tab") == [Tune(None)]
    assert desk.wanted is None
    assert pressed(desk, "back-tab") == [Tune(three)]
    desk.press("]")
    desk.told(Tuned(three))
    assert (desk.settings, desk.wanted, desk.track, desk.pending) == (three, None, None, {})
    assert desk.controls == three.controls
    assert desk.before[0].title == "Slow Tape 1"
    assert desk.before[0].station == one.title


def test_a_station_that_cannot_be_opened_leaves_all_as_it_was() -> None:
    desk = playing()
    desk.press("tab")
    desk.told(Said("Study cannot be played: there is no soundfont"))
    assert desk.wanted is None
    assert desk.settings == STATIONS[0]
    assert desk.note.startswith("Study cannot")
    desk.move(10, desk.heard, None)
    assert desk.note == ""


def test_a_single_station_is_said_to_be_one() -> None:
    desk = fresh(STATIONS[:1])
    assert pressed(desk, "tab") == []
    assert desk.note == "There is only one station."
