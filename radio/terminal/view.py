"""The terminal view as lines of text, for any terminal size. Pure: a function of the state and the size."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from radio.terminal.meters import FLOOR, Meter
from radio.terminal.sliders import ACCENT, slider_rows, slider_value
from radio.terminal.state import KEYS, TerminalState
from radio.types import BEATS_PER_BAR, SAMPLE_RATE

_MAX_WIDTH: Final = 92
_MARGIN: Final = 2
_MIN_SLIDERS: Final = 4
"""Number of sliders that stay visible while other parts can be dropped."""
_OPTIONAL: Final = 7
"""Parts of this rank or higher are dropped before any slider."""

GREEN, AMBER, RED = "#6f9f72", "#d0a24a", "#c9524a"
_SECTIONS: Final = {"A": "sparse", "B": "build", "C": "full", "D": "breakdown"}
_FOOTER: Final = (
    ("?", "keys"), ("q", "quit"), ("↑↓", "select"), ("←→", "change"), ("m", "mute"), ("tab", "station"),
    ("space", "silence"), ("-+", "volume"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Part:
    """Lines that belong together. If space is short, parts of higher `rank` are dropped first; 0 is never dropped."""

    lines: list[Text]
    rank: int


def draw(state: TerminalState, width: int, height: int) -> list[Text]:
    """Return the screen: `height` lines of at most `width` cells each."""
    inner = min(width - 2 * _MARGIN, _MAX_WIDTH) if width > 30 else width
    inner = max(inner, 1)
    left = (width - inner) // 2
    gap = _OPTIONAL + 1
    if state.help:
        rows, cursor = _help(), 0
        parts = [
            _Part([_header(state, inner)], 1),
            _Part([Text()], gap),
            _Part(rows, 0),
            _Part([Text()], gap),
            _Part([_footer(inner)], 6),
        ]
    else:
        rows, cursor = slider_rows(state, inner)
        parts = [
            _Part([_header(state, inner)], 1),
            _Part([Text()], gap),
            _Part([_title(state)], 0),
            _Part([_details(state, inner)], 3),
            _Part([Text()], gap),
            _Part([_beat(state, inner)], 2),
            _Part([Text()], gap),
            _Part([_meter(name, meter, inner) for name, meter in zip("LR", state.meters, strict=True)], 5),
            _Part([Text()], gap),
            _Part(rows, 1),
            _Part([Text()], gap),
            _Part([_notice(state)], 4),
            _Part([_footer(inner)], 6),
        ]
        parts.insert(4, _Part(_history(state, height - sum(len(part.lines) for part in parts)), _OPTIONAL))
    lines = _fit(parts, height, rows, cursor)
    above = max(0, (height - len(lines)) // 3)
    lines = [Text() for _ in range(above)] + lines
    lines += [Text() for _ in range(height - len(lines))]
    return [_placed(line, left, inner) for line in lines]


def _fit(parts: list[_Part], height: int, rows: list[Text], cursor: int) -> list[Text]:
    """Return the lines that fit. Drop optional parts first, then rows far from the cursor, then parts by rank.

    Args:
        parts: The parts from top to bottom.
        height: Number of lines of the screen.
        rows: The lines of one of the parts, which may be dropped individually.
        cursor: Index of the row that must stay visible.
    """
    excess = sum(len(part.lines) for part in parts) - height
    remaining = dict(enumerate(parts))
    for index, part in sorted(remaining.items(), key=lambda item: -item[1].rank):
        droppable_rows = 0 if part.rank >= _OPTIONAL else max(0, len(rows) - _MIN_SLIDERS)
        if excess > droppable_rows and part.lines is not rows and part.rank > 0:
            del remaining[index]
            excess -= len(part.lines)
    visible = max(1, len(rows) - max(0, excess))
    first = min(max(0, cursor - visible // 2), len(rows) - visible)
    rows[:] = rows[first : first + visible]
    return [line for part in remaining.values() for line in part.lines][:height]


def _placed(line: Text, left: int, width: int) -> Text:
    """Return a line cut to `width` cells and indented by `left` cells."""
    line.truncate(width, overflow="ellipsis")
    placed = Text(" " * left if line.plain else "", no_wrap=True, end="")
    return placed.append_text(line)


def _header(state: TerminalState, width: int) -> Text:
    """Return the first line: the current station, the one that is loading, and the names of all stations."""
    playing = state.track is not None
    line = Text().append(state.settings.title, f"bold {ACCENT}" if playing else "bold")
    if state.loading is not None:
        is_current = state.loading.name == state.settings.name
        line.append("  loading …" if is_current else f"  loading {state.loading.title} …", "italic")
    elif state.silent or state.volume == 0:
        line.append("  silent", AMBER)
    names = Text()
    for station in state.stations:
        names.append("  " if names.plain else "")
        names.append(station.name, ACCENT if station.name == state.settings.name else "dim")
    gap = width - line.cell_len - names.cell_len
    return line.append(" " * gap).append_text(names) if gap > 1 and len(state.stations) > 1 else line


def _title(state: TerminalState) -> Text:
    if state.track is None:
        return Text(state.settings.description or "…", "dim italic")
    return Text(str(state.track.data["title"]), "bold")


def _details(state: TerminalState, width: int) -> Text:
    """Return key, tempo, bar and section, or as many of them as fit."""
    if state.track is None:
        return Text()
    data = state.track.data
    words = [f"key of {data['key']}", f"{_number((state.bar or state.track).data['tempo'])} BPM"]
    if state.bar is not None:
        section = str(state.bar.data["section"])
        place, bars = int(str(state.bar.data["number"])) - state.first_bar + 1, int(str(data["bars"]))
        words.append(f"bar {place} of {bars}" if place <= bars else f"bar {place}")  # a held track gets longer
        words.append(f"{section} {_SECTIONS.get(section, '')}".rstrip())
    while len(words) > 1 and cell_len(" · ".join(words)) > width:
        words.pop()
    return Text(" · ".join(words), "dim")


def _history(state: TerminalState, room: int) -> list[Text]:
    """Return the earlier tracks, one per line if there is space, otherwise on one line."""
    if not state.history:
        return []
    if room < 5:
        return [Text("earlier  " + " · ".join(track.title for track in state.history), "dim")]
    lines = [Text()]
    for track in list(state.history)[: min(room - 2, 8)]:
        minutes = (state.playhead - track.frame) // (60 * SAMPLE_RATE)
        line = Text("earlier  " if len(lines) == 1 else " " * 9, "dim").append(track.title)
        line.append(f"  {track.station}, " if track.station != state.settings.title else "  ")
        lines.append(line.append(f"{minutes} min ago"))
    return lines


def _beat(state: TerminalState, width: int) -> Text:
    """Return the current beat, its chord, and the chord loop."""
    if state.bar is None or state.track is None:
        return Text("○ ○ ○ ○", "dim")
    tempo = float(str(state.bar.data["tempo"]))
    beat = int((state.playhead - state.bar_start) * tempo / 60 / SAMPLE_RATE) if tempo else 0
    line = Text()
    for index in range(BEATS_PER_BAR):
        line.append("● " if index == min(beat, BEATS_PER_BAR - 1) else "○ ", ACCENT if index == beat else "dim")
    chord = str(state.bar.data["chord"])
    chords, current = state.bar.data.get("chords"), state.bar.data.get("place")
    line.append(f" {set_cell_size(chord, max(7, cell_len(chord)))} ", "bold")
    loop = Text()
    if isinstance(chords, list) and chords:
        for index, name in enumerate(chords):
            loop.append("  ").append(str(name), ACCENT if index == current else "dim")
    return line.append_text(loop) if line.cell_len + loop.cell_len <= width else line


def _meter(name: str, meter: Meter, width: int) -> Text:
    """Return a meter: RMS as a bar, the held peak as a tick and a number, in dBFS."""
    cells = max(4, width - 12)
    filled = round((meter.level - FLOOR) / -FLOOR * cells)
    tick = min(cells - 1, round((meter.peak - FLOOR) / -FLOOR * cells))
    line = Text().append(f"{name} ", "dim")

    def style(cell: int) -> tuple[str, str]:
        level = FLOOR - FLOOR * (cell + 1) / cells
        color = RED if level > -3 else AMBER if level > -12 else GREEN
        if cell == tick and meter.peak > FLOOR:
            return "╸", color
        return ("━", color) if cell < filled else ("─", "dim")

    for (glyph, color), run in groupby(map(style, range(cells))):
        line.append(glyph * len(list(run)), color)
    if meter.clipped:
        return line.append(f"{'CLIP':>10}", f"bold {RED}")
    peak = f"{meter.peak:.1f} dB" if meter.peak > FLOOR else "–   "
    return line.append(f"{peak:>10}", "dim")


def _notice(state: TerminalState) -> Text:
    if state.words is not None:
        return Text("Describe the music: ", "dim").append(state.words, ACCENT).append("▏")
    if state.notice:
        return Text(state.notice, AMBER)
    if not state.pending:
        return Text()
    name, bar = list(state.pending.items())[-1]
    value = slider_value(state, name)
    start = "the next bar" if bar is None or state.bar is None else f"bar {bar - state.first_bar + 1}"
    return Text(f"{name} {value} from {start}", "italic")


def _footer(width: int) -> Text:
    line = Text()
    for key, action in _FOOTER:
        if line.cell_len + len(key) + len(action) + 4 > width:
            break
        line.append("   " if line.plain else "").append(key, ACCENT).append(f" {action}", "dim")
    return line


def _help() -> list[Text]:
    lines = []
    for keys, action in KEYS:
        symbols = keys.replace("up down", "↑ ↓").replace("left right", "← →")
        lines.append(Text().append(f"{symbols:>11}", ACCENT).append(f"  {action}"))
    return lines


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)
