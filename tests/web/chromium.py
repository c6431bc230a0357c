"""Debian's Chromium, headless. It starts once per test process, and every page has its own context."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

uses_browser = pytest.mark.asyncio(loop_scope="session")
"""Marks tests that use the browser: they run in its event loop."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = shutil.which("chromium")
    assert path, "the tests need Debian's chromium: scripts/system-packages --tests installs it"
    async with async_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--mute-audio"]
        chromium = await playwright.chromium.launch(executable_path=path, args=arguments)
        yield chromium
        await chromium.close()
