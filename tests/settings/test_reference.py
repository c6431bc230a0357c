"""docs/settings.md and the controls in stations.yaml follow from the declarations."""

from __future__ import annotations

import pytest

from radio.settings.controls import Controls
from radio.settings.fields import settings_of
from radio.settings.server import ServerSettings
from radio.settings.station import StationSettings
from radio.settings.tone import Tone
from scripts.write_reference import REFERENCE, STATIONS, reference, stations


def test_the_committed_reference_is_up_to_date() -> None:
    assert REFERENCE.read_text(encoding="utf-8") == reference(), "run: python scripts/write_reference.py"
    assert STATIONS.read_text(encoding="utf-8") == stations(), "run: python scripts/write_reference.py"


@pytest.mark.parametrize("owner", [ServerSettings, StationSettings, Tone, Controls])
def test_the_reference_has_a_row_for_every_setting(owner: type) -> None:
    for name, setting in settings_of(owner).items():
        if name != "name":
            assert f"| `{name}` | {setting.kind.allowed} | {setting.default_text} | {setting.help} |" in reference()
