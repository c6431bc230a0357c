"""The notes to which the mixer reacts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from radio.types import Frames


class Cues(NamedTuple):
    """Notes that are struck within a block, as frames from its start.

    kicks: these duck keys, bass and lead.
    bass_notes, snares: these duck the keys. Only firm strokes of the snare count.
    """

    kicks: Sequence[Frames] = ()
    bass_notes: Sequence[Frames] = ()
    snares: Sequence[Frames] = ()
