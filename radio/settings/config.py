"""Reading of stations.yaml into frozen settings. All problems are raised together, each with its line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import yaml

from radio.errors import SettingsError, did_you_mean
from radio.paths import STATIONS
from radio.settings.containers import Section
from radio.settings.fields import settings_of
from radio.settings.kinds import File
from radio.settings.server import ServerSettings
from radio.settings.station import StationSettings
from radio.settings.yaml_fields import reader, readers
from radio.settings.yaml_reader import MERGE, FaultError, Reading


@dataclass(frozen=True, slots=True)
class RadioConfig:
    """The content of `stations.yaml`.

    Args:
        stations: In the order of the file, at least one.
        server: Address and access rules of the server.
        warnings: Messages about spellings that a later version will reject, and about missing files.
    """

    stations: Mapping[str, StationSettings]
    server: ServerSettings = field(default_factory=ServerSettings)
    warnings: tuple[str, ...] = ()

    def station(self, name: str) -> StationSettings:
        """Return the station of that name. Raises SettingsError, with the nearest name, if there is none."""
        if name not in self.stations:
            known = ", ".join(self.stations)
            hint = did_you_mean(name, list(self.stations))
            raise SettingsError(f"there is no station '{name}'.{hint} Stations: {known}")
        return self.stations[name]


def default_path() -> Path:
    """Return `stations.yaml` of the working directory if it exists, otherwise the shipped file."""
    local = Path("stations.yaml")
    return local if local.is_file() else STATIONS


def load(path: Path | None = None, *, allow_missing: bool = False) -> RadioConfig:
    """Read and check a config file.

    Args:
        path: The file; None means `default_path()`.
        allow_missing: Only warn about files that are missing, because they may be added later.

    Raises:
        SettingsError: The file has problems; the message lists all of them, as `stations.yaml:12: …`, in line order.
    """
    reading = Reading(path or default_path(), allow_missing=allow_missing)
    root = reading.root()
    stations = _Stations(reading)
    server = reader(reading, Section(ServerSettings), "server")
    values = reading.mapping(root, "", {"stations": stations.read, "server": server})
    if "stations" not in values:
        reading.problem(root, "stations is missing: at least one station is needed")
    reading.check()
    settings = values.get("server")
    return RadioConfig(
        MappingProxyType(stations.settings),
        settings if isinstance(settings, ServerSettings) else ServerSettings(),
        reading.warnings,
    )


class _Stations:
    """The stations read so far."""

    def __init__(self, reading: Reading) -> None:
        self.settings: dict[str, StationSettings] = {}
        self._reading = reading
        self._declared = {name: setting for name, setting in settings_of(StationSettings).items() if name != "name"}
        self._readers = readers(reading, self._declared)
        self._default_files: set[str] = set()
        """Settings whose default file has been checked."""

    def read(self, node: yaml.Node) -> None:
        for key, value in self._reading.pairs(node, "stations"):
            self._read_station(key, value)

    def _read_station(self, key: yaml.ScalarNode, node: yaml.Node) -> None:
        reading, name = self._reading, key.value
        before = reading.problems
        try:
            settings_of(StationSettings)["name"].kind.check(name)
        except ValueError as error:
            reading.problem(key, str(error))
        values = reading.mapping(node, name, self._readers)
        written = {str(entry.value) for entry, _ in node.value} if isinstance(node, yaml.MappingNode) else {MERGE}
        for setting in () if MERGE in written else self._declared.values():
            if setting.name in written:
                continue
            if setting.is_required:
                reading.problem(key, f"{name}: {setting.name} is missing: {setting.help}")
            elif isinstance(setting.kind, File) and setting.name not in self._default_files:
                self._default_files.add(setting.name)
                self._check_default(key, setting.name)
        if reading.problems == before:
            self.settings[name] = StationSettings(name=name, **values)  # type: ignore[arg-type]  # all were checked

    def _check_default(self, key: yaml.ScalarNode, name: str) -> None:
        """Check that the default file of a setting exists. A problem is reported at the first station that needs it."""
        default = yaml.ScalarNode("tag:yaml.org,2002:str", str(self._declared[name].default), key.start_mark)
        try:
            self._readers[name](default)
        except FaultError as error:
            self._reading.problem(key, f"{key.value}: {name}: {error}")
