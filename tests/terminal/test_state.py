from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from radio.playback.messages import ActionDone, ControlsChanged, Notice, StationChanged, StationFailed
from radio.settings.controls import CONTROLS, LAYERS
from radio.terminal.state import SLIDERS, Act, ChangeControls, ChangeStation, Quit, Redraw, SetVolume, TerminalState
from radio.types import Action, StationEvent
from tests.terminal.states import STATIONS, bar, fresh, play_event, playing, track

KEYS = ["up", "down", "left", "right", "m", "enter", *"12345vrtT[]-+=_q?Q", "space", "tab", "back-tab", "escape"]


def pressed(state: TerminalState, *keys: str) -> list[object]:
    return [command for command in map(state.on_key, keys) if command is not None]


def test_each_slider_changes_its_control_by_a_step() -> None:
    for name in SLIDERS:
        state = playing()
        state.cursor = SLIDERS.index(name)
        before = state.controls
        if name == "volume":
            assert pressed(state, "left") == [SetVolume(0.95**3)]
            assert pressed(state, "right", "right") == [SetVolume(1.0)] * 2
            continue
        value = getattr(before, name)
        forth, back = ("left", "right") if value > CONTROLS[name].low else ("right", "left")
        (command,) = pressed(state, forth)
        assert isinstance(command, ChangeControls)
        assert list(command.patch) == [name]
        assert (getattr(state.controls, name) < value) == (forth == "left")
        assert getattr(state.controls, name) != value
        (command,) = pressed(state, back)
        assert command == ChangeControls({name: getattr(before, name)})
        assert state.controls == before


def test_shortcut_keys() -> None:
    state = playing()
    for index, layer in enumerate(LAYERS):
        muted = getattr(state.controls, f"{layer}_mute")
        assert pressed(state, str(index + 1)) == [ChangeControls({f"{layer}_mute": not muted})]
    assert pressed(state, "v", "r", "a") == [
        ChangeControls({"vinyl_mute": False}),
        ChangeControls({"rain_mute": True}),
        ChangeControls({"ambience_mute": False}),
    ]
    assert pressed(state, "down", "m") == [ChangeControls({"bass_mute": False})]
    assert pressed(state, "]", "[", "[") == [
        ChangeControls({"tempo": 79.0}),
        ChangeControls({"tempo": 78.0}),
        ChangeControls({"tempo": 77.0}),
    ]
    assert pressed(state, "T", "t") == [ChangeControls({"temperature": 1.05}), ChangeControls({"temperature": 1.0})]
    assert pressed(state, "space", "space") == [SetVolume(0.0), SetVolume(1.0)]
    assert pressed(state, "q") == [Quit()]
    assert pressed(state, "redraw") == [Redraw()]
    assert pressed(state, "x", "é", "F", "0", "9", "g", "j") == []


def test_a_slider_stops_at_the_end_of_its_range() -> None:
    for name in SLIDERS[:-1]:
        state = playing()
        state.cursor = SLIDERS.index(name)
        for key, end in (("right", CONTROLS[name].high), ("left", CONTROLS[name].low)):
            for _ in range(200):
                state.on_key(key)
            assert getattr(state.controls, name) == end
            assert state.on_key(key) is None


@given(st.lists(st.sampled_from(KEYS), max_size=60))
def test_commands_contain_only_valid_values(keys: list[str]) -> None:
    state = playing()
    for key in keys:
        match state.on_key(key):
            case ChangeControls(patch):
                for name, value in patch.items():
                    assert CONTROLS[name].check(value) == getattr(state.controls, name)
            case SetVolume(gain):
                assert 0 <= gain <= 1


def test_controls_do_not_change_before_a_station_plays() -> None:
    state = fresh()
    assert pressed(state, "1", "]", "right", "m") == []
    assert state.controls == STATIONS[0].controls


def test_a_changed_tempo_is_pending_until_its_bar() -> None:
    state = playing()
    state.on_key("]")
    assert state.pending == {"tempo": None}
    state.on_message(ControlsChanged({"tempo": 79.0}, 4))
    play_event(state, bar(3))
    assert state.pending == {"tempo": 4}
    play_event(state, bar(4))
    assert state.pending == {}
    state.on_key("1")
    assert state.pending == {}


def test_the_history_lists_the_latest_track_first() -> None:
    state = playing(tracks=3)
    assert [played.title for played in state.history] == ["Slow Tape 2", "Slow Tape 1"]
    assert state.first_bar == 64
    for number in range(3, 200):
        play_event(state, track(number, f"Slow Tape {number + 1}"))
    assert state.history[0].title == "Slow Tape 199"
    assert len(state.history) == 12


