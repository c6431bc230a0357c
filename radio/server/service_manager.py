"""The interface to a service manager: readiness, the watchdog, and the sockets that it passes.

systemd defines the protocol (sd_notify(3), sd_listen_fds(3)); some container runtimes speak it too. Without a service
manager nothing is sent.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Final

from radio.types import Seconds

_FIRST_DESCRIPTOR: Final = 3
_FEEDS_PER_LIMIT: Final = 3
"""The watchdog is fed this often within its limit, so that one late feed does no harm."""


class ServiceManager:
    """The service manager that started this process, if there is one.

    Args:
        environment: The manager's variables are removed from it, so that child processes send it nothing.
    """

    def __init__(self, environment: dict[str, str] | os._Environ[str]) -> None:
        self._address = environment.pop("NOTIFY_SOCKET", "")
        limit = _own(environment, "WATCHDOG_PID", "WATCHDOG_USEC")
        self.watchdog_limit: Seconds | None = limit / 1e6 if limit else None
        """Longest time between two feeds of the watchdog; None if there is no watchdog."""
        self._sockets = _own(environment, "LISTEN_PID", "LISTEN_FDS")
        environment.pop("LISTEN_FDNAMES", None)

    def sockets(self) -> list[socket.socket]:
        """Return the listening sockets that were passed to this process."""
        descriptors = range(_FIRST_DESCRIPTOR, _FIRST_DESCRIPTOR + self._sockets)
        passed = [socket.socket(fileno=descriptor) for descriptor in descriptors]
        for item in passed:
            item.setblocking(False)
            os.set_inheritable(item.fileno(), False)
        return passed

    def notify(self, **fields: str) -> None:
        """Send a message such as `READY="1"`. Ignore a manager that does not listen."""
        if not self._address:
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        message = "\n".join(f"{name}={value}" for name, value in fields.items())
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.setblocking(False)
            try:
                sender.sendto(message.encode(), address)
            except OSError:
                return

    async def feed_watchdog(self, progress: Callable[[], object]) -> None:
        """Feed the watchdog until cancelled, as long as `progress` returns a different value each time."""
        if self.watchdog_limit is None:
            return
        before: object = None
        while True:
            await asyncio.sleep(self.watchdog_limit / _FEEDS_PER_LIMIT)
            after = progress()
            if after != before:
                self.notify(WATCHDOG="1")
            before = after


def _own(environment: dict[str, str] | os._Environ[str], owner: str, name: str) -> int:
    """Remove two variables, and return the number in `name`, or 0 if `owner` names another process."""
    pid, value = environment.pop(owner, ""), environment.pop(name, "")
    return int(value) if value.isdecimal() and pid in {"", str(os.getpid())} else 0
