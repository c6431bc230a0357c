"""One root, one subclass per stage; settings at fault apart from faults at run time.

Every message says what was wrong, where, and what would be right. The command line prints it as one line.
"""

from __future__ import annotations

from collections.abc import Sequence


class RadioError(Exception):
    """Anything this project raises on purpose."""


class SettingsError(RadioError):
    """A config file or a command line that cannot be used. `problems` holds every fault found, one line each."""

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("\n".join(self.problems))


class ControlError(RadioError):
    """A control that does not exist or is out of range: the API answers 422 with `field` and `allowed`."""

    def __init__(self, message: str, *, field: str, allowed: str) -> None:
        self.field = field
        self.allowed = allowed
        super().__init__(message)


class MidiError(RadioError):
    """A MIDI file that cannot be read as music."""


class ModelError(RadioError):
    """A checkpoint that is corrupt, foreign, or contradicts the vocabulary table."""


class AudioError(RadioError):
    """A synthesizer, soundfont, loop or sound card that cannot be used."""


class StreamError(RadioError):
    """An encoder, a muxer or an output that failed."""


class ServerError(RadioError):
    """The front could not start: a busy port, an address that is not ours."""


def did_you_mean(word: str, choices: Sequence[str]) -> str:
    """` Did you mean 'chill'?` for the closest of `choices`, or an empty string: to be appended to a message."""
    from difflib import get_close_matches

    close = get_close_matches(word, choices, n=1, cutoff=0.5)
    return f" Did you mean '{close[0]}'?" if close else ""
