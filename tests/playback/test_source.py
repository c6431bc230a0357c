"""Sources of the player: stations that compose ahead, and their loader."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from threading import Event

from radio.paths import STATIONS
from radio.playback.source import PlayerSource, SourceLoader
from radio.settings.config import load
from radio.settings.station import StationSettings
from radio.types import SAMPLE_RATE
from tests.playback.pulseaudio import wait_for
from tests.tone_station import ToneStation

ONE = next(iter(load(STATIONS).stations.values()))


def test_a_source_allows_music_changes_only_while_there_is_time_to_recompose() -> None:
    station = ToneStation()
    source = PlayerSource(station, ONE)
    try:
        source.render(SAMPLE_RATE // 2)
        assert source.can_change({"tempo": 80, "drums_mute": True})
        source.render(SAMPLE_RATE // 2 - 4000)
        assert not source.can_change({"tempo": 80, "drums_mute": True})
        assert source.can_change({"drums_mute": True})
    finally:
        source.close()
    assert station.closed


def test_a_source_that_composes_slowly_needs_music_changes_earlier() -> None:
    class SlowStation(ToneStation):
        def prepare(self) -> None:
            time.sleep(0.2)

    source = PlayerSource(SlowStation(), ONE)
    try:
        wait_for(lambda: source._compose_time > 0, "a bar is composed")
        source.render(SAMPLE_RATE * 6 // 10)
        assert not source.can_change({"tempo": 80})  # 0.4 s are left, but twice 0.2 s plus a margin are needed
    finally:
        source.close()


def test_a_loader_closed_while_loading_closes_the_station() -> None:
    started, go, station = Event(), Event(), ToneStation()

    def slow(_: StationSettings) -> ToneStation:
        started.set()
        go.wait(90)
        return station

    loader = SourceLoader(slow)
    loader.load(replace(ONE, title="Slow"))
    assert started.wait(90)
    threading.Timer(0.05, go.set).start()
    loader.close()
    assert station.closed
    assert loader.take() is None
