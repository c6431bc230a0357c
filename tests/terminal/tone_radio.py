"""The command `radio` with tones as stations: `python -m tests.terminal.tone_radio OPTIONS …`.

OPTIONS are those of `ToneStation`, as JSON. The station jazzcafe cannot be opened.
"""

from __future__ import annotations

import json
import sys

from radio.cli.main import main
from radio.errors import AudioError
from radio.settings.station import StationSettings
from radio.station import factory
from tests.tone_station import ToneStation

OPTIONS = json.loads(sys.argv[1])


def open_station(settings: StationSettings, *, seed: int) -> ToneStation:
    if settings.name == "jazzcafe":
        raise AudioError("there is no such\npiano")
    return ToneStation(**OPTIONS)


if __name__ == "__main__":
    factory.open_station = open_station  # type: ignore[assignment]
    sys.exit(main(sys.argv[2:]))
