"""The listeners of one mount, each an offset into its ring.

Nobody is waited for: who cannot take a chunk now finds it in the ring later, and who falls too far behind is
disconnected. No byte is ever left out of a stream. `Relay.advance` is called on every tick; a listener whose burst
lasts for seconds is written to about once a second, and the listeners take turns, so that no tick has all of them to
serve; one with a short burst is written to on every tick.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from radio.stream.relay.listener import Listener, MetadataInserter, Sink
from radio.stream.relay.ring import Ring
from radio.types import BURST_LIMIT, SAMPLE_RATE, Frames, Seconds

ADVANCE_INTERVAL: Seconds = 0.08
"""Between two calls of `Relay.advance`: about a chunk."""

TURNS = 12
"""Ticks between two writes to a listener who has a cushion: just under a second."""

LONG_BURST: Seconds = 5.0
"""A listener with this much burst does not hear whether audio comes in portions of a second."""

LAG_LIMIT: Seconds = 30.0
"""A listener further behind than this is disconnected; half the ring, so that the chunk it needs is always there."""


MAX_CHUNKS = 16
"""Most chunks that are handed over at once: in a burst, 16 times the pace of live audio.

More at once makes Linux enlarge the listener's receive buffer, and it then takes minutes of audio from us after the
listener has stopped reading.
"""

STALL_LIMIT: Seconds = 20.0
"""A listener whose system has taken nothing for this long, though there was something to take, is disconnected."""

READING_SHARE = 0.75
"""A window that closes by less than this part of what was taken: somebody reads."""

READ_CHECK_ROUNDS = 5
"""Rounds of `TURNS` ticks between two looks at whether a listener reads."""

QUIET_LIMIT: Seconds = 2.0
"""A listener who was sent nothing for this long may have left without being noticed: its system is asked."""


@dataclass(slots=True)
class RelayCounts:
    """What has happened since the relay was made."""

    joined: int = 0
    slow_disconnects: int = 0


@dataclass(slots=True)
class Relay:
    """Plain calls, no I/O but that of the sinks, no clock but `now`.

    Args:
        ring: The mount's chunks.
        now: Monotonic seconds.
        headers: The bytes that every listener gets first.
        skip: From a chunk's stamp to the first sound that a player makes of it.
    """

    ring: Ring
    now: Callable[[], float]
    headers: bytes = b""
    skip: Frames = 0
    counts: RelayCounts = field(default_factory=RelayCounts)
    _listeners: dict[Listener, None] = field(default_factory=dict)
    _eager: dict[Listener, None] = field(default_factory=dict)
    _turns: list[dict[Listener, None]] = field(default_factory=lambda: [{} for _ in range(TURNS)])
    _tick: int = 0
    _joined: dict[int, bytes] = field(default_factory=dict)
    """What is sent from each number on, at this tick."""

    @property
    def listeners(self) -> int:
        """How many there are now."""
        return len(self._listeners)

    def join(
        self,
        sink: Sink,
        *,
        burst: Seconds,
        inserter: MetadataInserter | None = None,
        on_start: Callable[[Frames], object] | None = None,
        on_leave: Callable[[], object] | None = None,
    ) -> Listener:
        """Add a listener, who gets the headers and the last `burst` seconds as fast as the connection takes them.

        Args:
            sink: Its connection.
            burst: Bounded by `BURST_LIMIT`, and by what there is.
            inserter: What puts something into its bytes that is for it alone.
            on_start: Told the frame that its player plays first, once it is known.
            on_leave: Called once, when it has left, by whatever way.
        """
        start = max(0, self.ring.live - round(min(burst, BURST_LIMIT) * SAMPLE_RATE))
        listener = Listener(sink, start, self.now(), inserter=inserter, on_start=on_start, on_leave=on_leave)
        self._listeners[listener] = self._eager[listener] = None
        self.counts.joined += 1
        if not self.headers or self._send(listener, self.headers):
            self._serve(listener)
        return listener

    def advance(self) -> None:
        """Serve those whose turn it is, and disconnect those too far behind, or gone."""
        self._tick += 1
        self._joined.clear()
        turn, look = self._tick % TURNS, self._tick // TURNS % READ_CHECK_ROUNDS == 0
        for listener in list(self._eager):
            if turn != 0 or self._stays(listener, look=look):
                self._serve(listener)
        for listener in list(self._turns[turn]):
            if not look or self._stays(listener, look=look):
                self._serve(listener)

    def leave(self, listener: Listener) -> None:
        """Disconnect a listener; one that is gone already is no error."""
        if listener in self._listeners:
            del self._listeners[listener]
            self._eager.pop(listener, None)
            if listener.turn >= 0:
                self._turns[listener.turn].pop(listener, None)
            listener.sink.close()
            if listener.on_leave is not None:
                listener.on_leave()

    def close(self) -> None:
        """Disconnect everybody."""
        for listener in list(self._listeners):
            self.leave(listener)

    def lag(self, listener: Listener) -> Seconds:
        """How far the first byte that the listener's system has not taken yet lies behind the live edge."""
        ring, number = self.ring, listener.next
        unsent = len(listener.waiting) + listener.sink.unacknowledged()
        while unsent > 0 and number > ring.oldest:
            number -= 1
            unsent -= len(ring[number].data)
        return (ring.live - ring[number].frame) / SAMPLE_RATE if ring.oldest <= number < ring.edge else 0.0

    def _serve(self, listener: Listener) -> None:
        if listener.waiting and not self._send(listener, listener.waiting):
            return
        if listener.next < 0 and not self._place(listener):
            return
        number, edge = listener.next, self.ring.edge
        if number >= edge:
            return
        last = listener.next = min(edge, number + MAX_CHUNKS)
        if listener.inserter is not None:
            data = listener.inserter.insert(self.ring.slice(number, last))
        elif not (data := self._joined.get(number, b"")):
            data = self._joined[number] = b"".join([chunk.data for chunk in self.ring.slice(number, last)])
        if self._send(listener, data) and listener.patient and listener.turn < 0 and last == edge:
            self._give_turn(listener)

    def _send(self, listener: Listener, data: bytes | memoryview) -> bool:
        """Whether all of `data` went out. What did not waits; a listener whose connection is broken leaves."""
        try:
            sent = listener.sink.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.leave(listener)
            return False
        if sent:
            listener.moved = self.now()
        if sent == len(data):
            listener.waiting = b""
            return True
        listener.waiting = memoryview(data)[sent:]
        if listener.turn >= 0:
            del self._turns[listener.turn][listener]
            listener.turn = -1
            self._eager[listener] = None
        return False

    def _place(self, listener: Listener) -> bool:
        """Find the listener's first chunk, if it has been let out."""
        ring = self.ring
        number = ring.at(listener.start)
        if number >= ring.edge:
            return False
        listener.next, listener.start = number, ring[number].frame
        if listener.on_start is not None:
            listener.on_start(listener.start + self.skip)
        listener.patient = ring.live - listener.start >= LONG_BURST * SAMPLE_RATE
        return True

    def _give_turn(self, listener: Listener) -> None:
        """From now on it is written to once every `TURNS` ticks, with the fewest others."""
        listener.turn = min(range(TURNS), key=lambda turn: len(self._turns[turn]))
        self._turns[listener.turn][listener] = None
        del self._eager[listener]

    def _slow(self, listener: Listener, *, look: bool) -> bool:
        """Whether a listener is too far behind, or takes nothing, or, at a `look`, does not read what it takes."""
        if listener.waiting and (self.now() - listener.moved > STALL_LIMIT or self.lag(listener) > LAG_LIMIT):
            return True
        return look and self.now() - self._seen_reading(listener) > LAG_LIMIT

    def _left(self, listener: Listener) -> bool:
        """Whether a listener has left while there was nothing to send it: its station is silent, perhaps for hours."""
        return self.now() - listener.moved > QUIET_LIMIT and listener.sink.hung_up()

    def _stays(self, listener: Listener, *, look: bool) -> bool:
        """Disconnect a listener that is too slow, or at a `look` has left; whether it is neither."""
        if self._slow(listener, look=look):
            self.counts.slow_disconnects += 1
        elif not look or not self._left(listener):
            return True
        self.leave(listener)
        return False

    def _seen_reading(self, listener: Listener) -> float:
        """When it was last seen that somebody reads what the listener's system takes.

        A system with a large buffer takes minutes of audio that nobody reads, and acknowledges it all. But the window
        that it offers closes by what lies there; where somebody reads, it opens again by as much.
        """
        reach, before = listener.sink.tcp_progress(), listener.reach
        listener.reach = reach
        taken = reach.acknowledged - before.acknowledged if reach and before else 0
        if not reach or not before or not taken or before.window - reach.window < READING_SHARE * taken:
            listener.read = self.now()
        return listener.read
