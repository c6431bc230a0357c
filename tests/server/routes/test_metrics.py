from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Mapping

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from radio.server.routes.health import LoopLagMonitor
from radio.server.routes.metrics import Metric, text
from radio.worker.pcm_ring import RESERVE
from tests.server.on_air import DEADLINE, OnAir, on_air, until
from tests.server.tone_worker import settings


async def scrape(radio: OnAir) -> Mapping[tuple[str, ...], float]:
    """Return every sample by its name and label values. Fail if Prometheus could not parse the text."""
    async with radio.http.get(f"{radio.root}/metrics") as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        body = await response.text()
    samples = {}
    for family in text_string_to_metric_families(body):
        assert family.documentation
        assert family.type in {"gauge", "counter"}
        for sample in family.samples:
            assert sample.name.endswith("_total") == (family.type == "counter")
            key = (sample.name, *sample.labels.values())
            assert key not in samples
            samples[key] = sample.value
    return samples


async def test_metrics_report_the_state_of_a_station() -> None:
    async with on_air(settings(), settings("other")) as radio:
        async with (
            radio.http.get(f"{radio.root}/tone.opus") as stream,
            radio.http.get(f"{radio.root}/api/stations/tone/events") as events,
        ):
            await asyncio.wait_for(stream.content.readexactly(4), DEADLINE)
            await asyncio.wait_for(events.content.readexactly(4), DEADLINE)
            await until(lambda: radio.tone.edge.reserve > 1)
            metrics = await scrape(radio)
            assert metrics["radio_on_air", "tone"] == 1
            assert metrics["radio_listeners", "tone", "opus"] == 1
            assert metrics["radio_listeners", "other", "opus"] == 0
            assert metrics["radio_listeners_joined_total", "tone", "opus"] == 1
            assert metrics["radio_slow_disconnects_total", "tone", "opus"] == 0
            assert metrics["radio_event_streams", "tone"] == 1
            assert 0 < metrics["radio_reserve_seconds", "tone"] <= RESERVE + 0.1
            assert metrics["radio_worker_restarts_total", "tone"] == 0
            # The server is this process, which has imported more than a server does.
            pids = {"front": os.getpid()} | {f"station {name}": channel.pid for name, channel in radio.channels.items()}
            for process, pid in pids.items():
                resident = psutil.Process(pid).memory_info().rss
                assert metrics["radio_memory_bytes", process] == pytest.approx(resident, rel=0.5)
            assert metrics["radio_jobs", "export", "running"] == 0
            assert metrics["radio_listeners", "tone", "hls"] == 0
        assert radio.tone.pid is not None
        os.kill(radio.tone.pid, signal.SIGKILL)
        await until(lambda: radio.tone.restarts == 1)
        metrics = await scrape(radio)
        assert metrics["radio_worker_restarts_total", "tone"] == 1
        assert metrics["radio_listeners_joined_total", "tone", "opus"] == 1


async def test_metrics_are_served_before_the_radio_is_on_the_air() -> None:
    async with on_air(start=False) as radio:
        metrics = await scrape(radio)
        assert metrics["radio_on_air", "tone"] == 0
        assert ("radio_memory_bytes", "station tone") not in metrics


def test_labels_are_escaped() -> None:
    line = text([Metric("radio_a", "gauge", "Of a.", [({"station": 'a"b\\c\nd'}, 0.1), ({}, 2**53)])])
    (family,) = text_string_to_metric_families(line)
    assert [(sample.labels, sample.value) for sample in family.samples] == [
        ({"station": 'a"b\\c\nd'}, 0.1),
        ({}, float(2**53)),
    ]


async def test_the_monitor_measures_a_blocked_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radio.server.routes.health._INTERVAL", 0.05)
    monitor = LoopLagMonitor()
    task = asyncio.create_task(monitor.run())
    await asyncio.sleep(0.1)
    time.sleep(0.4)  # noqa: ASYNC251 — blocks the loop on purpose
    await until(lambda: monitor.lag > 0.3)
    task.cancel()
