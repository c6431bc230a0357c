from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from radio.audio.soundfont import presets
from tests.train.instruments.riff import SoundfontFile
from train.instruments.player import Player
from train.instruments.soundfont import Preset, Sample, Zone, timecents, write

RATE = 32_000
TIME = np.arange(RATE) / RATE
SINE = Sample("sine", 0.5 * np.sin(2 * np.pi * 440 * TIME), RATE, 69, (8000, 16_000))
CLICK = Sample("a click with a name of its own", np.array([0.0, 1.0, -1.0, 0.5]), 22_050, 60)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "two.sf2"
    decay = {"volume_decay": timecents(9.6), "volume_sustain": 1440}
    keys = [Zone(SINE, (0, 80), (1, 64)), Zone(SINE, (0, 80), (65, 127), decay), Zone(SINE, (81, 127))]
    kit = [Zone(CLICK, (42, 42), generators={"exclusive_class": 1, "pan": -200}), Zone(SINE, (43, 43))]
    write(path, [Preset("Kit", 128, 3, kit), Preset("Keys", 0, 5, keys)], name="Two", comment="presets")
    return path


def test_a_written_soundfont_is_read_back(written: Path) -> None:
    assert presets(written) == {(0, 5): "Keys", (128, 3): "Kit"}
    file = SoundfontFile(written)
    sine, click = (
        next(sample for sample in file.samples if sample.name == name) for name in ("sine", "a click with a name")
    )
    np.testing.assert_allclose(sine.audio, SINE.audio, atol=1 / 32_767)
    np.testing.assert_allclose(click.audio, CLICK.audio, atol=1 / 32_767)
    assert (sine.rate, sine.root, sine.loop) == (RATE, 69, (8000, 16_000))
    low, high, top = file.zones(0, 5)
    assert (low.keys, low.velocities, low.looped) == ((0, 80), (1, 64), True)
    assert (high.velocities, high.generators[36]) == ((65, 127), timecents(9.6))
    assert top.keys == (81, 127)
    pad, _ = file.zones(128, 3)
    assert (pad.generators[57], pad.generators[17], pad.looped) == (1, -200, False)


def test_a_sample_shared_by_zones_is_stored_once(written: Path) -> None:
    assert len(SoundfontFile(written).samples) == 2


def test_fluidsynth_plays_the_loop_and_the_envelope(written: Path) -> None:
    def level(note: np.ndarray, second: float) -> float:
        piece = note[int(second * 44_100) :][:4410]
        return float(20 * np.log10(np.sqrt((piece**2).mean())))

    with Player(written) as player:
        held = player.note(0, 5, 69, 64)
        falling = player.note(0, 5, 69, 127)
    assert level(held, 2.0) == pytest.approx(level(held, 0.2), abs=0.1)
    assert level(falling, 0.5) - level(falling, 1.5) == pytest.approx(10, abs=0.2)
