"""stations.yaml as frozen settings: every problem at once, each with its line and the nearest name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Final

import yaml

from radio.errors import ControlError, SettingsError, did_you_mean
from radio.music import chord_loops as loops
from radio.music import chords
from radio.music.vocab import STYLES
from radio.paths import STATIONS
from radio.settings.controls import Controls
from radio.settings.engines import ENGINES
from radio.settings.push_reader import push
from radio.settings.server import ServerSettings
from radio.settings.station import LEARNT, StationSettings
from radio.settings.tone import Tone
from radio.settings.yaml_reader import (
    MERGE,
    FaultError,
    Reader,
    Reading,
    accepted,
    flag,
    number,
    one_of,
    optional,
    scalar,
    text,
    value_of,
    whole,
)
from radio.types import BURST_LIMIT, LISTENER_FORMATS

_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_LONGEST_PROGRESSION: Final = 16


@dataclass(frozen=True, slots=True)
class RadioConfig:
    """All of `stations.yaml`; stations in the order of the file, at least one."""

    stations: Mapping[str, StationSettings]
    server: ServerSettings = field(default_factory=ServerSettings)

    def station(self, name: str) -> StationSettings:
        """The station of that name. Raises SettingsError with the nearest one otherwise."""
        if name not in self.stations:
            known = ", ".join(self.stations)
            raise SettingsError(
                f"there is no station '{name}'.{did_you_mean(name, list(self.stations))} Stations: {known}"
            )
        return self.stations[name]


def default_path() -> Path:
    """`stations.yaml` of the working directory where there is one, else the shipped file."""
    own = Path("stations.yaml")
    return own if own.is_file() else STATIONS


def load(path: Path | None = None) -> RadioConfig:
    """Read and check a config file.

    Args:
        path: The file; None takes `default_path()`.

    Raises:
        SettingsError: With every problem of the file, as `stations.yaml:12: …`, in the order of its lines.
    """
    reading = Reading(path or default_path())
    return _Schema(reading).read(reading.root())


class _Schema:
    """What may stand where, and what it becomes."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._defaults_seen: set[str] = set()
        checkpoint = self._file(
            "checkpoint", "the usual ones come with the package, `python -m train export` makes others"
        )
        self._station: Mapping[str, Reader] = {
            "title": text,
            "description": text,
            "seed": whole(0, 2**63 - 1),
            "piano": checkpoint,
            "drums": checkpoint,
            "chords": checkpoint,
            "engine": one_of(ENGINES),
            "soundfont": self._file("soundfont", "the package fluid-soundfont-gm brings the usual one"),
            "keys_program": whole(0, 127),
            "bass_program": whole(0, 127),
            "drum_kit": whole(0, 127),
            "style": one_of(STYLES),
            "timing": one_of(("human", "steady")),
            "progressions": self._progressions,
            "keys": lambda node: reading.each(node, "keys", accepted(chords.pitch_class)),
            "tone": self._tone,
            "loops": optional(self._folder),
            "controls": self._controls,
            "image": optional(self._file("image", "leave the setting out for the radio's own")),
            "push": lambda node: reading.each(node, "push", push(reading, "push")),
        }

    def read(self, root: yaml.Node) -> RadioConfig:
        stations: dict[str, StationSettings] = {}

        def read_stations(node: yaml.Node) -> None:
            for key, value in self._reading.pairs(node, "stations"):
                station = self._settings(key, value)
                if station is not None:
                    stations[station.name] = station

        values = self._reading.mapping(root, "", {"stations": read_stations, "server": self._server})
        if "stations" not in values:
            self._reading.problem(root, "stations: missing: at least one is needed")
        self._reading.check()
        server = values.get("server")
        return RadioConfig(
            MappingProxyType(stations), server if isinstance(server, ServerSettings) else ServerSettings()
        )

    def _settings(self, key: yaml.ScalarNode, node: yaml.Node) -> StationSettings | None:
        reading, name = self._reading, key.value
        before = reading.problems
        if not _NAME.fullmatch(name):
            reading.problem(key, f"station '{name}': a name has small letters, digits and hyphens only")
        values = reading.mapping(node, name, self._station)
        given = {str(each.value) for each, _ in node.value} if isinstance(node, yaml.MappingNode) else None
        for setting in fields(StationSettings):
            if given is None or MERGE in given or setting.name in given or setting.name == "name":
                continue
            if setting.default is MISSING and setting.default_factory is MISSING:
                reading.problem(key, f"{name}: {setting.name} is missing")
            elif isinstance(setting.default, Path) and setting.name not in self._defaults_seen:
                self._defaults_seen.add(setting.name)  # a default names a file too, and said once is enough
                try:
                    self._station[setting.name](_at(key, str(setting.default)))
                except FaultError as fault:
                    reading.problem(key, f"{name}: {setting.name}: {fault}")
        if reading.problems > before:
            return None
        return StationSettings(name=name, **values)  # type: ignore[arg-type]  # each value went through its reader

    def _server(self, node: yaml.Node) -> ServerSettings | None:
        before = self._reading.problems
        readers: dict[str, Reader] = {
            "host": text,
            "port": whole(0, 65_535),
            "control_token": optional(text),
            "control": flag,
            "tracks": flag,
            "burst": self._burst,
            "listeners": optional(whole(1, 1_000_000)),
            "listeners_per_address": optional(whole(1, 1_000_000)),
            "hosts": lambda node: optional(self._hosts)(node) or (),
        }
        values = self._reading.mapping(node, "server", readers)
        if self._reading.problems > before:
            return None
        return ServerSettings(**values)  # type: ignore[arg-type]  # each value went through its reader

    def _burst(self, node: yaml.Node) -> Mapping[str, object]:
        """One number for all formats, or one for each; a format that is left out keeps its default."""
        seconds = number(0, BURST_LIMIT)
        if not isinstance(node, yaml.MappingNode):
            return dict.fromkeys(LISTENER_FORMATS, seconds(node))
        usual: dict[str, object] = dict(ServerSettings().burst.items())
        return usual | self._reading.mapping(node, "burst", dict.fromkeys(LISTENER_FORMATS, seconds))

    def _hosts(self, node: yaml.Node) -> tuple[object, ...]:
        return self._reading.each(node, "hosts", accepted(_host))

    def _progressions(self, node: yaml.Node) -> tuple[object, ...]:
        if isinstance(node, yaml.ScalarNode):
            one_of((LEARNT,))(node)
            return ()
        return self._reading.each(node, "progressions", self._progression)

    def _progression(self, node: yaml.Node) -> tuple[object, ...]:
        bars = self._reading.each(node, "progressions", accepted(loops.parse_bar))
        if len(bars) > _LONGEST_PROGRESSION:
            raise FaultError(node, f"a progression has at most {_LONGEST_PROGRESSION} bars, this has {len(bars)}")
        return bars

    def _path(self, node: yaml.Node) -> Path:
        return self._reading.path.parent / Path(text(node)).expanduser()

    def _file(self, what: str, remedy: str) -> Reader:
        def read(node: yaml.Node) -> Path:
            path = self._path(node)
            if not path.is_file():
                raise FaultError(node, f"there is no {what} {path}: {remedy}")
            return path

        return read

    def _folder(self, node: yaml.Node) -> Path:
        path = self._path(node)
        if not path.is_dir():
            raise FaultError(node, f"there is no folder {path}")
        return path

    def _tone(self, node: yaml.Node) -> Tone:
        """Field by field as `Tone` declares them, so that one more needs no word here."""

        def reader(name: str) -> Reader:
            def read(value: yaml.Node) -> object:
                try:
                    return getattr(Tone(**{name: value_of(value)}), name)  # type: ignore[arg-type]  # Tone checks it
                except (SettingsError, TypeError, ValueError) as error:
                    raise FaultError(value, str(error).removeprefix(f"{name}: ")) from error

            return read

        values = self._reading.mapping(node, "tone", {each.name: reader(each.name) for each in fields(Tone)})
        try:
            return Tone(**values)  # type: ignore[arg-type]  # Tone took each of them alone
        except (SettingsError, ValueError) as error:
            raise FaultError(node, str(error)) from error

    def _controls(self, node: yaml.Node) -> Controls:
        def reader(name: str) -> Reader:
            def read(value: yaml.Node) -> object:
                try:
                    return getattr(Controls().changed({name: scalar(value)}), name)
                except ControlError as error:
                    raise FaultError(value, str(error).removeprefix(f"{name}: ")) from error

            return read

        return Controls().changed(
            self._reading.mapping(node, "controls", {each.name: reader(each.name) for each in fields(Controls)})
        )


def _host(name: str) -> str:
    if not _HOST.fullmatch(name):
        raise ValueError(f"'{name}' is no host name: it has small letters, digits, hyphens and dots, and no port")
    return name


def _at(node: yaml.Node, value: str) -> yaml.ScalarNode:
    """A value that the file leaves out, standing where `node` stands."""
    return yaml.ScalarNode("tag:yaml.org,2002:str", value, node.start_mark, node.end_mark)
