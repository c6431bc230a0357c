"""The layers of a station's sound: the instruments that play notes, and the textures."""

from __future__ import annotations

from typing import Final, Protocol

from radio.types import Block, Frames

PLAYED_LAYERS: Final = ("keys", "bass", "drums")
"""The layers that play notes."""


class Texture(Protocol):
    """A layer of endless sound without notes: vinyl crackle, rain, loops from files."""

    def render(self, frames: Frames) -> Block:
        """Return the next frames."""

    def skip(self, frames: Frames) -> None:
        """Move on by `frames` without rendering, while the layer is inaudible."""
