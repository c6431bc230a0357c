"""`radio doctor`: check for everything that the radio needs on this machine."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from radio.cli.exit_codes import FAILED, OK
from radio.errors import AudioError, RadioError, SettingsError

if TYPE_CHECKING:
    from radio.settings.push import PushSettings
    from radio.settings.station import StationSettings


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of the check for one requirement.

    Args:
        name: The requirement; for files, the stations and the setting.
        is_ok: True if it is available.
        detail: Its version or location, or the remedy.
        is_needed: False if the radio also runs without it, with fewer features.
    """

    name: str
    is_ok: bool
    detail: str
    is_needed: bool = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command, which has none of its own."""


def run(arguments: argparse.Namespace) -> int:
    """Run the command: print a line for each requirement, and fail if a necessary one is missing."""
    is_healthy = True
    for finding in findings(arguments.config):
        mark = "ok  " if finding.is_ok else "MISS" if finding.is_needed else "--  "
        print(f"{mark}  {finding.name}: {finding.detail}")
        is_healthy &= finding.is_ok or not finding.is_needed
    return OK if is_healthy else FAILED


def findings(config: Path | None) -> Iterator[Finding]:
    """Yield a finding for each requirement, the most important first."""
    from radio.model.engines import native_engine
    from radio.model.engines import selection as engines

    yield Finding("Python", is_ok=True, detail=sys.version.split()[0])
    yield _tried("ffmpeg", _ffmpeg, "writes .mp3, .opus and .flac files: apt install ffmpeg")
    yield Finding("engine", is_ok=bool(native_engine.paths()), detail=engines.describe(), is_needed=False)
    yield _tried("libfluidsynth", _fluidsynth, "plays the notes: apt install libfluidsynth3")
    yield from _config(config)
    remedy = "only needed to play here: plug one in, or use `radio serve` or --output -"
    yield _tried("sound card", _sound_card, remedy, is_needed=False)


def files(stations: Mapping[str, StationSettings]) -> Iterator[Finding]:
    """Yield a finding for each file that stations need. Each file is read as a station would read it."""
    from radio.audio.synth import check_soundfont
    from radio.model import bass_model
    from radio.model.weights import checkpoint
    from radio.music.parts import PARTS

    def read(setting: str, path: Path) -> str:
        megabytes = path.stat().st_size / 1e6
        if setting == "soundfont":
            check_soundfont(path)
            return f"{path}, {megabytes:.1f} MB"
        if setting == "bass":
            bass_model.read(path)
            return f"{path}, {megabytes:.1f} MB"
        weight_format = checkpoint.read(path, PARTS[setting]).packed().weight_format
        return f"{path}, {weight_format}, {megabytes:.1f} MB"

    users: dict[tuple[str, Path], list[str]] = {}
    for station in stations.values():
        for setting in ("soundfont", "piano", "drums", "chords", "bass", "band"):
            path: Path | None = getattr(station, setting)
            if path is not None:
                users.setdefault((setting, path), []).append(station.name)
    unreadable: set[Path] = set()
    for (setting, path), names in users.items():
        # The error of a soundfont contains its remedy.
        remedy = "" if setting == "soundfont" else "export it again, or leave the setting out for the shipped one"
        finding = _tried(f"{', '.join(names)}: {setting}", partial(read, setting, path), remedy)
        unreadable |= set() if finding.is_ok else {path}
        yield finding
    for station in stations.values():
        if station.soundfont not in unreadable:
            yield _tried(f"{station.name}: instruments", partial(_instruments, station), "")
        if station.loops is not None:
            yield _tried(f"{station.name}: loops", partial(_loops, station.loops), "repair or remove the file")
        yield from _states(station, unreadable)
        yield from _pushes(station)


def _states(station: StationSettings, unreadable: Collection[Path]) -> Iterator[Finding]:
    """Yield a finding for each tuned state of a station whose model can be read."""
    remedy = "or leave the setting out"
    for setting in ("piano", "drums"):
        path: Path | None = getattr(station, f"{setting}_state")
        if path is not None and getattr(station, setting) not in unreadable:
            yield _tried(f"{station.name}: {setting}_state", partial(_tuned, station, setting, path), remedy)


def _tuned(station: StationSettings, setting: str, path: Path) -> str:
    from radio.model import tuned_state
    from radio.model.weights import checkpoint
    from radio.music.parts import PARTS

    tuned_state.read(path, checkpoint.read(getattr(station, setting), PARTS[setting]))
    return f"{path}, {path.stat().st_size / 1e3:.0f} kB"


def _instruments(station: StationSettings) -> str:
    from radio.station.factory import open_synth

    open_synth(station).close()
    return f"{station.soundfont.name} has them all"


def _loops(folder: Path) -> str:
    from radio.audio.loop_folder import LoopFolder

    LoopFolder(folder)
    return str(folder)


def _tried(name: str, attempt: Callable[[], str], remedy: str, *, is_needed: bool = True) -> Finding:
    """Return the finding of an attempt, which returns the detail or raises."""
    try:
        return Finding(name, is_ok=True, detail=attempt(), is_needed=is_needed)
    except (ImportError, OSError, RadioError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return Finding(name, is_ok=False, detail="; ".join(filter(None, (reason, remedy))), is_needed=is_needed)


def _ffmpeg() -> str:
    program = shutil.which("ffmpeg")
    if program is None:
        raise FileNotFoundError("not on PATH")
    output = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stdout.split()
    return f"{output[2] if len(output) > 2 else 'unknown version'} at {program}"


def _fluidsynth() -> str:
    from radio.audio.fluid import library

    return f"loaded through {library().__name__}"


def _sound_card() -> str:
    from radio.playback.sound_card import list_sound_cards

    cards = list_sound_cards()
    if not cards:
        raise AudioError("none found")
    return ", ".join(f"{card.number} {card.name}{' (default)' if card.default else ''}" for card in cards)


def _config(path: Path | None) -> Iterator[Finding]:
    """Yield findings for the config and for the files that it names."""
    from radio.settings.config import default_path, load

    path = path or default_path()
    try:
        config = load(path)
    except SettingsError as error:
        for problem in error.problems:
            yield Finding("config", is_ok=False, detail=problem)
        return
    yield Finding("config", is_ok=True, detail=f"{path}: {', '.join(config.stations)}")
    for warning in config.warnings:
        yield Finding("config", is_ok=False, detail=f"warning: {warning}", is_needed=False)
    yield from files(config.stations)


def _pushes(station: StationSettings) -> Iterator[Finding]:
    """Yield findings for the image and the keys that a station's pushes need. No key is shown."""
    from radio.push.video.picture import check_image

    def image(path: Path) -> str:
        check_image(path)
        return str(path)

    def key(push: PushSettings) -> str:
        push.secrets()
        return f"to {push.to}, with a key"

    if station.image is not None:
        remedy = "use a PNG or JPEG file, or leave the setting out for the radio's own"
        yield _tried(f"{station.name}: image", partial(image, station.image), remedy)
    for push in station.push:
        yield _tried(f"{station.name}: push", partial(key, push), f"without it nothing is sent to {push.to}")
