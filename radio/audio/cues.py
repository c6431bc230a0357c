"""Notes that the mixer reacts to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from radio.types import Frames


class Cues(NamedTuple):
    """Onsets of notes within a block, in frames from its start.

    kicks: duck keys, bass and lead.
    bass_notes, snares: duck the keys. Soft snare hits are left out.
    """

    kicks: Sequence[Frames] = ()
    bass_notes: Sequence[Frames] = ()
    snares: Sequence[Frames] = ()
