"""A radio with an accelerated clock: `python -m bench.soak.server CONFIG SPEED CLOCK`.

It prints its port, and then a JSON object for every minute of the broadcast.
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
import sys
from pathlib import Path
from typing import Final

from aiohttp import web

from bench.process import resident
from bench.soak.clock import SharedClock
from radio.memory import return_freed_blocks
from radio.server.app import build
from radio.server.broadcast.channel import Channel
from radio.server.broadcast.channel_set import ChannelSet
from radio.server.http.authorization import Authorization
from radio.server.http.listening import open_sockets
from radio.server.http.site import start_sites
from radio.settings.config import load
from radio.stream.relay.wall_clock import WallClock
from radio.types import SAMPLE_RATE

INTERVAL: Final = 60.0
"""Seconds of broadcast between two samples."""


def sample(channels: ChannelSet, clock: WallClock) -> dict[str, object]:
    """Return the state of the radio."""
    pids = {"server": os.getpid()} | {name: channel.pid or 0 for name, channel in channels.channels.items()}
    edges = {name: channel.edge for name, channel in channels.channels.items()}
    return {
        "at": clock.now(),
        "live": {name: edge.live / SAMPLE_RATE for name, edge in edges.items()},
        "underruns": {name: edge.underruns for name, edge in edges.items()},
        "reserve": {name: edge.reserve for name, edge in edges.items()},
        "restarts": {name: channel.restarts for name, channel in channels.channels.items()},
        "memory": {name: resident(pid) for name, pid in pids.items()},
        "descriptors": {name: len(list(Path(f"/proc/{pid}/fd").iterdir())) for name, pid in pids.items()},
    }


async def serve(config: Path, clock: SharedClock) -> None:
    """Serve the stations of a config until canceled."""
    settings = load(config)
    channels = ChannelSet(settings.stations, functools.partial(Channel, clock=clock))
    runner = web.AppRunner(
        build(channels.channels, authorization=Authorization(control=True, token=None), settings=settings.server)
    )
    await runner.setup()
    await start_sites(runner, await open_sockets(("127.0.0.1",), 0))
    await channels.start()
    print(runner.addresses[0][1], flush=True)
    following = asyncio.create_task(clock.follow(lambda: [one.edge.reserve for one in channels.channels.values()]))
    due = clock.now()
    while not following.done():
        print(json.dumps(sample(channels, clock)), flush=True)
        due += INTERVAL
        await clock.sleep(max(0.0, due - clock.now()))


if __name__ == "__main__":
    return_freed_blocks()  # as `radio serve` does
    asyncio.run(serve(Path(sys.argv[1]), SharedClock(Path(sys.argv[3]), float(sys.argv[2]))))
