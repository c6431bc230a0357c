"""The command `radio`: build the parser, run a command, and report each error in one line with an exit status."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from types import ModuleType
from typing import Final, NoReturn

from radio import __version__
from radio.cli import (
    check,
    compare,
    controls,
    doctor,
    originality,
    play,
    prompt,
    push,
    render,
    score,
    serve,
    state,
    stations,
    survey,
)
from radio.cli.arguments import Parser, add_config
from radio.cli.exit_codes import FAILED, INTERRUPTED, OK, USAGE
from radio.cli.output import discard_unwritable
from radio.errors import ControlError, RadioError, SettingsError
from radio.music.names import without_controls

_COMMANDS: Final[dict[str, tuple[ModuleType, str]]] = {
    "play": (play, "play a station, through the speakers or into a pipe; `radio` without a command does the same"),
    "serve": (serve, "serve every station over HTTP, with a page for listening and changing the controls"),
    "render": (render, "write the music of a station to a file, faster than it plays"),
    "push": (push, "play a station to Twitch, YouTube or another RTMP server, with a picture, or to Icecast"),
    "prompt": (prompt, "show how words about the music are understood, without playing"),
    "state": (state, "show, copy, and remove the saved states that stations resume from after a restart"),
    "stations": (stations, "list the stations of the config"),
    "controls": (controls, "list the controls with their ranges and defaults"),
    "check": (check, "read the config and the files that it names, and report every mistake"),
    "doctor": (doctor, "check for everything that the radio needs on this machine, and name what is missing"),
    "score": (score, "measure audio files, tag them with a learned judge, and compare them with references"),
    "compare": (compare, "compare two audio files, in a table and on a page with charts"),
    "survey": (survey, "serve a page where listeners compare pairs of passages, and report their answers"),
    "originality": (originality, "compare a MIDI file with the music that the shipped models were trained on"),
}
_PROMPT_OPTIONS: Final = ("prompt", "prompt_via", "musicgen_weights")
_PRIME_OPTIONS: Final = ("prime", "prime_part")
_STATION_OPTIONS: Final = ("station", "seed", *_PROMPT_OPTIONS, *_PRIME_OPTIONS, "set")
_PLAY_OPTIONS: Final = ("output", "format", "seconds", "device")

_DESCRIPTION: Final = "An endless lo-fi radio: small language models write the music while you listen."
_EXAMPLES: Final = """\
examples:
  radio                                         play the first station through the speakers
  radio play --station study                    play another one
  radio --station chill --set tempo=72 --set rain_mute=false
  radio --station chill --output - | ffmpeg -i - -t 60 minute.m4a
  radio serve                                   put every station on the air at http://localhost:8000/
  radio render --station chill --minutes 2.5 --seed 7 song.mp3
  radio render --station chill song.mid && radio originality song.mid
  radio push --station chill --key-env TWITCH_KEY rtmp://live.twitch.tv/app

stations.yaml describes the stations: the one in the working directory, else the one that comes with the radio.
While a station plays here, ? lists the keys that change it. Without a terminal, a line is written for each track.
Press Ctrl-C to stop. Exit status: 0 done, 1 something failed, 2 a mistake in the command line or the config."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status. Raise SystemExit only after --help and --version."""
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as `nohup` sets it
        signal.signal(signal.SIGHUP, _interrupt)
    # numpy reads this on import: blocks are so short that threads of its matrix products only wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    words = sys.argv[1:] if arguments is None else arguments
    try:
        return _run(words)
    except (SettingsError, ControlError) as error:
        _report(error)
        return USAGE
    except RadioError as error:
        _report(error)
        return FAILED
    except BrokenPipeError:  # the reader closed the pipe
        return OK
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # `python -X dev -m radio` shows the traceback
        if sys.flags.dev_mode:
            raise
        _report(_described(error))
        return FAILED
    finally:
        discard_unwritable()


def parser() -> Parser:
    """Return the parser of the whole command line."""
    root = Parser("radio", _DESCRIPTION, _EXAMPLES)
    root.add_argument("--version", action="version", version=f"radio {__version__}")
    play.add_arguments(root, set_to="set")
    add_config(root)
    # The arguments of a command do not change these.
    unset = dict.fromkeys(("config", "station", "seed", *_PROMPT_OPTIONS, *_PRIME_OPTIONS, *_PLAY_OPTIONS))
    root.set_defaults(run=play.run, set=[], changes=[], **unset)
    commands = root.add_subparsers(title="commands", dest="command", metavar="COMMAND", parser_class=Parser)
    for name, (module, description) in _COMMANDS.items():
        sentence = f"{description[0].upper()}{description[1:]}."
        command = commands.add_parser(name, help=description, description=sentence)
        add_config(command)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
        root.commands[name] = command
    return root


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Parse a command line. Raise SettingsError if it has a mistake."""
    root = parser()
    root.check_names(words)
    arguments, extra = root.parse_known_args(words)
    if extra:
        root.commands.get(arguments.command or "", root).error(f"unrecognized arguments: {' '.join(extra)}")
    _check_strays(arguments)
    return arguments


def _run(words: Sequence[str]) -> int:
    arguments = parse(words)
    status: int = arguments.run(arguments)
    if sys.stdout is not None:
        sys.stdout.flush()
    return status


def _check_strays(arguments: argparse.Namespace) -> None:
    """Raise SettingsError for options before a command that does not have them; argparse would ignore them."""
    if arguments.command in (None, "play"):
        return
    own: dict[str, tuple[str, ...]] = {
        "render": _STATION_OPTIONS,
        "push": _STATION_OPTIONS,
        "serve": (*_PROMPT_OPTIONS, *_PRIME_OPTIONS, "seed"),
        "prompt": ("station",),
    }
    allowed = own.get(arguments.command, ())
    foreign = [name for name in (*_STATION_OPTIONS, *_PLAY_OPTIONS) if name not in allowed]
    if strays := [f"--{name.replace('_', '-')}" for name in foreign if getattr(arguments, name) not in (None, [])]:
        command = f"radio {arguments.command}"
        raise SettingsError(f"{command} does not take {', '.join(strays)} (see {command} --help)")


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _report(message: object) -> None:
    with suppress(OSError):  # nothing can be reported if standard error is full; the exit status remains
        for line in str(message).splitlines():
            print(f"radio: {without_controls(line)}", file=sys.stderr)


def _described(error: Exception) -> str:
    """Return an unexpected error in one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror if error.filename is None else f"{os.fsdecode(error.filename)}: {error.strerror}"
    kind = "" if isinstance(error, OSError) else f"{type(error).__name__}: "
    return kind + " ".join(str(error).split())
