"""Arguments → one call of `radio.cli.play`; every fault → one line on stderr and an exit status."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from radio import __version__
from radio.cli import push_options as options
from radio.errors import ControlError, ModelError, RadioError, SettingsError, did_you_mean

if TYPE_CHECKING:  # radio.settings.config reads the tables of the music: `radio --help` need not wait for that
    from radio.settings.config import RadioConfig
    from radio.settings.station import StationSettings

PIPE_FORMATS: Final = ("wav", "s16le", "opus", "mp3", "flac")
_MUSIC_OPTIONS: Final = ("station", "seed", "set")
_PLAY_OPTIONS: Final = ("output", "format", "seconds", "device")
_WORD: Final = re.compile(r"[\w-]+")
OK, FAULT, USAGE, INTERRUPTED = 0, 1, 2, 130

_DESCRIPTION: Final = "An endless lo-fi radio: two small models write it while you listen."
_EXAMPLES: Final = """\
examples:
  radio --station chill                         play here, through the speakers
  radio serve                                   put every station on the air at http://localhost:8000/
  radio render --station chill --minutes 2.5 --seed 7 song.mp3
  radio --station chill --output - | ffmpeg -i - -t 60 minute.m4a
  radio --station chill --set tempo=72 --set rain_mute=false
  radio render --station chill song.mid && radio originality song.mid
  radio push --station chill --key-env TWITCH_KEY rtmp://live.twitch.tv/app

Stations are described in stations.yaml: the one in the working directory, else the one that comes with the radio.
While a station plays here, ? lists the keys that turn it; piped or without a terminal it writes a line for each track.
Ctrl-C ends whatever is playing. Exit status: 0 done, 1 something failed, 2 a mistake in the command or the config."""


_HOST_HELP: Final = (
    "address to listen on [the config's, else 127.0.0.1]; one that other machines reach needs control_token in the "
    "config, CONTROL_TOKEN in the environment, or --no-control; a token that is set is asked for on every address"
)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as every other fault is told."""

    def error(self, message: str) -> NoReturn:
        if choice := re.search(r"invalid choice: '(.*)' \(choose from (.*)\)", message):
            message += did_you_mean(choice[1], _WORD.findall(choice[2])).replace(" Did", ". Did")
        raise SettingsError(f"{message} (see {self.prog} --help)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status and raises nothing but SystemExit after --help and --version."""
    signal.signal(signal.SIGTERM, _interrupt)
    # Read when numpy is imported: blocks are so short that threads of its matrix products only wait for one another.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        return _run(_parser().parse_args(arguments))
    except (SettingsError, ControlError) as error:
        _complain(error)
        return USAGE
    except RadioError as error:
        _complain(error)
        return FAULT
    except BrokenPipeError:
        # Whoever read our output has had enough. What Python still holds for it must not fail at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # a listener is no debugger; `python -X dev -m radio` shows the trace
        if sys.flags.dev_mode:
            raise
        kind = "" if isinstance(error, OSError) else f"{type(error).__name__}: "
        print(f"radio: {kind}{' '.join(str(error).split())}", file=sys.stderr)
        return FAULT


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _complain(error: Exception) -> None:
    for line in str(error).splitlines():
        print(f"radio: {line}", file=sys.stderr)


def _parser() -> _Parser:
    parser = _Parser(
        prog="radio",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"radio {__version__}")
    _station(parser, changes="set")
    parser.add_argument("--output", metavar="-", help="- sends the audio to standard output, as fast as it is read")
    parser.add_argument("--format", choices=PIPE_FORMATS, help="what to send there [wav]; all are 48 kHz stereo")
    parser.add_argument(
        "--device", metavar="CARD", help="sound card: a number or words of its name, as `radio doctor` lists them"
    )
    parser.add_argument("--seconds", type=_positive, metavar="N", help="stop after this much music [never]")

    _config(parser)
    # What a command leaves out stays as it was given before its name.
    parser.set_defaults(config=None, station=None, seed=None, set=[], changes=[])
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")

    def command(name: str, help_text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help_text, description=help_text, allow_abbrev=False)
        _config(sub)
        return sub

    serve = command("serve", "put every station on the air over HTTP, with a page to listen and turn the controls")
    serve.add_argument("--host", help=_HOST_HELP)
    serve.add_argument("--port", type=_port, help="port to listen on, 0 for any free one [the config's, else 8000]")
    serve.add_argument("--no-control", action="store_true", help="let nobody turn the controls over HTTP")

    render = command("render", "write a station's music to a file, faster than it plays")
    _station(render, changes="changes")  # of its own: argparse would drop those before the command
    render.add_argument("--minutes", type=_positive, default=2.0, metavar="N", help="how long, such as 2.5 [2]")
    render.add_argument(
        "--instrument", metavar="NAME", help="who plays the keys: a General MIDI name or its number, 0-127"
    )
    render.add_argument("--no-drums", action="store_true", help="without drums, the same as --set drums_mute=true")
    render.add_argument(
        "--count", type=_count, default=1, metavar="N", help="how many tracks, each from the next seed [1]"
    )
    render.add_argument(
        "file", type=Path, nargs="+", help="where to: its ending says how, .mid .wav .flac .mp3 or .opus"
    )

    push = command("push", "play a station to Twitch, YouTube or another RTMP server, with a picture, or to Icecast")
    _station(push, changes="changes")
    options.add_to(push)

    originality = command("originality", "what a MIDI file shares with the music that the shipped models learnt from")
    originality.add_argument("file", type=Path, help="one that the radio wrote, or any other")

    command("stations", "list the stations of the config")
    command("check", "read the config and the files it names, and name every mistake")
    command("doctor", "look for what the radio needs on this machine, and say what puts it right")
    return parser


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", type=Path, default=argparse.SUPPRESS, metavar="FILE", help="where the stations are [stations.yaml]"
    )


