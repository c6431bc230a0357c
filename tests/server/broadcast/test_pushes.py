"""Pushes follow the settings of their station."""

from __future__ import annotations

from typing import Any

import pytest

from radio.paths import ARTWORK
from radio.server.broadcast.pushes import PUSHES
from radio.settings.push import PushSettings
from radio.settings.push_target import Key, parse
from tests.server.on_air import on_air
from tests.server.tone_worker import settings

RTMP, MOUNT = (PushSettings(parse(f"{scheme}://127.0.0.1:1/x"), Key(value="a-key")) for scheme in ("rtmp", "icecast"))


@pytest.mark.parametrize(
    ("changes", "restarted"),
    [
        ({}, []),
        ({"drum_kit": 8}, []),
        ({"title": "Renamed"}, [RTMP, MOUNT]),
        ({"description": "another tone"}, [MOUNT]),
        ({"image": ARTWORK.with_name("mine.png")}, [RTMP]),
    ],
)
async def test_a_push_restarts_only_if_something_that_its_server_shows_has_changed(
    changes: dict[str, Any], restarted: list[PushSettings]
) -> None:
    async with on_air(settings(push=(RTMP, MOUNT)), start=False) as radio:
        before = radio.app[PUSHES]._pushes["tone"]
        await radio.tone.reconfigure(settings(push=(RTMP, MOUNT), **changes))
        await radio.app[PUSHES].apply(radio.channels)
        after = radio.app[PUSHES]._pushes["tone"]
        assert [push.settings for push in after] == [RTMP, MOUNT]
        assert [new.settings for old, new in zip(before, after, strict=True) if old is not new] == restarted
        assert [old.settings for old in before if old.task.done()] == restarted
        assert not any(push.task.done() for push in after)
