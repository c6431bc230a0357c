"""Free ports for servers that cannot choose one themselves."""

from __future__ import annotations

import random
import socket

_PORTS = range(20_000, 32_000)
"""Below the range that Linux uses for outgoing connections, so that no other test's connection takes one."""


def free_port() -> int:
    """Return a free port of 127.0.0.1, drawn at random so that tests in other processes get different ones."""
    while True:
        port = random.SystemRandom().choice(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