def _station(parser: argparse.ArgumentParser, *, changes: str) -> None:
    none = argparse.SUPPRESS
    parser.add_argument("--station", default=none, metavar="NAME", help="which one; `radio stations` lists them")
    parser.add_argument("--seed", type=_seed, default=none, metavar="N", help="start of its music [the config's]")
    parser.add_argument(
        "--set",
        dest=changes,
        action="append",
        default=none,
        metavar="CONTROL=VALUE",
        help="how a control stands at first; repeatable",
    )


def _run(given: argparse.Namespace) -> int:
    if given.command is None:
        return _play(given)
    _refuse_strays(given)
    if given.command == "doctor":
        from radio.cli.doctor import examine

        return OK if examine(given.config) else FAULT

    if given.command == "originality":
        from radio.compose.originality import compare

        print(compare(given.file))
        return OK

    from radio.settings.config import default_path

    path = given.config or default_path()
    config = _load(path)
    if given.command == "serve":
        return _serve(given, config)
    if given.command == "render":
        from radio.cli.render import render

        settings = _played(given, _settings(given, config))
        seed = _seed_of(given, settings)
        render(settings, minutes=given.minutes, seed=seed, paths=given.file, count=given.count)
    elif given.command == "push":
        return _push(given, config)
    elif given.command == "stations":
        wide = max(map(len, config.stations))
        for station in config.stations.values():
            print(f"{station.name:{wide}}  {station.title}: {station.description}".rstrip(" :"))
    elif given.command == "check":
        _check(path, config)
    return OK


def _refuse_strays(given: argparse.Namespace) -> None:
    """Options before a command that does not take them: argparse would drop them without a word."""
    foreign = _PLAY_OPTIONS if given.command in {"render", "push"} else (*_MUSIC_OPTIONS, *_PLAY_OPTIONS)
    if strays := [f"--{name}" for name in foreign if getattr(given, name) not in (None, [])]:
        command = f"radio {given.command}"
        raise SettingsError(f"{command} does not take {', '.join(strays)} (see {command} --help)")


def _check(path: Path, config: RadioConfig) -> None:
    from radio.cli.doctor import files

    if faults := [f"{path}: {file.what}: {file.detail}" for file in files(config.stations) if not file.found]:
        raise SettingsError(faults)
    count = len(config.stations)
    print(f"{path}: right, {count} station{'' if count == 1 else 's'}: {', '.join(config.stations)}")


