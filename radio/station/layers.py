"""The layers of a station's sound: instruments, which play notes, and textures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from radio.audio.ambience.mix import Ambience
from radio.audio.synth import Program, Synth
from radio.compose.feel import LOOKAHEAD
from radio.settings.controls import Controls
from radio.types import GRID, Block, Frames


def change_programs(synth: Synth, programs: Mapping[str, int], bar_line: Frames) -> None:
    """Change the programs of layers for the bar that begins at `bar_line`.

    The programs change slightly before the bar line, because human timing may strike the first notes early.
    """
    frame = max(0, bar_line - LOOKAHEAD) // GRID * GRID
    for layer, program in programs.items():
        synth.change_program(layer, Program(program, drums=layer == "drums"), frame)


class Texture(Protocol):
    """A layer of endless sound without notes: vinyl crackle, rain, loops from files, ambience."""

    def render(self, frames: Frames) -> Block:
        """Return the next frames."""

    def seek(self, frame: Frames) -> None:
        """Move to the absolute frame `frame`, as if everything before it had been played."""

    def skip(self, frames: Frames) -> None:
        """Advance by `frames` without rendering, for a layer that is inaudible."""


class Textures:
    """The layers of a station that play no notes.

    Args:
        vinyl, rain, ambience: the layers of these names.
    """

    def __init__(self, vinyl: Texture, rain: Texture, ambience: Ambience) -> None:
        self.ambience = ambience
        self._layers: Mapping[str, Texture] = {"vinyl": vinyl, "rain": rain, "ambience": ambience}

    def seek(self, frame: Frames) -> None:
        """Move to the absolute frame `frame`, as if everything before it had been played."""
        for texture in self._layers.values():
            texture.seek(frame)

    def render(
        self, frames: Frames, controls: Controls, is_audible: Callable[[str, Controls], bool]
    ) -> dict[str, Block]:
        """Return the next frames of each audible layer; the others advance without being rendered."""
        self.ambience.choose(controls.ambience)
        stems = {}
        for layer, texture in self._layers.items():
            if is_audible(layer, controls):
                stems[layer] = texture.render(frames)
            else:
                texture.skip(frames)
        return stems
