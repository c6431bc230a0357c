"""A mount's live edge: a bounded ring of stamped pages, and listeners as offsets into it.

The station delivers pages a little ahead of time. The relay lets each one out when the wall clock reaches it, to every
listener at once, and waits for none of them: who cannot take a page now finds it in the ring later, and who falls too
far behind is disconnected. No byte is ever left out of a stream.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from radio.stream.ogg import FIRST_SEQUENCE, Page
from radio.types import SAMPLE_RATE, Frames, Seconds

HISTORY: Seconds = 60.0
"""How much of the past the ring keeps."""

LAG_LIMIT: Seconds = 30.0
"""A listener further behind than this is disconnected; half the ring, so that the page it needs is always there."""

BURST_LIMIT: Seconds = 25.0
"""Longest burst: well within the lag limit, for a listener starts that far behind and needs time to take it."""

PORTION = 16 * 1024
"""Most bytes that are handed over at once: in a burst, 16 times the pace of live audio.

More at once makes Linux enlarge the listener's receive buffer, and it then takes minutes of audio from us after the
listener has stopped reading: 48 s of it with 24 KiB at once, 32 s with 12 KiB.
"""

STALL: Seconds = 20.0
"""A listener whose system has taken nothing for this long, though there was something to take, is disconnected."""

LOOK: Seconds = 1.0
"""Between two looks at who is too slow."""

TICK: Seconds = 0.08
"""Longest time between two looks at the clock and the listeners: one page."""


class Sink(Protocol):
    """Where a listener's bytes go: a `Connection`, or a fake in tests."""

    def write(self, data: bytes) -> None:
        """Take all bytes at once, without waiting."""

    def waiting(self) -> int:
        """How many of them our system has not taken yet."""

    def unacknowledged(self) -> int:
        """How many of them the listener's system has not taken yet, those waiting included."""

    def is_closing(self) -> bool:
        """Whether the connection is gone, or going."""

    def abort(self) -> None:
        """Close at once; what is buffered is lost."""


@dataclass(eq=False, slots=True)
class Listener:
    """One connection: the page it gets next, and what is called once when it is over."""

    sink: Sink
    next: int
    gone: Callable[[], object]
    moved: float
    """When its system last took something, or had taken everything."""
    written: int = 0
    taken: int = 0


@dataclass(slots=True)
class Counts:
    """What has happened since the relay was made."""

    joined: int = 0
    slow_disconnects: int = 0
    underruns: int = 0
    """How often the station came too late for the live edge."""
    late: Seconds = 0.0
    """By how much in all: the sum of the shifts of the live edge against the wall clock."""


