"""Many HTTP listeners in one cheap process: `python -m bench.clients HOST PORT PATH COUNT`.

Prints `ready` and the bytes received once all listeners have their bursts. After a line on standard input, it prints a
JSON report. A listener plays as soon as its first audio arrives, and starves when its buffer runs empty.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from dataclasses import dataclass

from radio.types import SAMPLE_RATE, Seconds

_JOINING = 0.004
"""Seconds between two connections: 250 per second."""
_SETTLED: Seconds = 5.0
"""The time after which a burst is complete and the listener is measured."""
_GRANULE = slice(6, 14)


@dataclass(slots=True)
class Client:
    """A listener that measures its buffered audio by granule positions."""

    socket: socket.socket
    head: bytes | None = b""
    """The part of the response's header received so far; None once it is complete."""
    first: int = -1
    last: int = -1
    began: float = 0.0
    least: Seconds = float("inf")
    """The lowest level of the buffer so far."""
    bytes: int = 0
    ended: bool = False

    def read(self, now: float) -> None:
        """Read from the socket and update the granule positions."""
        data = self.socket.recv(1 << 16)
        if not data:
            self.ended = True
            return
        self.bytes += len(data)
        if self.head is not None:
            self.head += data
            status, end, data = self.head.partition(b"\r\n\r\n")
            if not end:
                return
            if b" 200 " not in status.partition(b"\r\n")[0]:
                raise SystemExit(f"a listener was refused: {status.decode(errors='replace')}")
            self.head = None
        self.update_least(now)  # the buffer before this audio arrived
        page = data.rfind(b"OggS")
        if page >= 0 and len(data) - page >= _GRANULE.stop:
            granule = int.from_bytes(data[page:][_GRANULE], "little", signed=True)
            if granule > 0:
                self.last = granule
                if self.first < 0:
                    self.began = now
                    first = data.find(b"OggS", max(0, data.find(b"OpusTags")))
                    self.first = int.from_bytes(data[first:][_GRANULE], "little", signed=True)

    def update_least(self, now: float) -> None:
        """Update `least` at the time `now`."""
        if self.first >= 0 and now - self.began > _SETTLED:
            self.least = min(self.least, (self.last - self.first) / SAMPLE_RATE - (now - self.began))


def main() -> None:
    """Connect, listen, and report."""
    host, port, path, count = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    poll, clients = select.epoll(), dict[int, Client]()
    poll.register(sys.stdin, select.EPOLLIN)
    request = f"GET {path} HTTP/1.0\r\nHost: {host}:{port}\r\n\r\n".encode()
    joined, ready = time.monotonic(), False
    while True:
        now = time.monotonic()
        while len(clients) < count and now - joined > _JOINING * len(clients):
            connection = socket.create_connection((host, port))
            connection.sendall(request)
            connection.setblocking(False)
            clients[connection.fileno()] = Client(connection)
            poll.register(connection, select.EPOLLIN)
        settled = len(clients) == count and all(
            client.began and now - client.began > 2 * _SETTLED for client in clients.values()
        )
        if settled and not ready:
            ready = True
            print("ready", sum(client.bytes for client in clients.values()), flush=True)
        for number, _ in poll.poll(0.05):
            if number == sys.stdin.fileno():
                _report(list(clients.values()))
                return
            clients[number].read(time.monotonic())
            if clients[number].ended:
                poll.unregister(number)


def _report(clients: list[Client]) -> None:
    now = time.monotonic()
    for client in clients:
        client.update_least(now)
    least = sorted(client.least for client in clients)
    print(
        json.dumps(
            {
                "listeners": len(clients),
                "ended": sum(client.ended for client in clients),
                "starved": sum(seconds < 0 for seconds in least),
                "least": least[0],
                "median": least[len(least) // 2],
                "bytes": sum(client.bytes for client in clients),
            }
        )
    )


if __name__ == "__main__":
    main()
