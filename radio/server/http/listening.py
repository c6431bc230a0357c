"""Listening sockets: one for each address, all on the same port."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from radio.errors import ServerError

BACKLOG: Final = 1_024
"""Connections that may wait to be accepted."""

_ATTEMPTS: Final = 16
"""Attempts to find a port that is free on every address."""
_NO_FAMILY: Final = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
"""Errors for an address of a family that this machine does not use."""

_Address: TypeAlias = "tuple[socket.AddressFamily, tuple[str, int]]"


async def open_sockets(hosts: Sequence[str], port: int) -> list[socket.socket]:
    """Return listening sockets for addresses or names, all on one port; port 0 picks a free one.

    `::` means all interfaces, IPv4 included. A name may have an address in a family that this machine does not use.

    Raises:
        ServerError: The port is in use, or a host is not an address of this machine.
    """
    for attempt in range(_ATTEMPTS):
        sockets: list[socket.socket] = []
        try:
            for host in _spread(hosts):
                bound_port = sockets[0].getsockname()[1] if sockets else port
                sockets += _bound(host, bound_port, await _addresses(host))
        except ServerError as error:
            for opened in sockets:
                opened.close()
            busy = isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EADDRINUSE
            if port or not busy or attempt == _ATTEMPTS - 1:
                raise
        else:
            return sockets
    raise ServerError("no port is free on every address")


def _spread(hosts: Iterable[str]) -> list[str]:
    """Return the hosts without repetitions, with both families in place of `::`."""
    both = [name for host in hosts for name in (("0.0.0.0", "::") if host == "::" else (host,))]  # noqa: S104 — asked for
    return list(dict.fromkeys(both))


async def _addresses(host: str) -> list[_Address]:
    try:
        infos = await asyncio.get_running_loop().getaddrinfo(
            host or None, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        raise ServerError(f"cannot listen on {host}: {error.strerror or error}") from error
    return list(dict.fromkeys((family, address) for family, _, _, _, address in infos))  # type: ignore[misc]


def _bound(host: str, port: int, addresses: Sequence[_Address]) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    problem: OSError | None = None
    for family, (name, *_) in addresses:
        bound_port = sockets[0].getsockname()[1] if sockets else port
        try:
            sockets.append(_listening(family, name, bound_port))
        except OSError as error:
            problem = error
            if error.errno not in _NO_FAMILY:
                break
    if problem is None or (sockets and problem.errno in _NO_FAMILY):
        return sockets
    for opened in sockets:
        opened.close()
    if problem.errno == errno.EADDRINUSE:
        message = f"port {port} on {host} is in use: choose another with --port, or --port 0 for any free one"
    else:
        message = f"cannot listen on {host}, port {port}: {problem.strerror or problem}"
    raise ServerError(message) from problem


def _listening(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:  # IPv4 has its own socket, so that clients appear with their usual addresses
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.setblocking(False)
        listener.bind((address, port))
        listener.listen(BACKLOG)  # fails if another process has just begun to listen
    except BaseException:
        listener.close()
        raise
    return listener
