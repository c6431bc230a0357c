from __future__ import annotations

import pytest

from radio.playback.messages import ControlsChanged, Level, StationChanged
from radio.settings.controls import LAYERS
from radio.terminal.sliders import slider_value
from radio.terminal.state import KEYS, SLIDERS, TerminalState
from radio.terminal.view import AMBER, GREEN, RED, draw
from tests.terminal.states import STATIONS, fresh, play_event, playing, track

WIDE = """\
  Chill                                                 chill  study  jazzcafe

  Slow Tape 2
  key of Eb · 78 BPM · bar 3 of 32 · B build
  earlier  Slow Tape 1

  ○ ● ○ ○  Ebmaj7    Fm7  Bb7  Ebmaj7  Cm7

  L ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━───────────────────╸───────   -6.0 dB
  R ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━─────────────────╸──────────   -8.0 dB

  ▸ 1 keys     · ━━━━━━━━━●──     0 dB      temperature  ━━━━━━●─────     1.00
    2 bass     · ━━━━━━━━━●──     0 dB      tempo        ━━━━━●──────   79 BPM
    3 drums    ● ━━━━━━━━━●──     0 dB      swing        ━━━━━●──────     57 %
    4 lead     · ━━━━━━━━━●──     0 dB      density      ━━━━━━●─────     0.50
    5 vinyl    · ━━━━━━━━━●──    muted      lowpass      ━━━━━━━━━●──   10 kHz
    6 rain     · ━━━━━━━━━●──    muted      wow          ━━━●────────     0.30
    7 ambience ● ━━━━━━━━━●──     0 dB
    volume       ━━━━━━━━━━━●    100 %

  tempo 79 BPM from bar 4
  ? keys   q quit   ↑↓ select   ←→ change   m mute   tab station
"""
NARROW = """\
  Chill         chill  study  jazzcafe
  Slow Tape 2
  key of Eb · 78 BPM · bar 3 of 32
  ○ ● ○ ○  Ebmaj7
  L ━━━━━━━━━━━━━━───────╸──   -6.0 dB
  R ━━━━━━━━━━━━━━──────╸───   -8.0 dB
  ▸ 1 keys     · ━━━━━━━━━●──     0 dB
    2 bass     · ━━━━━━━━━●──     0 dB
    3 drums    ● ━━━━━━━━━●──     0 dB
    4 lead     · ━━━━━━━━━●──     0 dB
    5 vinyl    · ━━━━━━━━━●──    muted
    6 rain     · ━━━━━━━━━●──    muted
    7 ambience ● ━━━━━━━━━●──     0 dB
    temperature  ━━━━━━●─────     1.00
  tempo 79 BPM from bar 4
  ? keys   q quit   ↑↓ select
"""


def changed(tracks: int = 2) -> TerminalState:
    state = playing(tracks)
    state.on_key("]")
    state.on_message(ControlsChanged({"tempo": 79.0}, state.first_bar + 3))
    state.on_key("v")
    return state


@pytest.mark.parametrize(("size", "picture"), [((80, 24), WIDE), ((40, 16), NARROW)])
def test_the_view_looks_as_pictured_at_two_sizes(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], picture: str
) -> None:
    # Controls added later bring sliders that the pictures need not show.
    levels = tuple(f"{layer}_level" for layer in LAYERS)
    sliders = (*levels, "temperature", "tempo", "swing", "density", "lowpass", "wow", "volume")
    assert set(sliders) <= set(SLIDERS)
    monkeypatch.setattr("radio.terminal.state.SLIDERS", sliders)
    monkeypatch.setattr("radio.terminal.sliders.SLIDERS", sliders)
    lines = [line.plain.rstrip() for line in draw(changed(), *size)]
    assert "\n".join(lines).rstrip() == picture.rstrip()


def test_the_view_fills_every_size_without_overflow() -> None:
    states = [fresh(), playing(), changed(12)]
    states[0].help = True
    for state in states:
        for width in (1, 2, 5, 12, 29, 30, 31, 40, 67, 71, 72, 80, 120, 300):
            for height in (1, 2, 3, 5, 8, 12, 17, 24, 25, 40, 100):
                lines = draw(state, width, height)
                assert len(lines) == height
                assert max(line.cell_len for line in lines) <= width
                assert not any("\n" in line.plain for line in lines)


def test_the_selected_slider_stays_visible() -> None:
    for width in (40, 80):
        for height in (6, 9, 14, 24):
            for cursor in range(len(SLIDERS)):
                state = changed()
                state.cursor = cursor
                name = SLIDERS[cursor].removesuffix("_level")
                marked = [line.plain for line in draw(state, width, height) if "▸" in line.plain]
                assert len(marked) == 1
                assert name in marked[0][marked[0].index("▸") : marked[0].index("▸") + 15]


def test_a_long_title_of_wide_characters_is_cut() -> None:
    state = changed()
    play_event(state, track(9, "夜の雨" * 40))
    lines = draw(state, 80, 24)
    assert max(line.cell_len for line in lines) <= 80


def test_the_help_lists_every_key() -> None:
    state = playing()
    state.on_key("?")
    shown = "\n".join(line.plain for line in draw(state, 80, 24))
    for _, action in KEYS:
        assert action in shown


def test_a_tall_terminal_lists_the_history_with_times() -> None:
    shown = "\n".join(line.plain for line in draw(changed(5), 120, 40))
    for number in (4, 3, 2, 1):
        assert f"Slow Tape {number}" in shown
    assert "min ago" in shown


def test_the_history_names_the_station_of_tracks_from_another_one() -> None:
    state = changed()
    state.on_message(StationChanged(STATIONS[1]))
    play_event(state, track(9, "Elsewhere"))
    lines = [line.plain.strip() for line in draw(state, 120, 40)]
    assert "earlier  Slow Tape 2  Chill, 0 min ago" in lines


def test_meters_are_colored_by_level_and_report_clipping() -> None:
    state = changed()
    state.advance(0.1, state.playhead, Level((1.0, 1.0), (1.0, 1.0)))
    left, right = (line for line in draw(state, 80, 24) if line.plain.strip().startswith(("L ", "R ")))
    assert left.plain.endswith("CLIP")
    assert right.plain.endswith("CLIP")
    # Cells up to -12 dBFS, up to -3 dBFS and up to full scale; 64 cells show 48 dB.
    runs = [(span.end - span.start, span.style) for span in left.spans if left.plain[span.start] == "━"]
    assert runs == [(48, GREEN), (12, AMBER), (3, RED)]


@pytest.mark.parametrize(
    ("hertz", "text"), [(500.0, "500 Hz"), (999.0, "999 Hz"), (1_000.0, "1 kHz"), (8_400.0, "8.4 kHz")]
)
def test_the_lowpass_is_shown_in_hertz_or_kilohertz(hertz: float, text: str) -> None:
    state = fresh()
    state.controls = state.controls.changed({"lowpass": hertz})
    assert slider_value(state, "lowpass") == text


@pytest.mark.parametrize(("level", "text"), [(0.0, "0 dB"), (0.5, "+0.5 dB"), (3.0, "+3 dB"), (-0.5, "-0.5 dB")])
def test_a_level_is_shown_with_its_sign(level: float, text: str) -> None:
    state = fresh()
    state.controls = state.controls.changed({"keys_level": level})
    assert slider_value(state, "keys_level") == text


def test_words_are_shown_while_they_are_typed() -> None:
    state = playing()
    for key in ("p", "r", "a", "i", "n"):
        state.on_key(key)
    assert any("Describe the music: rain" in line.plain for line in draw(state, 80, 24))
