"""The layers of a station's sound: the instruments that play notes, and the textures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from radio.audio.synth import Program, Synth
from radio.compose.feel import LOOKAHEAD
from radio.types import GRID, Block, Frames

PLAYED_LAYERS: Final = ("keys", "bass", "drums", "lead")
"""The layers that play notes."""


def change_programs(synth: Synth, programs: Mapping[str, int], bar_line: Frames) -> None:
    """Let layers play with other programs in the bar that begins at `bar_line`.

    The programs change a moment before the bar line, since human timing may strike the first notes early.
    """
    frame = max(0, bar_line - LOOKAHEAD) // GRID * GRID
    for layer, program in programs.items():
        synth.change_program(layer, Program(program), frame)


class Texture(Protocol):
    """A layer of endless sound without notes: vinyl crackle, rain, loops from files."""

    def render(self, frames: Frames) -> Block:
        """Return the next frames."""

    def skip(self, frames: Frames) -> None:
        """Move on by `frames` without rendering, while the layer is inaudible."""
