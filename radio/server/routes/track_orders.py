"""What may be asked for in `POST /api/tracks`, and what it becomes: every fault names its field and what is allowed."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from radio.errors import ControlError, SettingsError, did_you_mean
from radio.music.instruments import parse_program
from radio.server.http.problems import ProblemError
from radio.settings.controls import Controls
from radio.settings.station import StationSettings
from radio.station.rendering import RenderOrder
from radio.types import JsonValue

SECONDS: Final = (5, 600)
COUNT: Final = (1, 8)
SEED: Final = (0, 2**53 - 1)
"""What JavaScript's numbers can hold."""

FORMATS: Final[Mapping[str, int]] = {"mp3": 32_000, "mid": 100, "wav": 192_000, "flac": 125_000, "opus": 18_000}
"""Bytes a second, at most, of each format."""

LARGEST: Final = 10**9
"""Bytes of one order; WAV files of the longest order that may be fit."""

_FIELDS: Final = ("station", "instrument", "seconds", "count", "seed", "formats", "controls")


def order(asked: Mapping[str, JsonValue], stations: Mapping[str, StationSettings]) -> RenderOrder:
    """The order that a request's body is.

    Raises:
        ProblemError: 422, with the field at fault and what is allowed there.
    """
    for name in asked:
        if name not in _FIELDS:
            raise _refused(name, f"there is no field '{name[:40]}'.{did_you_mean(name, _FIELDS)}", ", ".join(_FIELDS))
    settings = _station(asked.get("station"), stations)
    settings = replace(settings, keys_program=_instrument(asked.get("instrument", settings.keys_program)))
    settings = replace(settings, controls=_controls(asked.get("controls", {}), settings))
    seconds = _number("seconds", asked.get("seconds", 120), SECONDS)
    count = _whole("count", asked.get("count", 1), COUNT)
    seed = _whole("seed", asked.get("seed", secrets.randbelow(1_000_000)), SEED)
    formats = _formats(asked.get("formats", ["mp3", "mid"]))
    if (size := sum(FORMATS[each] for each in formats) * seconds * count) > LARGEST:
        message = f"these would be {size / 1e6:.0f} MB: ask for fewer, shorter, or in other formats than wav and flac"
        raise _refused("formats", message, f"at most {LARGEST / 1e6:.0f} MB")
    return RenderOrder(settings, seconds, tuple(range(seed, seed + count)), tuple(f".{each}" for each in formats))


def _station(name: JsonValue, stations: Mapping[str, StationSettings]) -> StationSettings:
    if isinstance(name, str) and name in stations:
        return stations[name]
    hint = did_you_mean(name, list(stations)) if isinstance(name, str) else ""
    raise _refused("station", f"say which station the music is like.{hint}", ", ".join(stations))


def _instrument(wanted: JsonValue) -> int:
    allowed = "a General MIDI name or number, 0 to 127"
    if isinstance(wanted, bool) or not isinstance(wanted, (str, int)):
        raise _refused("instrument", f"instrument: {_shown(wanted)} is not {allowed}", allowed)
    try:
        return parse_program(wanted)
    except SettingsError as error:
        raise _refused("instrument", str(error), allowed) from error


def _controls(wanted: JsonValue, settings: StationSettings) -> Controls:
    if not isinstance(wanted, dict):
        allowed = 'an object of controls, such as {"temperature": 0.9}'
        raise _refused("controls", f"controls: {_shown(wanted)} is not {allowed}", allowed)
    try:
        return settings.controls.changed(wanted)
    except ControlError as error:
        raise _refused(f"controls.{error.field}", str(error), error.allowed) from error


def _formats(wanted: JsonValue) -> Sequence[str]:
    allowed = f"a list of one or more of {', '.join(FORMATS)}"
    if (
        not isinstance(wanted, list)
        or not wanted
        or not all(isinstance(each, str) and each in FORMATS for each in wanted)
    ):
        raise _refused("formats", f"formats: {_shown(wanted)} is not {allowed}", allowed)
    return [each for each in FORMATS if each in wanted]


def _number(name: str, wanted: JsonValue, limits: tuple[int, int]) -> float:
    low, high = limits
    if isinstance(wanted, bool) or not isinstance(wanted, (int, float)) or not low <= wanted <= high:
        allowed = f"a number from {low} to {high}"
        raise _refused(name, f"{name}: {_shown(wanted)} is not {allowed}", allowed)
    return wanted


def _whole(name: str, wanted: JsonValue, limits: tuple[int, int]) -> int:
    low, high = limits
    if isinstance(wanted, bool) or not isinstance(wanted, (int, float)) or not low <= wanted <= high or wanted % 1:
        allowed = f"a whole number from {low} to {high}"
        raise _refused(name, f"{name}: {_shown(wanted)} is not {allowed}", allowed)
    return int(wanted)


def _shown(value: JsonValue) -> str:
    words = repr(value)
    return words if len(words) <= 40 else f"{words[:40]}…"


def _refused(field: str, message: str, allowed: str) -> ProblemError:
    return ProblemError(422, "not_allowed", message, field=field, allowed=allowed)
