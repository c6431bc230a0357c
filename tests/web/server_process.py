"""A server in a process that a test can suspend: `python -m tests.web.server_process`. It prints its address."""

from __future__ import annotations

import asyncio
import sys
from types import MappingProxyType

from radio.server.app import serve
from radio.settings.config import RadioConfig
from tests.server.on_air import WORKER
from tests.server.tone_worker import settings


def ready(addresses: list[str]) -> None:
    sys.stdout.write(f"{addresses[0]}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    config = RadioConfig(MappingProxyType({"tone": settings()}))
    asyncio.run(serve(config, host="127.0.0.1", port=0, on_ready=ready, worker=WORKER))
