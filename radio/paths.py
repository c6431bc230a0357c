"""Files that come with the package."""

from __future__ import annotations

from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).parent
CHECKPOINTS: Final = PACKAGE / "checkpoints"
DRUM_TIMINGS: Final = CHECKPOINTS / "timing.json"
"""The times at which drummers strike, style by style; `radio.compose.drum_timing` reads them."""
WEB: Final = PACKAGE / "web"
FONTS: Final = WEB / "fonts"
ARTWORK: Final = PACKAGE / "push" / "art" / "night.jpg"
"""The picture of a push where a station has none of its own."""

_IN_WHEEL: Final = PACKAGE / "stations.yaml"
STATIONS: Final = _IN_WHEEL if _IN_WHEEL.exists() else PACKAGE.parent / "stations.yaml"
"""The stations that come with the radio: in the package of a wheel, at the top of a checkout."""
