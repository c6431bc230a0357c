"""A listener at this machine: the view and its keys on a terminal, plain lines elsewhere, for as long as it plays."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING, Final

from radio.playback.player import Player
from radio.settings.station import StationSettings
from radio.terminal.state import Desk, Quit, Redraw, Tune, Turn, Volume, Wish
from radio.types import Seconds

if TYPE_CHECKING:
    from radio.terminal.screen import Screen

_FRAME: Final[Seconds] = 1 / 14
"""Between two looks at what plays: meters and beats need no more to look alive."""


def attend(player: Player, stations: Sequence[StationSettings], first: StationSettings) -> None:
    """Show what `player` plays until it is over or the listener quits.

    Args:
        player: Started, with `first`.
        stations: What the listener may change over to.

    Raises:
        RadioError: what ended the music.
        KeyboardInterrupt: Ctrl-C, or a signal that the command line takes for it.
    """
    if sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        from radio.terminal.screen import Screen

        screen = Screen(sys.stdout.fileno(), sys.stdin.fileno() if sys.stdin.isatty() else None)
        if screen.in_foreground():
            _watch(player, Desk(stations, first), screen)
            return
    _log(player)


def _watch(player: Player, desk: Desk, screen: Screen) -> None:
    from radio.terminal.view import draw

    last = monotonic()
    with screen.taken():
        while player.playing:
            for message in player.messages(0):
                desk.told(message)
            now = monotonic()
            desk.move(now - last, player.heard, player.level())
            last = now
            if player.stuck:
                desk.say("The sound card takes nothing: waiting for it.")
            screen.paint(draw(desk, *screen.size))
            try:
                keys = screen.read(_FRAME)
            except EOFError:
                return
            for key in keys:
                wish = desk.press(key)
                if isinstance(wish, Quit):
                    return
                _grant(wish, player, screen)


def _grant(wish: Wish | None, player: Player, screen: Screen) -> None:
    match wish:
        case Turn(patch):
            player.turn(patch)
        case Tune(settings):
            player.tune(settings)
        case Volume(gain):
            player.volume = gain
        case Redraw():
            screen.forget()


def _log(player: Player) -> None:
    from radio.terminal.plain import Lines

    lines = Lines(sys.stdout)
    while player.playing:
        for message in player.messages(None):
            lines.told(message)
