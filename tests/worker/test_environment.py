from __future__ import annotations

import pytest

from radio.worker.environment import child_environment


def test_a_child_gets_the_variables_that_programs_need_and_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONTROL_TOKEN", "TWITCH_KEY", "AWS_SECRET_ACCESS_KEY", "RADIO_ICECAST_PASSWORD"):
        monkeypatch.setenv(name, "s3cret")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    environment = child_environment()
    assert "s3cret" not in environment.values()
    assert {"PATH", "LC_ALL"} <= environment.keys()
    assert environment["OMP_NUM_THREADS"] == "1"
