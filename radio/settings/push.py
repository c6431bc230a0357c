"""The settings of one push: the server that a station is sent to, and the picture."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, get_args

from radio.errors import SettingsError
from radio.settings.containers import Section
from radio.settings.fields import check, choice, declare, number, setting, whole
from radio.settings.kinds import Parsed
from radio.settings.push_target import Key, Password, Secrets, Target, parse

FRAME_RATES: Final = (10, 12, 15, 20, 24, 25, 30, 40, 48, 50, 60)
"""Divisors of 48,000, so that every video frame begins at an audio frame."""

MountFormat: TypeAlias = Literal["opus", "mp3"]
"""The formats of an Icecast mount."""

_SIZE: Final = re.compile(r"(\d{2,4})x(\d{2,4})")
_SMALLEST, _LARGEST = 240, 3_840
_OF_PICTURE: Final = ("size", "fps", "video_bitrate", "restart_hours")


def _size(word: str) -> tuple[int, int]:
    match = _SIZE.fullmatch(word)
    width, height = (int(match[1]), int(match[2])) if match else (0, 0)
    if width % 2 or height % 2 or not (_SMALLEST <= min(width, height) <= max(width, height) <= _LARGEST):
        raise ValueError(f"'{word}' is not a size: write WIDTHxHEIGHT, two even numbers of pixels, such as 1280x720")
    return width, height


@dataclass(frozen=True, slots=True)
class Video:
    """The picture and its encoding.

    Args:
        width: In pixels, even.
        height: In pixels, even.
        fps: One of `FRAME_RATES`.
        bitrate: Constant rate of the picture, kbit/s. The sound adds 160.
    """

    width: int = 1280
    height: int = 720
    fps: int = 30
    bitrate: int = 2_500


@dataclass(frozen=True, slots=True)
class PushSettings:
    """An entry of a station's `push` list, or a push from the command line.

    Raises:
        SettingsError: Values are not allowed; the message names each one.
    """

    to: Target = field(
        metadata=declare(
            Parsed(Target, parse, "an address such as rtmp://live.twitch.tv/app"),
            help="rtmp://HOST/APP or icecast://USER@HOST:PORT/MOUNT, or with TLS rtmps:// or icecasts://, without the "
            "key or password",
        )
    )
    key: Key
    password: Password | None = None
    format: MountFormat = choice("opus", get_args(MountFormat), help="format of an Icecast mount; mp3 carries titles")
    size: tuple[int, int] = setting(
        (1280, 720),
        Parsed(tuple, _size, "a size such as 1280x720", lambda size: "x".join(map(str, size))),
        help="size of the picture in pixels, two even numbers from 240 to 3840; for RTMP",
    )
    fps: int = choice(30, FRAME_RATES, help="frames of the picture per second; for RTMP")
    video_bitrate: int = whole(
        2_500, 200, 20_000, unit="kbit/s", help="constant bit rate of the picture; the sound adds 160; for RTMP"
    )
    restart_hours: float = number(
        47, 0.1, 1_000, unit="hours", help="begin a new stream after this time; Twitch ends streams after 48; for RTMP"
    )

    def __post_init__(self) -> None:
        check(self)

    def secrets(self) -> Secrets:
        """Return the key and the password.

        Raises:
            SettingsError: One of them is missing or malformed. The message contains neither.
        """
        key = self.key.read()
        if self.to.has_picture and " " in key:
            raise SettingsError("the stream key contains a space; it must be one word")
        return Secrets(key, "" if self.password is None else self.password.read())

    @property
    def video(self) -> Video:
        """The picture and its encoding."""
        return Video(*self.size, fps=self.fps, bitrate=self.video_bitrate)


def build(values: Mapping[str, Any]) -> PushSettings:
    """Return the settings of a push from an entry of `stations.yaml`.

    Args:
        values: The given settings, by name. `key` may replace `key_env` and `key_file`.

    Raises:
        ValueError: The key is missing, or a setting does not belong to this kind of address.
    """
    options = dict(values)
    to: Target = options.pop("to")
    key = options.pop("key", None)
    sources = _sources(options, "key")
    if key is None:
        if len(sources) != 1:
            raise ValueError(
                "give key_env, the environment variable that contains the key, or key_file, the file; not both"
            )
        key = Key(**sources)
    passwords = _sources(options, "password")
    has_login = to.has_picture and bool(to.user)
    if passwords and not has_login:
        raise ValueError(
            "password_env, password_file: only for rtmp addresses with a user, such as rtmp://USER@HOST/APP"
        )
    if has_login and len(passwords) != 1:
        raise ValueError("the address has a user; give password_env or password_file, not both")
    foreign = ("format",) if to.has_picture else _OF_PICTURE
    if strays := [name for name in foreign if name in options]:
        raise ValueError(
            f"{', '.join(strays)}: only for {'icecast and icecasts' if to.has_picture else 'rtmp and rtmps'} addresses"
        )
    return PushSettings(to=to, key=key, password=Password(**passwords) if passwords else None, **options)


def _sources(options: dict[str, Any], secret: str) -> dict[str, Any]:
    """Remove the sources of a secret from `options` and return them."""
    return {name: options.pop(f"{secret}_{name}") for name in ("env", "file") if f"{secret}_{name}" in options}


PUSH: Final = Section(
    PushSettings, "an entry with to, and key_env or key_file", build, {"key_": Key, "password_": Password}
)
"""An entry of a station's `push` list."""
