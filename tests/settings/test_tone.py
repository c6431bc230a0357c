from __future__ import annotations

import pytest

from radio.errors import SettingsError
from radio.settings.controls import LAYERS
from radio.settings.fields import settings_of
from radio.settings.kinds import Number
from radio.settings.tone import Tone


def test_every_number_has_a_range_around_its_default_and_a_unit() -> None:
    for name, setting in settings_of(Tone).items():
        assert isinstance(setting.kind, Number), name
        assert setting.kind.low <= setting.default <= setting.kind.high, name
        assert setting.kind.unit, name


def test_every_layer_has_a_trim() -> None:
    assert {f"{layer}_db" for layer in LAYERS} <= set(settings_of(Tone))


def test_all_faults_are_reported_together() -> None:
    with pytest.raises(SettingsError) as raised:
        Tone(keys_lowpass=5.0, gain_db=float("nan"), drive_db=10**400, ceiling_db=1.0, room_db=True)
    assert [line.split(":")[0] for line in raised.value.problems] == [
        "keys_lowpass",
        "room_db",
        "drive_db",
        "gain_db",
        "ceiling_db",
    ]
    assert "a number from 200 to 20000 Hz" in raised.value.problems[0]
