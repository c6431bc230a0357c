"""The sliders of the terminal view: one for each level of a layer, each number of music and mix, and the volume."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import zip_longest
from typing import Final

from rich.text import Text

from radio.settings.controls import CONTROLS, LAYERS
from radio.terminal.state import SLIDERS, TerminalState

ACCENT: Final = "#c8874a"
"""Color of selected, playing and pending items."""
_TWO_COLUMNS: Final = 68
"""Minimum width, in cells, for two columns of sliders."""
_MIN_SLIDER_LEVEL: Final = -42.0
"""dB at the left end of a layer's slider; lower levels are practically inaudible."""


def slider_rows(state: TerminalState, width: int) -> tuple[list[Text], int]:
    """Return the lines of the sliders, in two columns if they fit, and the index of the line with the cursor."""
    sliders = [_slider(state, index) for index in range(len(SLIDERS))]
    if width < _TWO_COLUMNS:
        return [slider(width) for slider in sliders], state.cursor
    column = (width - 4) // 2
    split, last = len(LAYERS), len(SLIDERS) - 1  # the volume, the last slider, goes below the layers
    left = [slider(column) for slider in (*sliders[:split], sliders[last])]
    right = [slider(column) for slider in sliders[split:last]]
    pairs = zip_longest(left, right, fillvalue=Text())
    lines = [Text.assemble(a, " " * (column + 4 - a.cell_len), b) for a, b in pairs]
    if state.cursor == last:
        return lines, split
    return lines, state.cursor if state.cursor < split else state.cursor - split


def slider_value(state: TerminalState, name: str) -> str:
    """Return a slider's value as text."""
    if name == "volume":
        return "silent" if state.silent else f"{state.volume} %"
    value, unit = float(getattr(state.controls, name)), CONTROLS[name].unit
    if name.endswith("_level"):
        is_muted = getattr(state.controls, f"{name.removesuffix('_level')}_mute")
        return "muted" if is_muted else f"{value:+g} dB" if value else "0 dB"
    if unit == "Hz":
        return f"{value / 1000:g} kHz" if value >= 1000 else f"{value:g} Hz"
    return f"{value:g} {unit}" if unit else f"{value:.2f}"


def _position(state: TerminalState, name: str) -> float:
    """Return the position of a slider's handle, 0–1."""
    if name == "volume":
        return state.volume / 100
    value, control = float(getattr(state.controls, name)), CONTROLS[name]
    if name.endswith("_level"):
        return max(0.0, (value - _MIN_SLIDER_LEVEL) / (control.high - _MIN_SLIDER_LEVEL))
    if control.is_logarithmic:
        return math.log(value / control.low) / math.log(control.high / control.low)
    return (value - control.low) / (control.high - control.low)


def _slider(state: TerminalState, index: int) -> Callable[[int], Text]:
    """Return a function that draws a slider at a given width: cursor, name, bar and value."""
    name = SLIDERS[index]
    is_selected = index == state.cursor
    position, value = _position(state, name), slider_value(state, name)
    is_off = value == "muted" or (name == "volume" and state.silent)

    def draw_slider(width: int) -> Text:
        line = Text().append("▸ " if is_selected else "  ", ACCENT)
        if name.endswith("_level"):
            layer = name.removesuffix("_level")
            line.append(f"{index + 1} ", "dim").append(f"{layer:9}", "bold" if is_selected else "dim" if is_off else "")
            line.append(*_lamp(state, layer, is_off=is_off)).append(" ")
        else:
            line.append(f"{name:12} ", "bold" if is_selected else "")
        cells = max(3, width - line.cell_len - 9)
        handle = round(position * (cells - 1))
        style = "dim" if is_off else ACCENT if is_selected else ""
        line.append("━" * handle, style).append("●", style).append("─" * (cells - 1 - handle), "dim")
        return line.append(f"{value:>9}", "dim" if is_off else ACCENT if name in state.pending else "")

    return draw_slider


def _lamp(state: TerminalState, layer: str, *, is_off: bool) -> tuple[str, str]:
    """Return a layer's lamp and its style. It follows the notes; the lamps of textures, which have none, stay lit."""
    if is_off:
        return "·", "dim"
    brightness = state.lamps[layer].brightness
    if layer in {"vinyl", "rain", "ambience"}:
        brightness = 0.5 if state.track is not None else 0.0
    return ("●", ACCENT) if brightness > 0.6 else ("●", "dim") if brightness > 0.25 else ("·", "dim")
