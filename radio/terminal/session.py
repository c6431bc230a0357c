"""A listening session on this machine: the view and its keys on a terminal, otherwise plain lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING, Final

from radio.playback.player import Player
from radio.settings.station import StationSettings
from radio.terminal.state import Act, ChangeControls, ChangeStation, Command, Quit, Redraw, SetVolume, TerminalState
from radio.types import Seconds

if TYPE_CHECKING:
    from radio.terminal.screen import Screen

_FRAME: Final[Seconds] = 1 / 14
"""Time between two updates of the view, short enough for smooth meters."""


def run_session(player: Player, stations: Sequence[StationSettings], first: StationSettings) -> None:
    """Show the music of `player` until it ends or the listener quits.

    Args:
        player: A started player, which plays `first`.
        stations: The stations from which the listener can choose.
        first: The first station.

    Raises:
        RadioError: Playback failed.
        KeyboardInterrupt: The listener pressed Ctrl-C, or the command line turned another signal into it.
    """
    if sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        from radio.terminal.screen import Screen

        screen = Screen(sys.stdout.fileno(), sys.stdin.fileno() if sys.stdin.isatty() else None)
        if screen.in_foreground():
            _run_view(player, TerminalState(stations, first), screen)
            return
    _print_lines(player)


def _run_view(player: Player, state: TerminalState, screen: Screen) -> None:
    from radio.terminal.view import draw

    last = monotonic()
    with screen.full_screen():
        while player.playing:
            for message in player.messages(0):
                state.on_message(message)
            now = monotonic()
            state.advance(now - last, player.playhead, player.level())
            last = now
            if player.is_stuck:
                state.show_notice("The sound card does not respond. Waiting for it.")
            _execute(state.due(), player, screen)
            screen.paint(draw(state, *screen.size))
            try:
                keys = screen.read(_FRAME)
            except EOFError:
                return
            for key in keys:
                command = state.on_key(key)
                if isinstance(command, Quit):
                    return
                _execute(command, player, screen)


def _execute(command: Command | None, player: Player, screen: Screen) -> None:
    match command:
        case Act(action):
            player.act(action)
        case ChangeControls(patch):
            player.change_controls(patch)
        case ChangeStation(settings):
            player.change_station(settings)
        case SetVolume(gain):
            player.volume = gain
        case Redraw():
            screen.invalidate()


def _print_lines(player: Player) -> None:
    from radio.terminal.plain import PlainOutput

    output = PlainOutput(sys.stdout)
    while player.playing:
        for message in player.messages(None):
            output.on_message(message)
