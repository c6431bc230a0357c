from __future__ import annotations

import pytest

from radio.worker.environment import child_environment


def test_a_child_gets_the_variables_that_programs_need_and_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONTROL_TOKEN", "TWITCH_KEY", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "s3cret")
    monkeypatch.setenv("RADIO_ENGINE", "numpy")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    environment = child_environment()
    assert "s3cret" not in environment.values()
    assert {"PATH", "RADIO_ENGINE"} <= environment.keys()
    assert environment["OMP_NUM_THREADS"] == "1"
