"""What the radio needs on this machine: each thing looked for, and what puts it right."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from radio.errors import AudioError, RadioError, SettingsError

if TYPE_CHECKING:
    from radio.settings.push import PushSettings
    from radio.settings.station import StationSettings


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked for."""

    what: str
    found: bool
    detail: str
    """What was found, or what puts it right."""
    needed: bool = True
    """False: the radio runs without it, with less."""


def examine(config: Path | None) -> bool:
    """Print a line for each thing; return whether everything needed is there."""
    healthy = True
    for finding in look(config):
        mark = "ok  " if finding.found else "MISS" if finding.needed else "--  "
        print(f"{mark}  {finding.what}: {finding.detail}")
        healthy &= finding.found or not finding.needed
    return healthy


def look(config: Path | None) -> Iterator[Finding]:
    """Everything `radio doctor` knows of, in the order in which it matters."""
    from radio.model.engines import native_engine
    from radio.model.engines import selection as engines

    yield Finding("Python", found=True, detail=sys.version.split()[0])
    yield _tried("ffmpeg", _ffmpeg, "writes .mp3, .opus and .flac files: apt install ffmpeg")
    yield Finding("engine", found=bool(native_engine.paths()), detail=engines.describe(), needed=False)
    yield _tried("libfluidsynth", _fluidsynth, "plays the notes: apt install libfluidsynth3")
    yield from _stations(config)
    remedy = "only needed to play here: plug one in, or use `radio serve` or --output -"
    yield _tried("sound card", _sound_card, remedy, needed=False)


def _tried(what: str, attempt: Callable[[], str], remedy: str, *, needed: bool = True) -> Finding:
    try:
        return Finding(what, found=True, detail=attempt(), needed=needed)
    except (ImportError, OSError, RadioError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return Finding(what, found=False, detail="; ".join(filter(None, (reason, remedy))), needed=needed)


def _ffmpeg() -> str:
    program = shutil.which("ffmpeg")
    if program is None:
        raise FileNotFoundError("not on PATH")
    answer = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
    words = answer.stdout.split()
    return f"{words[2] if len(words) > 2 else 'of no known version'} at {program}"


def _fluidsynth() -> str:
    from radio.audio.fluid import library

    return f"loaded through {library().__name__}"


def _sound_card() -> str:
    from radio.playback.sound_card import list_sound_cards

    found = list_sound_cards()
    if not found:
        raise AudioError("none was found")
    return ", ".join(f"{card.number} {card.name}{' (default)' if card.default else ''}" for card in found)


def _stations(config: Path | None) -> Iterator[Finding]:
    """The config, with the checkpoints and soundfonts that it names."""
    from radio.settings.config import default_path, load

    path = config or default_path()
    try:
        stations = load(path).stations
    except SettingsError as error:
        for problem in error.problems:
            yield Finding("config", found=False, detail=problem)
        return
    yield Finding("config", found=True, detail=f"{path}: {', '.join(stations)}")
    yield from files(stations)


def files(stations: Mapping[str, StationSettings]) -> Iterator[Finding]:
    """Each file that stations play from, read as they would read it; `what` names the stations and the setting."""
    from radio.audio.synth import check_soundfont
    from radio.model.weights import checkpoint
    from radio.music.parts import PARTS

    def attempt(setting: str, path: Path) -> str:
        if setting == "soundfont":
            check_soundfont(path)
        else:
            weight_format = checkpoint.read(path, PARTS[setting]).packed().weight_format
            return f"{path}, {weight_format}, {path.stat().st_size / 1e6:.1f} MB"
        return f"{path}, {path.stat().st_size / 1e6:.1f} MB"

    users: dict[tuple[str, Path], list[str]] = {}
    for station in stations.values():
        for setting in ("soundfont", *PARTS):
            path: Path = getattr(station, setting)
            users.setdefault((setting, path), []).append(station.name)
    for (setting, path), names in users.items():
        # What is wrong with a soundfont is said with its remedy.
        remedy = "" if setting == "soundfont" else "export it anew, or leave the setting out for the shipped one"
        yield _tried(f"{', '.join(names)}: {setting}", partial(attempt, setting, path), remedy)
    for station in stations.values():
        yield from _pushes(station)


def _pushes(station: StationSettings) -> Iterator[Finding]:
    """The image and the keys that a station's pushes need; no key is shown."""
    from radio.push.video.picture import check_image

    def image(path: Path) -> str:
        check_image(path)
        return str(path)

    def key(push: PushSettings) -> str:
        push.key.read()
        return f"to {push.to}, the key is there"

    if station.image is not None:
        remedy = "give it as PNG or JPEG, or leave the setting out for the radio's own"
        yield _tried(f"{station.name}: image", partial(image, station.image), remedy)
    for push in station.push:
        yield _tried(f"{station.name}: push", partial(key, push), f"without it nothing is sent to {push.to}")
