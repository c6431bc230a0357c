"""Composing ahead: the next bar is composed early, and again if the controls change before its bar line."""

from __future__ import annotations

import logging
from threading import Lock
from typing import Final, Protocol

from radio.compose.bar import Bar
from radio.compose.composer import ComposerState
from radio.compose.prime import Prime
from radio.errors import ModelError
from radio.settings.controls import CONTROLS, Controls
from radio.types import Action

TRIES: Final = 3
"""Attempts to compose a bar before the error is raised."""

_log = logging.getLogger(__name__)


class BarSource(Protocol):
    """A source of bars for a station: a composer, or bars that were composed earlier."""

    next_number: int
    """Number of the bar that `next_bar` returns next."""
    next_loop: int
    """Number of the first bar not yet returned at which a new harmony would take effect."""

    def prepare(self, controls: Controls) -> None:
        """Compose the next bar early. May be called from any thread."""

    def next_bar(self, controls: Controls) -> Bar:
        """Return the next bar under `controls`."""

    def act(self, action: Action, controls: Controls) -> int:
        """Perform a listener's action, and return the number of the bar at which it takes effect."""

    def save(self) -> ComposerState | None:
        """Return everything that the next bar depends on; None for bars that cannot be saved."""

    def restore(self, saved: ComposerState) -> None:
        """Continue from a saved state."""

    def prime(self, prime: Prime, controls: Controls) -> int:
        """Start the next track from `prime`; return the number of its first bar."""


class BarComposer(Protocol):
    """A composer of bars, whose state can be saved between any two bars."""

    next_number: int
    """Number of the next bar."""

    @property
    def next_loop(self) -> int:
        """Number of the bar at which a new harmony would take effect."""

    def next_bar(self, controls: Controls, *, write_ahead: bool = True) -> Bar:
        """Compose the next bar under `controls`.

        Without `write_ahead`, none of the next track's material is written meanwhile, as if no track followed.
        """

    def act(self, action: Action, controls: Controls) -> int:
        """Perform a listener's action, and return the number of the bar at which it takes effect."""

    def prime(self, prime: Prime, controls: Controls) -> int:
        """Start the next track from `prime`; return the number of its first bar."""

    def save(self) -> ComposerState:
        """Return everything that the next bar depends on."""

    def restore(self, saved: ComposerState) -> None:
        """Continue from a saved state."""


class Ahead:
    """A composer that can compose its next bar early, in another thread. This does not change the bars.

    If the controls have changed when a bar is needed, the bar is discarded: the composer returns to its state before
    that bar and composes it again. It does the same if a model fails, for at most `TRIES` attempts, and saves
    as often.
    """

    def __init__(self, composer: BarComposer) -> None:
        self._composer = composer
        self._lock = Lock()
        self._stock: tuple[ComposerState, Controls, Bar] | None = None
        self.next_number, self.next_loop = composer.next_number, composer.next_loop

    def prepare(self, controls: Controls) -> None:
        """Compose the next bar under `controls`, unless it is already composed. May be called from any thread."""
        with self._lock:
            self._prepare(controls)

    def next_bar(self, controls: Controls) -> Bar:
        """Return the next bar under `controls`. Waits for a running `prepare`."""
        with self._lock:
            bar = self._prepare(controls)
            self._stock = None
            self.next_number, self.next_loop = self._composer.next_number, self._composer.next_loop
            return bar

    def act(self, action: Action, controls: Controls) -> int:
        """Discard the bar in stock, and perform a listener's action; return the bar at which it takes effect."""
        with self._lock:
            self._discard()
            landing = self._composer.act(action, controls)
            self.next_loop = self._composer.next_loop
            return landing

    def save(self) -> ComposerState:
        """Return everything that the next bar depends on."""
        with self._lock:
            return self._save() if self._stock is None else self._stock[0]

    def restore(self, saved: ComposerState) -> None:
        """Continue from a saved state."""
        with self._lock:
            self._stock = None
            self._composer.restore(saved)
            self.next_number, self.next_loop = self._composer.next_number, self._composer.next_loop

    def prime(self, prime: Prime, controls: Controls) -> int:
        """Discard the bar in stock, and start the next track from `prime`; return the number of its first bar."""
        with self._lock:
            self._discard()
            first_bar = self._composer.prime(prime, controls)
            self.next_loop = self._composer.next_loop
            return first_bar

    def _discard(self) -> None:
        """Return to the state before the bar in stock, if there is one."""
        if self._stock is not None:
            before, _, _ = self._stock
            self._composer.restore(before)
            self._stock = None

    def _prepare(self, controls: Controls) -> Bar:
        if self._stock is not None:
            before, under, bar = self._stock
            if _composes_alike(under, controls):
                return bar
            self._composer.restore(before)
            self._stock = None
        before = self._save()
        bar = self._compose(before, controls)
        self._stock = before, controls, bar
        return bar

    def _save(self) -> ComposerState:
        """Return the composer's state, which may step its models for the last bar's notes."""
        for _ in range(TRIES - 1):
            try:
                return self._composer.save()
            except ModelError as error:
                _log.warning("saving the state before bar %d again: %s", self._composer.next_number, error)
        return self._composer.save()

    def _compose(self, before: ComposerState, controls: Controls) -> Bar:
        failures = 0
        while True:
            try:
                return self._composer.next_bar(controls)
            except ModelError as error:
                self._composer.restore(before)  # after the last attempt too, since a player may ask for the bar again
                failures += 1
                if failures == TRIES:
                    raise
                _log.warning("composing bar %d again: %s", before.next_number, error)


def _composes_alike(first: Controls, second: Controls) -> bool:
    """Return True if two sets of controls give the same bar: they differ only in the mix."""
    return all(CONTROLS[name].lands == "mix" for name in second.changes_from(first))
