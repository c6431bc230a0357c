"""Tests of the timeline module, in Chromium."""

from __future__ import annotations

import pytest

from tests.server.on_air import on_air
from tests.web.browser import OpenPage, script
from tests.web.chromium import uses_browser

pytestmark = uses_browser


async def test_the_event_history_is_bounded(open_page: OpenPage) -> None:
    """A timeline keeps the last minutes of three days of events."""
    async with on_air(start=False) as radio:
        page = await open_page(radio.root)
        tracks, bars, notes = await page.evaluate(script("three_days"))
        assert tracks <= 16
        assert bars <= 64
        assert notes <= 4_000


async def test_the_position_is_right_for_both_kinds_of_clock(open_page: OpenPage) -> None:
    async with on_air(start=False) as radio:
        page = await open_page(radio.root)
        for joined in (10, 30, 60, 85, 100, 3600):
            positions = await page.evaluate(script("playback_clocks"), joined)
            assert positions == pytest.approx([max(0, joined - 22) + 30] * 2, abs=0.2), joined