def test_tab_cycles_through_stations_and_the_current_one_plays_until_the_next_loads() -> None:
    state = playing()
    one, two, three = STATIONS
    assert pressed(state, "tab") == [ChangeStation(two)]
    assert (state.settings, state.loading) == (one, two)
    assert pressed(state, "tab") == [ChangeStation(three)]
    assert pressed(state, "tab") == [ChangeStation(None)]
    assert state.loading is None
    assert pressed(state, "back-tab") == [ChangeStation(three)]
    state.on_key("]")
    state.on_message(StationChanged(three))
    assert (state.settings, state.loading, state.track, state.pending) == (three, None, None, {})
    assert state.controls == three.controls
    assert state.history[0].title == "Slow Tape 1"
    assert state.history[0].station == one.title


def test_a_station_that_cannot_be_opened_leaves_the_current_one() -> None:
    state = playing()
    state.on_key("tab")
    state.on_message(StationFailed(STATIONS[2], "there is no soundfont"))  # one that was chosen before
    assert state.loading == STATIONS[1]
    state.on_message(Notice("The sound card is back."))
    assert state.loading == STATIONS[1]
    state.on_message(StationFailed(STATIONS[1], "there is no soundfont"))
    assert state.loading is None
    assert state.settings == STATIONS[0]
    assert state.notice.startswith("Study cannot")
    state.advance(10, state.playhead, None)
    assert state.notice == ""


def test_a_single_station_shows_a_notice_on_tab() -> None:
    state = fresh(STATIONS[:1])
    assert pressed(state, "tab") == []
    assert state.notice == "There is only one station."


def test_a_control_of_the_mix_is_not_pending_once_it_has_changed() -> None:
    state = playing()
    state.on_key("]")
    state.on_message(ControlsChanged({"tempo": 79.0}, None))
    assert state.pending == {}


def test_a_volume_key_unmutes() -> None:
    state = playing()
    assert pressed(state, "-", "space", "+") == [SetVolume(0.95**3), SetVolume(0.0), SetVolume(1.0)]


def test_sounding_notes_light_the_lamp_of_their_layer() -> None:
    state = playing()
    assert state.lamps["drums"].brightness > 0.8
    assert state.lamps["bass"].brightness == 0
    play_event(state, StationEvent(state.playhead, "note", {"layer": "bass", "note": 36, "velocity": 0}))
    assert state.lamps["bass"].brightness == 0


def test_keys_act_on_the_track_that_is_heard_and_a_held_loop_is_announced() -> None:
    state = playing()
    assert pressed(state, "n", "s", "L") == [Act(Action("skip")), Act(Action("next")), Act(Action("reset"))]
    (like,) = pressed(state, "l")
    assert isinstance(like, Act)
    assert like.action.kind == "like"
    assert pressed(state, "h") == [Act(Action("hold"))]
    state.on_message(ActionDone(Action("hold"), 8))
    assert state.notice == "This loop is held, from bar 9."


def typed(state: TerminalState, words: str) -> list[object]:
    return pressed(state, "p", *("space" if letter == " " else letter for letter in words), "enter")


def test_words_change_the_music_over_four_bars() -> None:
    state = playing()
    tempo = state.controls.tempo
    (first,) = typed(state, "slow, no drums")
    assert isinstance(first, ChangeControls)
    assert first.patch["drums_mute"] is True
    assert "tempo 66" in state.notice
    assert state.words is None
    assert state.due() is None, "the bar has not begun"
    tempos = [first.patch["tempo"]]
    for number in range(3, 8):
        play_event(state, bar(number))
        step = state.due()
        tempos += [step.patch["tempo"]] if isinstance(step, ChangeControls) else []
        assert state.due() is None
    assert len(tempos) == 4
    assert tempos == sorted(tempos, reverse=True)
    assert (tempo > tempos[0], tempos[-1]) == (True, 66)


def test_typed_keys_are_words_and_not_commands() -> None:
    state = playing()
    assert pressed(state, "p", "q", "n", "x", "backspace", "space", "tab", "up") == []
    assert state.words == "qn "
    assert pressed(state, "redraw") == [Redraw()]
    assert pressed(state, "escape") == []
    assert state.words is None
    assert typed(state, "") == []
    assert typed(state, "gibberish") == []
    assert "not understood: 'gibberish'" in state.notice
    assert pressed(state, "q") == [Quit()]


def test_moving_a_slider_ends_its_gradual_change_by_words() -> None:
    state = playing()
    typed(state, "slow")
    pressed(state, "]")
    chosen = state.controls.tempo
    for number in range(3, 8):
        play_event(state, bar(number))
        state.due()
    assert state.controls.tempo == chosen
