"""The layers of a station's sound: the instruments that play notes, and the textures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from radio.audio.ambience.mix import Ambience
from radio.audio.synth import Program, Synth
from radio.compose.feel import LOOKAHEAD
from radio.settings.controls import Controls
from radio.types import GRID, Block, Frames


def change_programs(synth: Synth, programs: Mapping[str, int], bar_line: Frames) -> None:
    """Let layers play with other programs in the bar that begins at `bar_line`.

    The programs change a moment before the bar line, since human timing may strike the first notes early.
    """
    frame = max(0, bar_line - LOOKAHEAD) // GRID * GRID
    for layer, program in programs.items():
        synth.change_program(layer, Program(program, drums=layer == "drums"), frame)


class Texture(Protocol):
    """A layer of endless sound without notes: vinyl crackle, rain, loops from files, ambience."""

    def render(self, frames: Frames) -> Block:
        """Return the next frames."""

    def seek(self, frame: Frames) -> None:
        """Set the absolute frame of the next sample, as if all before it had been played."""

    def skip(self, frames: Frames) -> None:
        """Move on by `frames` without rendering, while the layer is inaudible."""


class Textures:
    """The layers of a station that play no notes.

    Args:
        vinyl, rain, ambience: the layers of these names.
    """

    def __init__(self, vinyl: Texture, rain: Texture, ambience: Ambience) -> None:
        self.ambience = ambience
        self._layers: Mapping[str, Texture] = {"vinyl": vinyl, "rain": rain, "ambience": ambience}

    def seek(self, frame: Frames) -> None:
        """Set the absolute frame of the next sample, as if all before it had been played."""
        for texture in self._layers.values():
            texture.seek(frame)

    def render(
        self, frames: Frames, controls: Controls, is_audible: Callable[[str, Controls], bool]
    ) -> dict[str, Block]:
        """Return the next frames of each layer that is audible; the others move on without a sound."""
        self.ambience.choose(controls.ambience)
        stems = {}
        for layer, texture in self._layers.items():
            if is_audible(layer, controls):
                stems[layer] = texture.render(frames)
            else:
                texture.skip(frames)
        return stems