@dataclass(slots=True)
class Relay:
    """The ring, the live edge and the listeners of one mount. Plain calls, no I/O but `Sink.write`, no clock but `now`.

    Args:
        headers: The bytes that every listener gets first.
        now: Monotonic seconds.
        history: Seconds of the past that the ring keeps.
        lag_limit: Seconds behind the live edge at which a listener is disconnected.
    """

    headers: bytes
    now: Callable[[], float]
    history: Seconds = HISTORY
    lag_limit: Seconds = LAG_LIMIT
    counts: Counts = field(default_factory=Counts)
    live: Frames = 0
    """The mount's frame up to which audio has been let out."""
    _ring: dict[int, Page] = field(default_factory=dict)
    _oldest: int = FIRST_SEQUENCE
    _edge: int = FIRST_SEQUENCE
    _end: Frames = 0
    _epoch: float | None = None
    _listeners: dict[Listener, None] = field(default_factory=dict)
    _looked: float = 0.0

    @property
    def on_air(self) -> bool:
        """Whether a first page has been let out."""
        return self._edge > FIRST_SEQUENCE

    @property
    def listeners(self) -> int:
        """How many there are now."""
        return len(self._listeners)

    @property
    def reserve(self) -> Seconds:
        """Seconds of audio that wait beyond the live edge."""
        return (self._end - self.live) / SAMPLE_RATE

    def pause(self) -> Seconds:
        """How long to wait before the next `advance`: until the next page is due, and never longer than `TICK`."""
        if self._epoch is None or self._edge not in self._ring:
            return TICK
        return min(TICK, max(0.0, self._due() - self.now()))

    def feed(self, page: Page) -> None:
        """Take the station's next page. Where it comes too late, the live edge moves back by just that much."""
        starving = self._edge not in self._ring
        self._ring[page.sequence] = page
        self._end = page.end
        if self._epoch is None:
            self._epoch = self.now() - page.frame / SAMPLE_RATE
        elif starving and (late := self.now() - self._due()) > 0:
            # Catching up would drain the reserve again and again; being late once is inaudible behind a burst.
            self._epoch += late
            self.counts.underruns += 1
            self.counts.late += late
        if starving:
            self.advance()

    def advance(self) -> None:
        """Let out what is due, serve every listener, disconnect those too far behind, forget what is old."""
        now = self.now()
        while (page := self._ring.get(self._edge)) and self._due() <= now:
            self._edge += 1
            self.live = page.end
        look = now - self._looked >= LOOK
        for listener in list(self._listeners):
            self._serve(listener)
            if look:
                self._judge(listener, now)
        if look:
            self._looked = now
        self._forget()

    def join(self, sink: Sink, *, burst: Seconds, gone: Callable[[], object]) -> Listener:
        """Add a listener, who gets the headers and the last `burst` seconds as fast as the connection takes them.

        The burst is bounded by `BURST_LIMIT` and by what the ring holds. `gone` is called once, when the listener has
        left, by whatever way.
        """
        first = self._first(min(burst, BURST_LIMIT))
        listener = Listener(sink, first, gone, moved=self.now())
        self._listeners[listener] = None
        self.counts.joined += 1
        self._write(listener, self.headers)
        self._serve(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Remove a listener; one that is gone already is no error."""
        if listener in self._listeners:
            del self._listeners[listener]
            listener.gone()

    def close(self) -> None:
        """Disconnect everybody."""
        for listener in list(self._listeners):
            listener.sink.abort()
            self.leave(listener)

    def lag(self, listener: Listener) -> Seconds:
        """How far the first byte that the listener's system has not taken yet lies behind the live edge."""
        sequence, unsent = listener.next, listener.sink.unacknowledged()
        while unsent > 0 and sequence - 1 in self._ring:
            sequence -= 1
            unsent -= len(self._ring[sequence].data)
        if sequence >= self._edge:
            return 0.0
        return (self.live - self._ring[sequence].frame) / SAMPLE_RATE

    def _due(self) -> float:
        """The monotonic time at which the next page is to go out, whether it is there or not."""
        return (self._epoch or 0.0) + self.live / SAMPLE_RATE

    def _serve(self, listener: Listener) -> None:
        sink = listener.sink
        if sink.is_closing():
            self.leave(listener)
            return
        if listener.next < self._edge and sink.waiting() == 0:
            pages = self._take(listener.next)
            self._write(listener, pages[0] if len(pages) == 1 else b"".join(pages))
            listener.next += len(pages)

    def _write(self, listener: Listener, data: bytes) -> None:
        listener.sink.write(data)
        listener.written += len(data)

    def _judge(self, listener: Listener, now: float) -> None:
        """Disconnect a listener that is too slow."""
        unacknowledged = listener.sink.unacknowledged()
        taken = listener.written - unacknowledged
        if unacknowledged == 0 or taken > listener.taken:
            listener.taken, listener.moved = taken, now
        if now - listener.moved > STALL or self.lag(listener) > self.lag_limit:
            self.counts.slow_disconnects += 1
            listener.sink.abort()
            self.leave(listener)

    def _take(self, sequence: int) -> list[bytes]:
        """What is let out from `sequence` on: one page, and as many more as fit a portion with it."""
        pages = [self._ring[sequence].data]
        size = len(pages[0])
        for following in range(sequence + 1, self._edge):
            data = self._ring[following].data
            size += len(data)
            if size > PORTION:
                break
            pages.append(data)
        return pages

    def _first(self, burst: Seconds) -> int:
        """The sequence number of the first page not older than `burst`."""
        sequence = self._edge
        while (page := self._ring.get(sequence - 1)) and page.frame >= self.live - burst * SAMPLE_RATE:
            sequence -= 1
        return sequence

    def _forget(self) -> None:
        oldest = self.live - self.history * SAMPLE_RATE
        while self._oldest < self._edge and self._ring[self._oldest].end < oldest:
            del self._ring[self._oldest]
            self._oldest += 1
