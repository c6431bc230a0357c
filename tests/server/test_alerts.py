"""The alerts in `docs/alerts.yml`, evaluated by promtool, and the metrics that operators' files refer to."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml

from tests.server.on_air import on_air

ROOT = Path(__file__).parents[2]
RULES = ROOT / "docs" / "alerts.yml"
DASHBOARD = ROOT / "configs" / "deploy" / "grafana-radio.json"

STATION = '{station="chill"}'
SERIES = {
    "RadioDown": ('up{job="radio"}', "1x20", "0x20"),
    "StationOffAir": (f"radio_on_air{STATION}", "1x20", "0x20"),
    "MusicMissing": ('radio_tier{station="chill",tier="repeat"}', "0x9 1 0x10", "1x20"),
    "StationBroke": ('radio_faults_total{station="chill",fault="silent"}', "1x20", "0x10 1x10"),
    "StationLate": (f"radio_late_seconds_total{STATION}", "5x20", "0+0.2x20"),
    "ListenersStarved": (f"radio_starvations_total{STATION}", "0+0.1x20", "0+20x20"),
    "StationMuted": (f"radio_muted{STATION}", "0x5 1x5 0x10", "1x20"),
    "ReserveLow": (f"radio_reserve_seconds{STATION}", "20x4 2 20x15", "4x20"),
    "WorkerRestarts": (f"radio_worker_restarts_total{STATION}", "0x5 1x15", "0+1x20"),
    "EncoderRestarts": (f"radio_encoder_restarts_total{STATION}", "0x5 1x15", "0+1x20"),
    "EventLoopSlow": ("radio_event_loop_lag_seconds", "0.1x20", "0.9x20"),
    "PushDown": ('radio_push_connected{station="chill",push="0",to="rtmp://a"}', "1x4 0 1x15", "0x20"),
    "SlowListeners": (f"radio_slow_disconnects_total{STATION}", "0+0.2x20", "0+20x20"),
    "MemoryHigh": ('radio_memory_bytes{process="front"}', "110000000x20", "400000000x20"),
}
"""For each alert: a series, values that must not fire it, and values that must; one value per 30 seconds."""

TIME = "10m"


def rules() -> list[dict[str, str]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def promtool(folder: Path, tests: list[dict[str, object]]) -> subprocess.CompletedProcess[str]:
    path = folder / "tests.yml"
    path.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "30s", "tests": tests}))
    return subprocess.run(["promtool", "test", "rules", str(path)], capture_output=True, text=True, check=False)


def case(alert: str, series: str, values: str, *, fires: bool) -> dict[str, object]:
    labels = dict(re.findall(r'(\w+)="([^"]*)"', series))
    expected = {"exp_labels": labels}
    inputs = [{"series": series, "values": values}]
    if alert in {"SlowListeners", "ListenersStarved"}:
        inputs.append({"series": 'radio_listeners{station="chill",format="opus"}', "values": "100x20"})
    return {
        "interval": "30s",
        "input_series": inputs,
        "alert_rule_test": [{"eval_time": TIME, "alertname": alert, "exp_alerts": [expected] if fires else []}],
    }


def test_every_alert_has_a_test_series() -> None:
    assert {rule["alert"] for rule in rules()} == set(SERIES)


@pytest.mark.parametrize("alert", SERIES)
def test_an_alert_fires_only_on_bad_values(alert: str, tmp_path: Path) -> None:
    series, well, wrong = SERIES[alert]
    done = promtool(tmp_path, [case(alert, series, well, fires=False)])
    assert done.returncode == 0, done.stdout + done.stderr
    # promtool compares annotations too, so a fired alert is recognized by its name in the printed difference.
    done = promtool(tmp_path, [case(alert, series, wrong, fires=False)])
    assert done.returncode == 1
    assert f'alertname="{alert}"' in done.stdout + done.stderr


def metrics_of(expressions: Iterable[str]) -> set[str]:
    return {name for expression in expressions for name in re.findall(r"\bradio_\w+", expression)}


async def test_rules_and_dashboard_refer_only_to_metrics_that_exist() -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    named = metrics_of(target["expr"] for panel in panels for target in panel["targets"])
    named |= metrics_of(rule["expr"] for rule in rules())
    async with on_air() as radio, radio.http.get(f"{radio.root}/metrics") as response:
        served = set(re.findall(r"^# HELP (\w+)", await response.text(), re.MULTILINE))
    assert named - served == set()


def test_the_runbook_has_an_entry_for_each_alert() -> None:
    runbook = (ROOT / "docs" / "operations.md").read_text()
    assert [rule["alert"] for rule in rules() if f"### {rule['alert']}" not in runbook] == []
