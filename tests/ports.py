"""Free ports for servers that cannot choose one themselves."""

from __future__ import annotations

import random
import socket
from pathlib import Path

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


def is_listening(port: int) -> bool:
    """Return True if a program listens on a port of 127.0.0.1. Unlike a connection, this leaves the program alone."""
    address, listening = f"0100007F:{port:04X}", "0A"  # proc_pid_net(5)
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return any((row[1], row[3]) == (address, listening) for row in rows)
