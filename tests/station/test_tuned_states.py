"""A station whose models begin each piece with the tuned states named in `stations.yaml`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from radio.cli.doctor import files
from radio.compose.composer import Composer
from radio.errors import ModelError
from radio.model import tuned_state
from radio.model.spec.rwkv import Rwkv6Spec
from radio.settings.station import StationSettings
from radio.station.factory import open_composer
from tests.model.models import checkpoint as random_model
from tests.station import test_station

settings = test_station.settings


def write_state(path: Path, part: str, size: float) -> Path:
    model = random_model(part)
    assert isinstance(model.spec, Rwkv6Spec)
    wkv = np.random.default_rng(8).normal(0, size, tuned_state.wkv_shape(model.spec)).astype(np.float32)
    tuned_state.write(path, tuned_state.TunedState(wkv, tuned_state.fingerprint(model), {}))
    return path


def bars(composer: Composer, station: StationSettings, count: int = 6) -> list[tuple[object, object]]:
    played = [composer.next_bar(station.controls).events for _ in range(count)]
    return [(events["keys"], events["drums"]) for events in played]


def test_each_part_begins_with_its_own_state(settings: StationSettings, tmp_path: Path) -> None:
    plain = bars(open_composer(settings, 3), settings)
    tuned = replace(settings, piano_state=write_state(tmp_path / "piano.safetensors", "piano", 0.5))
    keys, drums = zip(*bars(open_composer(tuned, 3), tuned), strict=True)
    plain_keys, plain_drums = zip(*plain, strict=True)
    assert keys != plain_keys
    assert drums == plain_drums
    drummed = replace(settings, drums_state=write_state(tmp_path / "drums.safetensors", "drums", 0.5))
    keys, drums = zip(*bars(open_composer(drummed, 3), drummed), strict=True)
    assert drums != plain_drums
    assert keys == plain_keys


def test_states_of_zeros_change_nothing(settings: StationSettings, tmp_path: Path) -> None:
    zeros = replace(
        settings,
        piano_state=write_state(tmp_path / "piano.safetensors", "piano", 0.0),
        drums_state=write_state(tmp_path / "drums.safetensors", "drums", 0.0),
    )
    assert bars(open_composer(zeros, 3), zeros) == bars(open_composer(settings, 3), settings)


def test_a_composer_with_a_tuned_state_continues_from_where_it_was_saved(
    settings: StationSettings, tmp_path: Path
) -> None:
    tuned = replace(settings, piano_state=write_state(tmp_path / "piano.safetensors", "piano", 0.5))
    first, other = open_composer(tuned, 3), open_composer(tuned, 4)
    bars(first, tuned)
    other.restore(first.save())
    assert bars(other, tuned, 40) == bars(first, tuned, 40)


def test_the_doctor_and_the_station_refuse_a_state_of_another_model(settings: StationSettings, tmp_path: Path) -> None:
    wrong = replace(settings, drums_state=write_state(tmp_path / "piano.safetensors", "piano", 0.5))
    with pytest.raises(ModelError, match="tune one for the drums model in use"):
        open_composer(wrong, 3)
    (finding,) = [finding for finding in files({"chill": wrong}) if finding.name.endswith("drums_state")]
    assert not finding.is_ok
    right = replace(settings, drums_state=write_state(tmp_path / "drums.safetensors", "drums", 0.5))
    (finding,) = [finding for finding in files({"chill": right}) if finding.name.endswith("drums_state")]
    assert finding.is_ok
