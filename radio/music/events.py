"""Notes and control marks, each at a tick: the decoded form of tokens."""

from __future__ import annotations

from dataclasses import dataclass

from radio.types import Tick, TokenId


@dataclass(frozen=True, slots=True, order=True)
class NoteEvent:
    """The start of a note at `tick` with `velocity` 1–127, or its release with velocity 0."""

    tick: Tick
    note: int
    velocity: int


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A control token at `tick`, which precedes the notes of that tick."""

    tick: Tick
    token: TokenId


@dataclass(frozen=True, slots=True, order=True)
class Note:
    """A note that sounds from tick `start` up to, but not including, tick `end`."""

    start: Tick
    end: Tick
    note: int
    velocity: int
