"""Detection of faults in a station's signal: silence despite struck notes, a repeated block, or numbers not finite.

Music may rest for any time, but a struck note must be audible, and noise makes each block differ from the last.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, TypeGuard

import numpy as np

from radio.errors import AudioError
from radio.types import SAMPLE_RATE, Block, Dbfs, Frames

Fault: TypeAlias = Literal["silent", "stuck", "not finite", "failed"]
"""The faults of a station: those of its signal, or an error that it raised."""

SILENCE: Final[Dbfs] = -50.0
"""A block counts as silent if its level, after removing its mean, is lower."""

LIMIT: Final[Frames] = 5 * SAMPLE_RATE
"""Time for which a signal may be silent or stuck."""

_POWER: Final = 10 ** (SILENCE / 10)


class SignalError(AudioError):
    """A signal that must not be heard.

    fault: the kind of fault. frame: its first frame.
    """

    def __init__(self, fault: Fault, frame: Frames) -> None:
        self.fault, self.frame = fault, frame
        super().__init__(f"the signal is {fault} from frame {frame} onward")


def _power(block: Block) -> float:
    """Return the mean power of a block after removing its mean; NaN or infinite if a sample is."""
    samples = np.ascontiguousarray(block)
    total = samples.view(np.complex64).sum()  # left and right in one pass
    return float(np.vdot(samples, samples) - abs(total) ** 2 / len(samples)) / samples.size


class SignalGuard:
    """Checks a signal block by block.

    Args:
        position: The frame of the first block.
    """

    def __init__(self, position: Frames = 0) -> None:
        self._position = position
        self._silent_since: Frames | None = None
        """The frame of the first struck note, if nothing has been audible since."""
        self._stuck_since: Frames | None = None
        self._last: Block | None = None

    def check(self, block: Block, *, struck: bool) -> None:
        """Check the next block.

        Args:
            block: The mix.
            struck: True if a note was struck that must be audible in this block or soon after.

        Raises:
            SignalError: The signal is not finite, or has been silent or stuck for `LIMIT`.
        """
        power = _power(block)
        if not power < np.inf:
            raise SignalError("not finite", self._position)
        audible = power > _POWER
        if audible:
            self._silent_since = None
        elif struck and self._silent_since is None:
            self._silent_since = self._position
        if (
            not audible
            or self._last is None
            or block[0, 0] != self._last[0, 0]
            or not np.array_equal(block, self._last)
        ):
            self._stuck_since = None
        elif self._stuck_since is None:
            self._stuck_since = self._position
        self._last = block
        self._position += len(block)
        if self._is_over(self._silent_since):
            raise SignalError("silent", self._silent_since)
        if self._is_over(self._stuck_since):
            raise SignalError("stuck", self._stuck_since)

    def _is_over(self, since: Frames | None) -> TypeGuard[Frames]:
        return since is not None and self._position - since >= LIMIT