def _play(given: argparse.Namespace) -> int:
    if given.station is None:
        raise SettingsError("say which station with --station NAME, or give a command (see radio --help)")
    if given.output not in (None, "-"):
        raise SettingsError(f"--output: only - is known; to write a file: radio render --station … {given.output}")
    if given.format is not None and given.output is None:
        raise SettingsError("--format goes with --output -; `radio render` takes the format from the file's name")

    if given.device is not None and given.output is not None:
        raise SettingsError("--device is for playing here: --output - needs no sound card")

    from radio.cli import play as app

    config = _load(given.config)
    settings = _settings(given, config)
    seed = _seed_of(given, settings)
    if given.output is not None and sys.stdout.isatty():
        raise SettingsError("--output -: standard output is a terminal: pipe it, as in `… --output - | ffplay -`")
    with contextlib.suppress(KeyboardInterrupt):  # what plays for ever has no other way to end
        if given.output is None:
            app.play(config, settings, seed=seed, seconds=given.seconds, device=given.device)
        else:
            app.pipe(settings, sys.stdout.buffer, format_=given.format or "wav", seed=seed, seconds=given.seconds)
    return OK


def _serve(given: argparse.Namespace, config: RadioConfig) -> int:
    from radio.cli import play as app

    server = config.server
    changes: dict[str, object] = {}
    if given.host is not None:
        changes["host"] = given.host
    if given.port is not None:
        changes["port"] = given.port
    if given.no_control:
        changes["control"] = False
    if token := os.environ.get("CONTROL_TOKEN"):
        changes["control_token"] = token
    config = replace(config, server=replace(server, **changes))  # type: ignore[arg-type]  # each was set just above
    with contextlib.suppress(KeyboardInterrupt):  # a server has no other way to end
        app.serve(config)
    return OK


def _load(path: Path | None) -> RadioConfig:
    """The config, with the engine that the environment names in place of its stations' own."""
    from radio.model.engines.selection import check_engine_name
    from radio.settings.config import load

    config = load(path)
    if name := os.environ.get("RADIO_ENGINE"):
        try:
            engine = check_engine_name(name)
        except ModelError as error:
            raise SettingsError(f"RADIO_ENGINE: {error}") from None
        stations = {key: replace(station, engine=engine) for key, station in config.stations.items()}
        config = replace(config, stations=stations)
    return config


def _push(given: argparse.Namespace, config: RadioConfig) -> int:
    from radio.cli import play as app

    settings = _settings(given, config)
    if given.image is not None:
        if not given.image.is_file():
            raise SettingsError(f"--image: there is no file {given.image}")
        settings = replace(settings, image=given.image)
    to = options.push_of(given)
    with contextlib.suppress(KeyboardInterrupt):  # what plays for ever has no other way to end
        app.push(settings, to, seed=_seed_of(given, settings))
    return OK


def _settings(given: argparse.Namespace, config: RadioConfig) -> StationSettings:
    if given.station is None:
        raise SettingsError(f"say which station with --station NAME: {', '.join(config.stations)}")
    settings = config.station(given.station)
    patch: dict[str, object] = {}
    for setting in (*given.set, *given.changes):
        name, equals, value = setting.partition("=")
        if not equals:
            raise SettingsError(f"--set {setting}: write CONTROL=VALUE, such as tempo=72")
        try:
            patch[name] = json.loads(value.lower())
        except ValueError:
            patch[name] = value  # the control will say what it takes
    return replace(settings, controls=settings.controls.changed(patch))


def _played(given: argparse.Namespace, settings: StationSettings) -> StationSettings:
    from radio.music.instruments import parse_program

    if given.instrument is not None:
        settings = replace(settings, keys_program=parse_program(given.instrument))
    if given.no_drums:
        settings = replace(settings, controls=settings.controls.changed({"drums_mute": True}))
    return settings


def _seed_of(given: argparse.Namespace, settings: StationSettings) -> int:
    return settings.seed if given.seed is None else int(given.seed)


def _positive(word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{word}' is not a number above 0")
    return value


def _count(word: str) -> int:
    if not word.isdecimal() or not 1 <= int(word) <= 1_000:
        raise argparse.ArgumentTypeError(f"'{word}' is not a whole number from 1 to 1000")
    return int(word)


def _seed(word: str) -> int:
    if not word.isdecimal() or int(word) >= 2**63:
        raise argparse.ArgumentTypeError(f"'{word}' is not a whole number from 0 to {2**63 - 1}")
    return int(word)


def _port(word: str) -> int:
    if not word.isdecimal() or int(word) > 65_535:
        raise argparse.ArgumentTypeError(f"'{word}' is not a port from 0 to 65535")
    return int(word)
