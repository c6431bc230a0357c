"""The exceptions of the radio: one root, one subclass per stage.

A message says what is wrong, where, and what would be right. The command line prints it on one line.
"""

from __future__ import annotations

from collections.abc import Sequence


class RadioError(Exception):
    """Base class of all errors that the radio raises."""


class SettingsError(RadioError):
    """An invalid config file or command line.

    problems: every problem found, one line each.
    """

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class ControlError(RadioError):
    """An unknown control, or a value out of range. The API answers 422 with `field` and `allowed`."""

    def __init__(self, message: str, *, field: str, allowed: str) -> None:
        self.field = field
        self.allowed = allowed
        super().__init__(message)


class MidiError(RadioError):
    """An unreadable MIDI file."""


class ModelError(RadioError):
    """An invalid checkpoint or engine, or a step with arguments that do not fit the model."""


class AudioError(RadioError):
    """An unusable synthesizer, soundfont, loop or sound card."""


class JudgeError(RadioError):
    """A judge of audio that cannot answer: a package is missing, or a server fails or sends an unexpected answer."""


class StreamError(RadioError):
    """A failed encoder, muxer or output."""


class StorageError(RadioError):
    """A disk without room for a file."""


class SnapshotError(RadioError):
    """A saved state that is damaged, of another version, or made with other models."""


class ServerError(RadioError):
    """A server that cannot start, for instance because its port is in use."""


class OpeningError(ServerError):
    """A station that its worker cannot open, for instance because a model is missing."""


def did_you_mean(word: str, choices: Sequence[str]) -> str:
    """Return a hint to append to a message: `" Did you mean 'chill'?"`, or `""` if no choice is close to `word`."""
    from difflib import get_close_matches

    close = get_close_matches(word, choices, n=1, cutoff=0.5)
    return f" Did you mean '{close[0]}'?" if close else ""
