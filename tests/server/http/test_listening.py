from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence

import pytest

from radio.errors import ServerError
from radio.server.http.listening import open_sockets


async def addresses(hosts: Sequence[str], port: int = 0) -> list[tuple[str, int]]:
    """Open sockets and connect to each; return their addresses."""
    sockets = await open_sockets(hosts, port)
    found = []
    for listener in sockets:
        listener.listen(1)
        host, number, *_ = listener.getsockname()
        _, writer = await asyncio.open_connection({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), number)
        writer.close()
        found.append((host, number))
        listener.close()
    return found


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        (["127.0.0.1"], {"127.0.0.1"}),
        (["::"], {"0.0.0.0", "::"}),
        (["0.0.0.0", "::"], {"0.0.0.0", "::"}),
        (["127.0.0.1", "::1", "127.0.0.2"], {"127.0.0.1", "::1", "127.0.0.2"}),
        (["127.0.0.1", "127.0.0.1"], {"127.0.0.1"}),
    ],
)
async def test_all_hosts_have_the_same_port(hosts: list[str], expected: set[str]) -> None:
    found = await addresses(hosts)
    assert {host for host, _ in found} == expected
    assert len(found) == len(expected)
    assert len({port for _, port in found}) == 1


async def test_a_name_is_served_on_all_its_addresses() -> None:
    known = {info[4][0] for info in socket.getaddrinfo("localhost", 0, type=socket.SOCK_STREAM)}
    assert {host for host, _ in await addresses(["localhost"])} <= known


async def test_a_radio_that_starts_at_the_same_moment_has_the_port_in_use() -> None:
    """Otherwise both can bind the port, and the second one fails only when it begins to listen."""
    first = await open_sockets(["127.0.0.1"], 0)
    try:
        port = first[0].getsockname()[1]
        with pytest.raises(ServerError, match=f"port {port} on 127.0.0.1 is in use"):
            await open_sockets(["127.0.0.1"], port)
    finally:
        first[0].close()


async def test_the_error_for_a_port_in_use_names_its_host_and_leaves_no_socket_open() -> None:
    with socket.create_server(("127.0.0.2", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ServerError, match=rf"port {port} on 127.0.0.2 is in use.*--port"):
            await open_sockets(["127.0.0.1", "127.0.0.2"], port)
        (free,) = await open_sockets(["127.0.0.1"], port)
        free.close()


@pytest.mark.parametrize("host", ["203.0.113.7", "no.such.host.invalid"])
async def test_the_error_for_a_host_of_another_machine_names_it(host: str) -> None:
    with pytest.raises(ServerError, match=f"cannot listen on {host}"):
        await open_sockets([host], 0)
