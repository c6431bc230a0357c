"""`radio play`, and `radio` without a command: play a station through the speakers, or into a pipe."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Final

from radio.cli.arguments import (
    add_station,
    drawn_seed,
    load_config,
    positive,
    print_drawn_seed,
    station_settings,
)
from radio.cli.exit_codes import OK
from radio.cli.musicgen import take_recording
from radio.cli.priming import primed
from radio.cli.signals import handled_by
from radio.errors import SettingsError
from radio.types import SAMPLE_RATE, Seconds

if TYPE_CHECKING:
    from radio.settings.config import RadioConfig
    from radio.settings.station import StationSettings
    from radio.station.station import Station

PIPE_FORMATS: Final = ("wav", "s16le", "opus", "mp3", "flac")
_SWITCH_INTERVAL: Final[Seconds] = 0.001
"""Switch interval of Python's threads: short, so that the one that feeds the sound card never waits long."""


def add_arguments(parser: argparse.ArgumentParser, *, set_to: str = "changes") -> None:
    """Add the arguments of the command; see `add_station` for `set_to`."""
    unset = argparse.SUPPRESS
    add_station(parser, set_to=set_to)
    parser.add_argument(
        "--output", default=unset, metavar="-", help="- writes the audio to standard output, as fast as it is read"
    )
    parser.add_argument(
        "--format", default=unset, choices=PIPE_FORMATS, help="format of --output - [wav]; all are 48 kHz stereo"
    )
    parser.add_argument(
        "--device", default=unset, metavar="CARD", help="sound card: its number or part of its name in `radio doctor`"
    )
    parser.add_argument(
        "--seconds", default=unset, type=positive, metavar="N", help="stop after this much music [play endlessly]"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    _check(arguments)
    config = load_config(arguments.config)
    settings = station_settings(arguments, config, default=next(iter(config.stations)))
    take_recording(arguments)
    settings = primed(arguments, settings)
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is the usual end
        if arguments.output is None:
            play(config, settings, seconds=arguments.seconds, device=arguments.device)
        else:
            from radio.cli.pipe import pipe

            pipe(settings, sys.stdout.buffer, format_=arguments.format or "wav", seconds=arguments.seconds)
    print_drawn_seed(arguments, config, settings)
    return OK


def play(
    config: RadioConfig, settings: StationSettings, *, seconds: Seconds | None = None, device: str | None = None
) -> None:
    """Play a station through a sound card until `seconds` have passed, the listener quits, or a signal arrives.

    Args:
        config: The stations that the listener can switch to.
        settings: The first station. Each later visit to a station plays from the next seed.
        seconds: Length of the music; None plays endlessly.
        device: Number or part of the name of a sound card; None selects the default one.

    Raises:
        AudioError: There is no sound card. It is opened before the models are loaded.
        RadioError: The station cannot be opened.
    """
    from radio.playback.player import Player
    from radio.playback.sound_card import SoundCard, quiet_libraries
    from radio.terminal.session import run_session

    visits: Counter[str] = Counter()
    seeds: dict[str, int] = {}

    def open_next(station: StationSettings) -> Station:
        from radio.station.factory import open_station

        visits[station.name] += 1
        seeds.setdefault(station.name, station.seed or drawn_seed())
        return open_station(station, seed=seeds[station.name] + visits[station.name] - 1)

    sys.setswitchinterval(_SWITCH_INTERVAL)
    with quiet_libraries(), handled_by(signal.SIG_DFL):  # no Python handler runs while a sound server hangs
        sound_card = SoundCard(device)
    with quiet_libraries(), closing(sound_card):
        player = Player(sound_card, open_next, frames=None if seconds is None else max(1, round(seconds * SAMPLE_RATE)))
        player.start(settings)
        try:
            run_session(player, list(config.stations.values()), settings)
        finally:
            if not player.close():
                # A call to the sound card hangs, and PortAudio would wait for it at exit.
                os._exit(os.EX_OK)


def _check(arguments: argparse.Namespace) -> None:
    """Raise SettingsError for options that cannot be combined."""
    if arguments.output not in (None, "-"):
        raise SettingsError(
            f"--output: only - is supported; to write a file: radio render --station … {arguments.output}"
        )
    if arguments.format is not None and arguments.output is None:
        raise SettingsError("--format requires --output -; `radio render` takes the format from the file's name")
    if arguments.device is not None and arguments.output is not None:
        raise SettingsError("--device cannot be combined with --output -, which needs no sound card")
    if arguments.output is not None and (sys.stdout is None or sys.stdout.isatty()):
        state = "closed" if sys.stdout is None else "a terminal"
        raise SettingsError(f"--output -: standard output is {state}; pipe it, as in `… --output - | ffplay -`")
