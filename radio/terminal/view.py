"""The terminal view as lines of text, for any terminal size. Pure: a function of the state and the size."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from radio.settings.controls import CONTROLS, LAYERS
from radio.terminal.meters import FLOOR, Meter
from radio.terminal.state import KEYS, SLIDERS, TerminalState
from radio.types import BEATS_PER_BAR, SAMPLE_RATE

_WIDEST: Final = 92
_TWO_COLUMNS: Final = 68
_MARGIN: Final = 2
_ROWS: Final = 4
"""Rows that stay in sight while there is another part to leave out."""
_AIR: Final = 7
"""The rank from which parts are left out before any row is."""

ACCENT: Final = "#c8874a"
_GREEN, _AMBER, _RED = "#6f9f72", "#d0a24a", "#c9524a"
_QUIET_LEVEL: Final = -42.0
"""The left end of a layer's slider: what lies below is as good as silent."""
_SECTIONS: Final = {"A": "sparse", "B": "build", "C": "full", "D": "breakdown"}
_FOOT: Final = (
    ("?", "keys"), ("q", "quit"), ("↑↓", "choose"), ("←→", "turn"), ("m", "mute"), ("tab", "station"),
    ("space", "silence"), ("-+", "volume"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Part:
    """Lines that stay together; the part with the largest `rank` goes first where there is no room."""

    lines: list[Text]
    rank: int


def draw(state: TerminalState, width: int, height: int) -> list[Text]:
    """The screen: `height` lines of at most `width` cells each."""
    inner = min(width - 2 * _MARGIN, _WIDEST) if width > 30 else width
    inner = max(inner, 1)
    left = (width - inner) // 2
    air = _AIR + 1
    if state.help:
        rows, at = _help(), 0
        parts = [
            _Part([_header(state, inner)], 1),
            _Part([Text()], air),
            _Part(rows, 0),
            _Part([Text()], air),
            _Part([_foot(inner)], 6),
        ]
    else:
        rows, at = _rows(state, inner)
        parts = [
            _Part([_header(state, inner)], 1),
            _Part([Text()], air),
            _Part([_title(state)], 0),
            _Part([_about(state, inner)], 3),
            _Part([Text()], air),
            _Part([_beat(state, inner)], 2),
            _Part([Text()], air),
            _Part([_meter(name, meter, inner) for name, meter in zip("LR", state.meters, strict=True)], 5),
            _Part([Text()], air),
            _Part(rows, 1),
            _Part([Text()], air),
            _Part([_note(state)], 4),
            _Part([_foot(inner)], 6),
        ]
        parts.insert(4, _Part(_before(state, height - sum(len(part.lines) for part in parts)), _AIR))
    lines = _fit(parts, height, rows, at)
    above = max(0, (height - len(lines)) // 3)
    lines = [Text() for _ in range(above)] + lines
    lines += [Text() for _ in range(height - len(lines))]
    return [_placed(line, left, inner) for line in lines]


def _fit(parts: list[_Part], height: int, rows: list[Text], at: int) -> list[Text]:
    """Leave out what there is no room for: air first, then rows far from the cursor, then parts by their rank.

    Args:
        parts: From top to bottom.
        height: How many lines there are.
        rows: The lines of one of the parts; some of them may be left out, about the one numbered `at`.
        at: 0 to the number of rows - 1.
    """
    excess = sum(len(part.lines) for part in parts) - height
    kept = dict(enumerate(parts))
    for place, part in sorted(kept.items(), key=lambda each: -each[1].rank):
        spare = 0 if part.rank >= _AIR else max(0, len(rows) - _ROWS)
        if excess > spare and part.lines is not rows and part.rank > 0:
            del kept[place]
            excess -= len(part.lines)
    stay = max(1, len(rows) - max(0, excess))
    first = min(max(0, at - stay // 2), len(rows) - stay)
    rows[:] = rows[first : first + stay]
    return [line for part in kept.values() for line in part.lines][:height]


def _placed(line: Text, left: int, width: int) -> Text:
    """A line of at most `width` cells, `left` cells from the edge."""
    line.truncate(width, overflow="ellipsis")
    placed = Text(" " * left if line.plain else "", no_wrap=True, end="")
    return placed.append_text(line)


def _header(state: TerminalState, width: int) -> Text:
    """The stations, the one that plays first and bright, the one that is being loaded marked."""
    playing = state.track is not None
    line = Text().append(state.settings.title, f"bold {ACCENT}" if playing else "bold")
    if state.loading is not None:
        what = "tuning in …" if state.loading.name == state.settings.name else f"tuning in {state.loading.title} …"
        line.append(f"  {what}", "italic")
    elif state.silent or state.volume == 0:
        line.append("  silent", _AMBER)
    others = Text()
    for each in state.stations:
        others.append("  " if others.plain else "")
        others.append(each.name, ACCENT if each.name == state.settings.name else "dim")
    gap = width - line.cell_len - others.cell_len
    return line.append(" " * gap).append_text(others) if gap > 1 and len(state.stations) > 1 else line


def _title(state: TerminalState) -> Text:
    if state.track is None:
        return Text(state.settings.description or "…", "dim italic")
    return Text(str(state.track.data["title"]), "bold")


def _about(state: TerminalState, width: int) -> Text:
    """Key, tempo, and where in the track we are: as much of it as there is room for."""
    if state.track is None:
        return Text()
    data = state.track.data
    words = [f"key of {data['key']}", f"{_number((state.bar or state.track).data['tempo'])} BPM"]
    if state.bar is not None:
        section = str(state.bar.data["section"])
        words.append(f"bar {int(str(state.bar.data['number'])) - state.first_bar + 1} of {data['bars']}")
        words.append(f"{section} {_SECTIONS.get(section, '')}".rstrip())
    while len(words) > 1 and cell_len(" · ".join(words)) > width:
        words.pop()
    return Text(" · ".join(words), "dim")


def _before(state: TerminalState, room: int) -> list[Text]:
    """What was heard before: a line, or where there is room for more, a list."""
    if not state.history:
        return []
    if room < 5:
        return [Text("before  " + " · ".join(past.title for past in state.history), "dim")]
    lines = [Text()]
    for past in list(state.history)[: min(room - 2, 8)]:
        minutes = (state.playhead - past.frame) // (60 * SAMPLE_RATE)
        line = Text("before  " if len(lines) == 1 else "        ", "dim").append(past.title)
        line.append(f"  {past.station}, " if past.station != state.settings.title else "  ")
        lines.append(line.append(f"{minutes} min ago"))
    return lines


def _beat(state: TerminalState, width: int) -> Text:
    """The beat that sounds, its chord, and the loop that the chord stands in."""
    if state.bar is None or state.track is None:
        return Text("○ ○ ○ ○", "dim")
    tempo = float(str(state.bar.data["tempo"]))
    beat = int((state.playhead - state.bar_began) * tempo / 60 / SAMPLE_RATE) if tempo else 0
    line = Text()
    for each in range(BEATS_PER_BAR):
        line.append("● " if each == min(beat, BEATS_PER_BAR - 1) else "○ ", ACCENT if each == beat else "dim")
    chord = str(state.bar.data["chord"])
    chords, now = state.bar.data.get("chords"), state.bar.data.get("place")
    line.append(f" {set_cell_size(chord, max(7, cell_len(chord)))} ", "bold")
    loop = Text()
    if isinstance(chords, list) and chords:
        for place, name in enumerate(chords):
            loop.append("  ").append(str(name), ACCENT if place == now else "dim")
    return line.append_text(loop) if line.cell_len + loop.cell_len <= width else line


def _meter(name: str, meter: Meter, width: int) -> Text:
    """RMS as a bar, the held peak as a tick and a number, dBFS."""
    cells = max(4, width - 12)
    lit = round((meter.level - FLOOR) / -FLOOR * cells)
    tick = min(cells - 1, round((meter.peak - FLOOR) / -FLOOR * cells))
    line = Text().append(f"{name} ", "dim")

    def style(cell: int) -> tuple[str, str]:
        at = FLOOR - FLOOR * (cell + 1) / cells
        colour = _RED if at > -3 else _AMBER if at > -12 else _GREEN
        if cell == tick and meter.peak > FLOOR:
            return "╸", colour
        return ("━", colour) if cell < lit else ("─", "dim")

    for (glyph, colour), run in groupby(map(style, range(cells))):
        line.append(glyph * len(list(run)), colour)
    if meter.clipped:
        return line.append(f"{'CLIP':>10}", f"bold {_RED}")
    peak = f"{meter.peak:.1f} dB" if meter.peak > FLOOR else "–   "
    return line.append(f"{peak:>10}", "dim")


def _rows(state: TerminalState, width: int) -> tuple[list[Text], int]:
    """The knobs, in two columns where they fit, and the line that the cursor is on."""
    knobs = [_knob(state, place) for place in range(len(SLIDERS))]
    if width < _TWO_COLUMNS:
        return [knob(width) for knob in knobs], state.cursor
    column = (width - 4) // 2
    split = len(LAYERS)
    left = [*(knob(column) for knob in knobs[:split]), knobs[-1](column)]
    right = [knob(column) for knob in knobs[split:-1]]
    lines = [Text.assemble(a, " " * (column + 4 - a.cell_len), b) for a, b in zip(left, right, strict=True)]
    on_left = state.cursor < split
    return lines, state.cursor if on_left else len(lines) - 1 if state.cursor == len(
        SLIDERS
    ) - 1 else state.cursor - split


def _knob(state: TerminalState, place: int) -> Callable[[int], Text]:
    """A row: mark, name, slider, value; drawn as wide as asked for."""
    name = SLIDERS[place]
    chosen = place == state.cursor
    layer = name.removesuffix("_level") if name.endswith("_level") else None
    label, share, value = _reading(state, name)
    off = value == "muted" or (name == "volume" and state.silent)

    def drawn(width: int) -> Text:
        line = Text().append("▸ " if chosen else "  ", ACCENT)
        if layer is None:
            line.append(f"{label:11} ", "bold" if chosen else "")
        else:
            line.append(f"{place + 1} ", "dim").append(f"{label:8}", "bold" if chosen else "dim" if off else "")
            line.append(*_lamp(state, layer, off=off)).append(" ")
        cells = max(3, width - line.cell_len - 9)
        at = round(share * (cells - 1))
        bright = "dim" if off else ACCENT if chosen else ""
        line.append("━" * at, bright).append("●", bright).append("─" * (cells - 1 - at), "dim")
        return line.append(f"{value:>9}", "dim" if off else ACCENT if name in state.pending else "")

    return drawn


def _reading(state: TerminalState, knob: str) -> tuple[str, float, str]:
    """A knob's name, where it stands from 0 to 1, and its value in words."""
    if knob == "volume":
        return "volume", state.volume / 100, "silent" if state.silent else f"{state.volume} %"
    value, control = float(getattr(state.controls, knob)), CONTROLS[knob]
    if knob.endswith("_level"):
        layer = knob.removesuffix("_level")
        share = max(0.0, (value - _QUIET_LEVEL) / (control.high - _QUIET_LEVEL))
        return (
            layer,
            share,
            "muted" if getattr(state.controls, f"{layer}_mute") else f"{value:+g} dB".replace("+0", "0"),
        )
    if knob == "lowpass":
        share = math.log(value / control.low) / math.log(control.high / control.low)
        return knob, share, f"{value / 1000:g} kHz" if value >= 1000 else f"{value:g} Hz"
    share = (value - control.low) / (control.high - control.low)
    words = f"{value:g} {control.unit}" if control.unit else f"{value:.2f}"
    return knob, share, words


def _lamp(state: TerminalState, layer: str, *, off: bool) -> tuple[str, str]:
    """Lit while the layer sounds: by its notes, or always for what is not played."""
    if off:
        return "·", "dim"
    light = state.lamps[layer].light
    if layer in {"vinyl", "rain"}:
        light = 0.5 if state.track is not None else 0.0
    return ("●", ACCENT) if light > 0.6 else ("●", "dim") if light > 0.25 else ("·", "dim")


def _note(state: TerminalState) -> Text:
    if state.notice:
        return Text(state.notice, _AMBER)
    waiting = [(name, bar) for name, bar in state.pending.items()]
    if not waiting:
        return Text()
    name, bar = waiting[-1]
    words = _reading(state, name)[2]
    when = "the next bar" if bar is None or state.bar is None else f"bar {bar - state.first_bar + 1}"
    return Text(f"{name} {words} from {when}", "italic")


def _foot(width: int) -> Text:
    line = Text()
    for key, word in _FOOT:
        if line.cell_len + len(key) + len(word) + 4 > width:
            break
        line.append("   " if line.plain else "").append(key, ACCENT).append(f" {word}", "dim")
    return line


def _help() -> list[Text]:
    lines = []
    for keys, words in KEYS:
        shown = keys.replace("up down", "↑ ↓").replace("left right", "← →")
        lines.append(Text().append(f"{shown:>11}", ACCENT).append(f"  {words}"))
    return lines


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)
