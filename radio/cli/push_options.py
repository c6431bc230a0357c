"""What `radio push` is told on the command line: options, and what they become."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from radio.errors import SettingsError

if TYPE_CHECKING:  # `radio --help` need not wait for what reads them
    from radio.settings.push import PushSettings
    from radio.settings.push_target import Key

_ADDRESS = "rtmp://HOST/APP, rtmps://HOST/APP or icecast://USER@HOST:PORT/MOUNT, without the key: others can see it"
_KEY = "environment variable with the stream key or source's password; without it or --key-file you are asked"


def add_to(parser: argparse.ArgumentParser) -> None:
    """The options of a push, and its address."""
    parser.add_argument("--key-env", metavar="NAME", help=_KEY)
    parser.add_argument("--key-file", type=Path, metavar="FILE", help="file that holds it")
    parser.add_argument("--image", type=Path, metavar="FILE", help="picture behind the bars [the station's]")
    parser.add_argument("--size", metavar="WxH", help="of the picture in pixels [1280x720]")
    parser.add_argument("--fps", metavar="N", help="its frames a second [30]")
    parser.add_argument("--video-bitrate", metavar="N", help="its constant rate in kbit/s, 200-20000 [2500]")
    parser.add_argument("--format", dest="mount_format", choices=("opus", "mp3"), help="for Icecast [opus]")
    parser.add_argument("address", help=_ADDRESS)


def push_of(given: argparse.Namespace) -> PushSettings:
    """The push that was asked for.

    Raises:
        SettingsError: Something is not as it must be; never with a key in the message.
    """
    from radio.settings.fields import from_word, settings_of
    from radio.settings.push import PushSettings, build

    words = {
        "to": given.address,
        "size": given.size,
        "fps": given.fps,
        "video_bitrate": given.video_bitrate,
        "format": given.mount_format,
    }
    settings = settings_of(PushSettings)
    try:
        values = {name: from_word(settings[name], word) for name, word in words.items() if word is not None}
        return build({**values, "key": _key(given)})
    except ValueError as error:
        raise SettingsError(str(error)) from error


def _key(given: argparse.Namespace) -> Key:
    """Where the key is: never among the arguments, which everybody on this machine can read."""
    from getpass import getpass

    from radio.settings.push_target import Key, env_name

    if given.key_env is not None and given.key_file is not None:
        raise SettingsError("--key-env, --key-file: give one of them")
    if given.key_env is not None:
        return Key(env=env_name(given.key_env))
    if given.key_file is not None:
        return Key(file=given.key_file)
    if not sys.stdin.isatty():
        raise SettingsError("say where the stream key or password is: --key-env NAME or --key-file FILE")
    return Key(value=getpass("Stream key or password: "))
