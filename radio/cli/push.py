"""`radio push`: play a station to a streaming server."""

from __future__ import annotations

import argparse
import contextlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from radio.cli.arguments import add_station, load_config, station_settings
from radio.cli.exit_codes import OK
from radio.cli.logs import add_log, log_of
from radio.cli.musicgen import take_recording
from radio.cli.output import announce
from radio.cli.priming import primed
from radio.cli.signals import run_until_stopped
from radio.errors import SettingsError

if TYPE_CHECKING:
    from radio.settings.push import PushSettings
    from radio.settings.push_target import Key
    from radio.settings.station import StationSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_station(parser)
    parser.add_argument(
        "--key-env",
        metavar="NAME",
        help="environment variable with the stream key or password; without it or --key-file, you are asked for it",
    )
    parser.add_argument("--key-file", type=Path, metavar="FILE", help="file with the stream key or password")
    parser.add_argument(
        "--password-env", metavar="NAME", help="environment variable with the password of the address's user, for RTMP"
    )
    parser.add_argument("--password-file", type=Path, metavar="FILE", help="file with that password")
    parser.add_argument(
        "--image", type=Path, metavar="FILE", help="picture behind the bars, PNG or JPEG [the station's]"
    )
    parser.add_argument("--size", metavar="WxH", help="size of the picture in pixels [1280x720]")
    parser.add_argument("--fps", metavar="N", help="frames of the picture per second [30]")
    parser.add_argument("--video-bitrate", metavar="N", help="bit rate of the picture in kbit/s, 200-20000 [2500]")
    add_log(parser)
    parser.add_argument("--format", dest="mount_format", choices=("opus", "mp3"), help="format for Icecast [opus]")
    parser.add_argument(
        "address",
        help="rtmp://HOST/APP or icecast://USER@HOST:PORT/MOUNT, or with TLS rtmps:// or icecasts://, without the key, "
        "because other users of this machine can see it",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    config = load_config(arguments.config)
    settings = station_settings(arguments, config)
    take_recording(arguments)
    settings = primed(arguments, settings)
    if arguments.image is not None:
        if not arguments.image.is_file():
            raise SettingsError(f"--image: there is no file {arguments.image}")
        settings = replace(settings, image=arguments.image)
    destination = _destination(arguments)
    with contextlib.suppress(KeyboardInterrupt), log_of(arguments):  # Ctrl-C is the usual end
        push(settings, destination)
    return OK


def push(settings: StationSettings, destination: PushSettings) -> None:
    """Play a station to a server until interrupted. Print the destination.

    Raises:
        SettingsError: There is no key or password.
        StreamError: The image cannot be read.
        ServerError: The station cannot start.
        KeyboardInterrupt: A second SIGINT arrived.
    """
    from radio.paths import ARTWORK
    from radio.push.video.picture import check_image
    from radio.server.broadcast.channel import Channel
    from radio.server.broadcast.pushes import pusher

    check_image(settings.image or ARTWORK)
    destination.secrets()

    async def run_push() -> None:
        channel = Channel(settings)
        try:
            await channel.start()
            # A full disk behind standard output is no reason to stop.
            announce(f"Pushing {settings.title} to {destination.to}. Press Ctrl-C to stop.")
            await pusher(channel, destination).run()
        finally:
            await channel.stop()

    run_until_stopped(run_push())


def _destination(arguments: argparse.Namespace) -> PushSettings:
    """Return the settings of the push.

    Raises:
        SettingsError: An argument is not allowed. The message never contains a key.
    """
    from radio.settings.fields import from_word, settings_of
    from radio.settings.push import PushSettings, build
    from radio.settings.push_target import env_name

    words = {
        "to": arguments.address,
        "size": arguments.size,
        "fps": arguments.fps,
        "video_bitrate": arguments.video_bitrate,
        "format": arguments.mount_format,
    }
    settings = settings_of(PushSettings)
    try:
        values = {name: from_word(settings[name], word) for name, word in words.items() if word is not None}
        if arguments.password_env is not None:
            values["password_env"] = env_name(arguments.password_env)
        if arguments.password_file is not None:
            values["password_file"] = arguments.password_file
        return build({**values, "key": _key(arguments)})
    except ValueError as error:
        raise SettingsError(str(error)) from error


def _key(arguments: argparse.Namespace) -> Key:
    """Return the source of the key, which is never an argument, because other users can read arguments."""
    from getpass import getpass

    from radio.settings.push_target import Key, env_name

    if arguments.key_env is not None and arguments.key_file is not None:
        raise SettingsError("--key-env, --key-file: give one of them, not both")
    if arguments.key_env is not None:
        return Key(env=env_name(arguments.key_env))
    if arguments.key_file is not None:
        return Key(file=arguments.key_file)
    try:
        typed = getpass("Stream key or password: ") if sys.stdin is not None and sys.stdin.isatty() else ""
    except EOFError:  # Ctrl-D
        typed = ""
    if not typed:
        raise SettingsError("the stream key or password is missing; give --key-env NAME or --key-file FILE")
    return Key(value=typed)
