"""What tokens mean: notes struck and released, and control marks, each at a tick."""

from __future__ import annotations

from dataclasses import dataclass

from radio.types import Tick, TokenId


@dataclass(frozen=True, slots=True, order=True)
class NoteEvent:
    """A note at `tick`: struck with `velocity` 1–127, or released where velocity is 0."""

    tick: Tick
    note: int
    velocity: int


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A control token that takes effect at `tick`, before the notes there."""

    tick: Tick
    token: TokenId


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """A whole note: `start` ≤ sounding < `end` ticks."""

    start: Tick
    end: Tick
    note: int
    velocity: int
