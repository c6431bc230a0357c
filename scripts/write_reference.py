#!/usr/bin/env python3
"""Write the reference of all settings from their declarations in `radio.settings`.

    python scripts/write_reference.py

It writes docs/settings.md, and the controls of the first station in stations.yaml, keeping their values. A test checks
that the committed files match the declarations.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Final

from radio.settings.ambience import AmbienceLevels
from radio.settings.controls import CONTROLS, Controls
from radio.settings.fields import Setting, settings_in, settings_of
from radio.settings.push import PUSH
from radio.settings.reference import table
from radio.settings.server import ServerSettings
from radio.settings.station import StationSettings
from radio.settings.tone import Tone

_ROOT: Final = Path(__file__).parent.parent
REFERENCE: Final = _ROOT / "docs" / "settings.md"
STATIONS: Final = _ROOT / "stations.yaml"

_FIRST_CONTROLS: Final = "    controls:\n"
_COMMENT: Final = 36
"""Column of the comments on controls."""
_WIDTH: Final = 120

_LANDINGS: Final = {
    "bar": "at the next bar line",
    "loop": "when the next chord loop begins",
    "mix": "immediately",
}


def reference() -> str:
    """Return the text of docs/settings.md."""
    station = {name: setting for name, setting in settings_of(StationSettings).items() if name != "name"}
    landings = "\n".join(
        f"- {words}: {', '.join(f'`{name}`' for name, control in CONTROLS.items() if control.lands == landing)}"
        for landing, words in _LANDINGS.items()
    )
    return f"""\
# Settings

<!-- Written by scripts/write_reference.py from the declarations in radio/settings. Do not edit. -->

`stations.yaml` contains all settings. The file that comes with the radio shows each of them with its default;
`radio check` reports every mistake in your own file, with its line. A setting that is left out has its default.
Paths are absolute, start with `~`, or are relative to the folder of the file.

    server:            # settings of the server
      port: 8000
    stations:
      chill:           # name of a station: lowercase letters, digits and hyphens
        title: Chill   # settings of the station
        tone: {{gain_db: -2}}
        controls: {{tempo: 78}}
        push:
          - to: rtmp://live.twitch.tv/app
            key_env: TWITCH_KEY

## Server

{table(settings_of(ServerSettings).values())}

## Station

{table(station.values())}

The history of a station shows these settings, since its music depends on them:
{", ".join(f"`{name}`" for name, setting in station.items() if setting.uses.get("shapes_music"))}.

## Tone

{table(settings_of(Tone).values())}

## Ambience

{table(settings_of(AmbienceLevels).values())}

A mix of several is written as `ambience: {{night_insects: 0, wind: -6}}`. All are equally loud at 0 dB; `ambience_db`
in `tone` is the level of the mix. The control `ambience` plays one of them instead of the station's mix.

## Controls

Listeners can change the controls while a station plays. `controls` in `stations.yaml`, or `--set` on the command line,
gives the initial values; `radio controls` lists them.

{table(settings_of(Controls).values())}

A change takes effect:

{landings}

## Push

{table(settings_in(PUSH).values())}
"""


def stations() -> str:
    """Return the text of stations.yaml, with a line for each control in the first station."""
    before, start, rest = STATIONS.read_text(encoding="utf-8").partition(_FIRST_CONTROLS)
    block, end, after = rest.partition("\n\n")
    values = dict(re.findall(r"^ +(\w+): (\S+)", block, re.MULTILINE))
    lines = [
        line
        for name, control in CONTROLS.items()
        for line in _control_lines(control.setting, values.get(name, control.setting.default_text))
    ]
    return "".join((before, start, "\n".join(lines), end, after))


def _control_lines(setting: Setting, value: str) -> list[str]:
    """Return the lines of a control: its setting with a comment, which continues in the lines below."""
    comment = f"{setting.kind.values} [{setting.default_text}]: {setting.help}"
    first, *more = textwrap.wrap(comment, _WIDTH - _COMMENT)
    assignment = f"      {setting.name}: {value}"
    return [f"{assignment:{_COMMENT - 2}}# {first}", *(f"{'':{_COMMENT - 2}}# {line}" for line in more)]


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")
    STATIONS.write_text(stations(), encoding="utf-8")
