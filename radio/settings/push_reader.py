"""A station's `push:` list, from the nodes of `stations.yaml` to settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, cast, get_args

import yaml

from radio.settings.push import FRAME_RATES, RESTART_HOURS, MountFormat, PushSettings, Video
from radio.settings.push_target import Key, Target, env_name, parse
from radio.settings.yaml_reader import FaultError, Reader, Reading, number, one_of, text

_SIZE: Final = re.compile(r"(\d{2,4})x(\d{2,4})")
_SMALLEST, _LARGEST = 240, 3_840
_LOWEST_RATE, _HIGHEST_RATE = 200, 20_000
_PICTURE: Final = ("size", "fps", "video_bitrate", "restart_hours")


def size(word: str) -> tuple[int, int]:
    """Width and height of `1280x720`. Raises ValueError where it is none that can be encoded."""
    match = _SIZE.fullmatch(word)
    width, height = (int(match[1]), int(match[2])) if match else (0, 0)
    if width % 2 or height % 2 or not (_SMALLEST <= min(width, height) <= max(width, height) <= _LARGEST):
        raise ValueError(f"'{word}' is no size: write WIDTHxHEIGHT, two even numbers of pixels, such as 1280x720")
    return width, height


def frame_rate(word: str) -> int:
    """Frames a second. Raises ValueError where it is none that divides our 48 000 samples."""
    if not word.isdecimal() or int(word) not in FRAME_RATES:
        raise ValueError(f"'{word}' is no frame rate of ours: {', '.join(map(str, FRAME_RATES))}")
    return int(word)


def video_bitrate(word: str) -> int:
    """A rate in kbit/s. Raises ValueError where no service would take it."""
    if not word.isdecimal() or not _LOWEST_RATE <= int(word) <= _HIGHEST_RATE:
        raise ValueError(f"'{word}' is not a whole number from {_LOWEST_RATE} to {_HIGHEST_RATE}, in kbit/s")
    return int(word)


def push(reading: Reading, where: str) -> Reader:
    """A reader of one entry; `where` goes before its problems."""

    def read(node: yaml.Node) -> PushSettings | None:
        before = reading.problems
        readers: dict[str, Reader] = {
            "to": _parsed(parse),
            "key_env": _parsed(env_name),
            "key_file": lambda each: reading.path.parent / Path(text(each)).expanduser(),
            "format": one_of(get_args(MountFormat)),
            "size": _parsed(size),
            "fps": _parsed(frame_rate),
            "video_bitrate": _parsed(video_bitrate),
            "restart_hours": number(0.1, 1_000),
        }
        values = reading.mapping(node, where, readers)
        if reading.problems > before:
            return None
        return _settings(node, values)

    return read


def _settings(node: yaml.Node, values: dict[str, object]) -> PushSettings:
    to = values.pop("to", None)
    if not isinstance(to, Target):
        raise FaultError(node, "to is missing: the address, such as rtmp://live.twitch.tv/app")
    if ("key_env" in values) == ("key_file" in values):
        raise FaultError(node, "give key_env, the environment variable that holds the key, or key_file, not both")
    key = Key(
        env=cast("str | None", values.pop("key_env", None)), file=cast("Path | None", values.pop("key_file", None))
    )
    try:
        return assembled(to, key, values)
    except ValueError as error:
        raise FaultError(node, str(error)) from error


def assembled(to: Target, key: Key, options: Mapping[str, object]) -> PushSettings:
    """A push with the options that are given, by the names they have in `stations.yaml`; the others are as usual.

    Raises:
        ValueError: One that this kind of address does not have.
    """
    foreign = ("format",) if to.has_picture else _PICTURE
    if strays := [name for name in foreign if name in options]:
        other = "icecast" if to.has_picture else "rtmp and rtmps"
        raise ValueError(f"{', '.join(strays)}: only for {other} addresses")
    usual = Video()
    width, height = cast("tuple[int, int]", options.get("size", (usual.width, usual.height)))
    fps, bitrate = options.get("fps", usual.fps), options.get("video_bitrate", usual.bitrate)
    return PushSettings(
        to=to,
        key=key,
        format=cast("MountFormat", options.get("format", "opus")),
        video=Video(width=width, height=height, fps=cast("int", fps), bitrate=cast("int", bitrate)),
        restart_hours=cast("float", options.get("restart_hours", RESTART_HOURS)),
    )


def _parsed(parse_word: Callable[[str], object]) -> Reader:
    """What `parse_word` makes of a word."""

    def read(node: yaml.Node) -> object:
        try:
            return parse_word(text(node))
        except ValueError as error:
            raise FaultError(node, str(error)) from error

    return read
