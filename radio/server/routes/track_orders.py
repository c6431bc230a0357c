"""Conversion of the body of `POST /api/tracks` to an order for the job queue."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final, get_args

from msgspec import UNSET

from radio.errors import ControlError, SettingsError, did_you_mean
from radio.music.instruments import parse_program
from radio.music.played_instruments import ANY
from radio.prompt.changes import understand, with_changes
from radio.server.api.controls import ControlValues
from radio.server.api.tracks import TrackFormat, TrackOrder
from radio.server.http.validation import refused, shown
from radio.settings.controls import Controls
from radio.settings.station import StationSettings
from radio.station.extent import TimedExcerpt, WholeTracks
from radio.station.tasks import RenderOrder
from radio.types import Seconds

BYTE_RATES: Final[Mapping[TrackFormat, int]] = {
    "mp3": 32_000,
    "mid": 100,
    "wav": 192_000,
    "flac": 125_000,
    "opus": 18_000,
}
"""Upper bound on the bytes per second of each format."""

MAX_BYTES: Final = 10**9
"""Maximum size of an order in bytes; the longest order fits as WAV."""

LONGEST_TRACK: Final[Seconds] = 320.0
"""Upper bound on the length of a track: the longest form at the slowest tempo of a station."""

_PROMPT: Final = "words about the music, such as slow, rain, felt piano, no drums"
_INSTRUMENT: Final = "a General MIDI name or number, 0 to 127"


def render_order(order: TrackOrder, stations: Mapping[str, StationSettings]) -> RenderOrder:
    """Return the order for the job queue.

    Raises:
        ProblemError: 422, with the wrong field and its allowed values.
    """
    if order.station not in stations:
        hint = did_you_mean(order.station, list(stations))
        names = station_names(stations)
        raise refused("station", f"station: '{shown(order.station)}' is not {names}.{hint}", names)
    settings = stations[order.station]
    not_understood: tuple[str, ...] = ()
    if order.prompt:
        settings, not_understood = _prompted(order.prompt, settings)
    if order.instrument is not UNSET:
        own = settings.controls.changed({"keys_instrument": ANY})
        settings = replace(settings, keys_program=_program(order.instrument), controls=own)
    settings = replace(settings, controls=_controls(order.controls, settings))
    formats = [format_ for format_ in get_args(TrackFormat) if format_ in order.formats]
    extent = _extent(order)
    seconds = LONGEST_TRACK * extent.count if isinstance(extent, WholeTracks) else extent.seconds
    size = sum(BYTE_RATES[format_] for format_ in formats) * seconds * order.count
    if size > MAX_BYTES:
        message = f"the files would take {size / 1e6:.0f} MB; order fewer or shorter tracks, or no wav and flac"
        raise refused("formats", message, f"at most {MAX_BYTES / 1e6:.0f} MB")
    seed = secrets.randbelow(1_000_000) if order.seed is UNSET else order.seed
    endings = tuple(f".{format_}" for format_ in formats)
    return RenderOrder(settings, extent, tuple(range(seed, seed + order.count)), endings, not_understood)


def station_names(stations: Iterable[str]) -> str:
    """Return the stations that an order may name, in words."""
    return f"one of {', '.join(stations)}"


def _prompted(words: str, settings: StationSettings) -> tuple[StationSettings, tuple[str, ...]]:
    """Return a station changed by words, and the phrases of the words without an audible effect."""
    understanding = understand(words, settings, settings.controls)
    if not understanding.says_something:
        raise refused("prompt", f"no part of '{shown(words)}' was understood", _PROMPT)
    return with_changes(settings, understanding), tuple(phrase.text for phrase in understanding.not_understood)


def _extent(order: TrackOrder) -> WholeTracks | TimedExcerpt:
    """Return the extent of the music in each file."""
    if order.seconds is UNSET:
        return WholeTracks(1 if order.tracks is UNSET else order.tracks)
    if order.tracks is not UNSET:
        message = "tracks and seconds are mutually exclusive; order whole tracks or a length"
        raise refused("tracks", message, "no value together with seconds")
    return TimedExcerpt(order.seconds)


def _program(instrument: str | int) -> int:
    try:
        return parse_program(instrument)
    except SettingsError as error:
        raise refused("instrument", str(error), _INSTRUMENT) from error


def _controls(values: ControlValues, settings: StationSettings) -> Controls:
    try:
        return settings.controls.changed(values)
    except ControlError as error:
        raise refused(f"controls.{error.field}", str(error), error.allowed) from error
