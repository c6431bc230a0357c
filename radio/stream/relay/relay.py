"""The relay of a mount, which sends its chunks to all listeners, each with its own position in the ring.

The relay never waits for a listener. A chunk that a listener cannot receive now stays in the ring, and a listener that
falls too far behind is disconnected. A stream never skips a byte. `Relay.advance` is called on every tick. Listeners
with a short burst are written to on every tick. Those with a long burst are written to every four seconds, in
turns, so that each tick serves only some of them. If their players run low because the station stalled, they too are
written to on every tick.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from radio.stream.relay.listener import Listener, MetadataInserter, Sink
from radio.stream.relay.ring import Ring
from radio.types import BURST_LIMIT, SAMPLE_RATE, Frames, Seconds

ADVANCE_INTERVAL: Seconds = 0.08
"""Time between calls of `Relay.advance`: about one chunk."""

TURNS = 48
"""Ticks between writes to a listener with a long burst: just under four seconds.

Most of the cost of a listener is that of the system calls and of waking the receiver. It grows by less than half when a
write is twice as large.
"""

LONG_BURST: Seconds = 12.0
"""Listeners with a burst of at least this length get their audio four seconds at a time."""

SHORT_CUSHION: Seconds = 5.5
"""A listener whose player has less audio left than this after a stall of the station is served on every tick again."""

COMPLETE: Seconds = 1.0
"""A listener this close to the live edge has received all available audio."""

STARVED: Seconds = 1.0
"""A listener whose player has had nothing to play for this long is starved."""

LAG_LIMIT: Seconds = 75.0
"""A listener further behind than this is disconnected. The ring is longer, so it usually still has the next chunk.

A player that stops reading with the longest burst in its buffers may pause for half a minute. If this process was
suspended, the ring may have dropped a listener's next chunk; the listener is then disconnected too.
"""

MAX_CHUNKS = 56
"""Largest number of chunks per write: those of one turn, plus some for a listener that has fallen behind.

Larger writes make Linux enlarge the listener's receive buffer, which then accepts minutes of audio after the listener
has stopped reading.
"""

STALL_LIMIT: Seconds = 60.0
"""A listener is disconnected if data has been pending for this long and none could be sent."""

READING_SHARE = 0.75
"""A listener is reading if its window shrinks by less than this share of the acknowledged bytes."""

READ_CHECK_ROUNDS = 2
"""Rounds of `TURNS` ticks between checks that a listener is reading."""

QUIET_LIMIT: Seconds = 4.0
"""If nothing has been sent to a listener for this long, its connection is checked for a hang-up."""


class Payload(NamedTuple):
    """The bytes of one write, and the number and the first frame of the chunk after it."""

    data: bytes
    next: int
    end: Frames


@dataclass(slots=True)
class RelayCounts:
    """Counters since the relay was created."""

    joined: int = 0
    slow_disconnects: int = 0
    starved: int = 0
    """The number of times a listener had starved by the time audio was sent again."""


@dataclass(slots=True)
class Relay:
    """The listeners of one mount.

    Args:
        ring: the mount's chunks.
        now: returns monotonic seconds.
        headers: the bytes that every listener gets first.
        skip: frames from the stamp of a listener's first chunk to the first frame that its player plays.
    """

    ring: Ring
    now: Callable[[], float]
    headers: bytes = b""
    skip: Frames = 0
    counts: RelayCounts = field(default_factory=RelayCounts)
    _listeners: dict[Listener, None] = field(default_factory=dict)
    _every_tick: dict[Listener, None] = field(default_factory=dict)
    _turns: list[dict[Listener, None]] = field(default_factory=lambda: [{} for _ in range(TURNS)])
    _tick: int = 0
    _closed: bool = False
    _payloads: dict[int, Payload] = field(default_factory=dict)
    """The writes of this tick, by the number of their first chunk; shared by the listeners."""

    @property
    def listeners(self) -> int:
        """The current number of listeners."""
        return len(self._listeners)

    @property
    def starved(self) -> int:
        """The number of listeners that have nothing to play now, because no audio came."""
        now = self.now()
        return sum(now - listener.plays_until > STARVED for listener in self._listeners)

    def join(
        self,
        sink: Sink,
        *,
        burst: Seconds,
        inserter: MetadataInserter | None = None,
        on_start: Callable[[Frames], object] | None = None,
        on_leave: Callable[[], object] | None = None,
    ) -> Listener:
        """Add a listener. It gets the headers and the last `burst` seconds as fast as its connection allows.

        A closed relay disconnects the listener immediately.

        Args:
            sink: the listener's connection.
            burst: limited to `BURST_LIMIT` and the available audio.
            inserter: inserts metadata for this listener.
            on_start: called with the first frame that the listener's player plays, once it is known.
            on_leave: called once when the listener has left or was disconnected.
        """
        start = max(0, self.ring.live - round(min(burst, BURST_LIMIT) * SAMPLE_RATE))
        listener = Listener(sink, start, self.now(), inserter=inserter, on_start=on_start, on_leave=on_leave)
        listener.long_burst = burst >= LONG_BURST
        self._listeners[listener] = self._every_tick[listener] = None
        self.counts.joined += 1
        if self._closed:  # the station was removed while the response was being prepared
            self.leave(listener)
        elif not self.headers or self._send(listener, self.headers):
            self._serve(listener)
        return listener

    def advance(self) -> None:
        """Write to the listeners whose turn it is, and disconnect those that are too slow or have left."""
        self._tick += 1
        self._payloads.clear()
        turn, check = self._tick % TURNS, self._tick // TURNS % READ_CHECK_ROUNDS == 0
        for listener in list(self._every_tick):
            if turn != 0 or self._keep(listener, check=check):
                self._serve(listener)
        for listener in list(self._turns[turn]):
            if not check or self._keep(listener, check=check):
                self._serve(listener)

    def leave(self, listener: Listener) -> None:
        """Disconnect a listener, unless it has left already."""
        if listener in self._listeners:
            del self._listeners[listener]
            self._every_tick.pop(listener, None)
            if listener.turn >= 0:
                self._turns[listener.turn].pop(listener, None)
            listener.sink.close()
            if listener.on_leave is not None:
                listener.on_leave()

    def send_away(self, count: int, *, wait: bool = False) -> int:
        """Send all released audio to up to `count` listeners, then disconnect them, and return their number.

        Listeners whose connections cannot take all of it now are disconnected too, but with `wait` they stay connected.
        """
        gone = 0
        for listener in list(self._listeners):
            if gone == count:
                break
            self._serve(listener)
            while listener in self._listeners and not listener.pending and 0 <= listener.next < self.ring.edge:
                self._serve(listener)
            if listener not in self._listeners:
                gone += 1
            elif not (wait and listener.pending):
                listener.sink.finish()
                self.leave(listener)
                gone += 1
        return gone

    def close(self) -> None:
        """Disconnect all listeners, and those that join later."""
        self._closed = True
        for listener in list(self._listeners):
            self.leave(listener)

    def lag(self, listener: Listener) -> Seconds:
        """Return the distance from the first byte that the listener's system has not acknowledged to the live edge."""
        ring, number = self.ring, listener.next
        if number < 0 or number >= ring.edge:
            return 0.0
        if number < ring.oldest:
            return math.inf
        unsent = len(listener.pending) + listener.sink.unacknowledged()
        while unsent > 0 and number > ring.oldest:
            number -= 1
            unsent -= len(ring[number].data)
        return (ring.live - ring[number].frame) / SAMPLE_RATE

    def _serve(self, listener: Listener) -> None:
        if listener.pending and not self._send(listener, listener.pending):
            return
        if listener.next < 0 and not self._find_start(listener):
            return
        ring, number = self.ring, listener.next
        if number >= ring.edge:
            return
        if number < ring.oldest:
            self.counts.slow_disconnects += 1
            self.leave(listener)
            return
        payload = self._payloads.get(number) or self._join_chunks(number)
        listener.next = payload.next
        cushion = self._fill(listener, payload.end)
        data = payload.data
        if listener.inserter is not None:
            data = listener.inserter.insert(ring.slice(number, payload.next))
        if not self._send(listener, data):
            return
        # The burst is not complete while the past is still being encoded.
        complete = payload.next == ring.edge and ring.live - payload.end < COMPLETE * SAMPLE_RATE
        if listener.turn >= 0 and (cushion < SHORT_CUSHION or not complete):
            self._serve_every_tick(listener)
        elif listener.turn < 0 and cushion >= SHORT_CUSHION and listener.long_burst and complete:
            self._assign_turn(listener)

    def _join_chunks(self, number: int) -> Payload:
        """Join the released chunks from `number` onward, for all listeners that continue there on this tick."""
        last = min(self.ring.edge, number + MAX_CHUNKS)
        data = b"".join([chunk.data for chunk in self.ring.slice(number, last)])
        payload = self._payloads[number] = Payload(data, last, self.ring[last - 1].end)
        return payload

    def _fill(self, listener: Listener, sent: Frames) -> Seconds:
        """Record that audio before frame `sent` is being sent, and return the amount of audio that the player has."""
        now = self.now()
        if now - listener.plays_until > STARVED:
            self.counts.starved += 1
        listener.plays_until = max(now, listener.plays_until) + (sent - listener.sent) / SAMPLE_RATE
        listener.sent = sent
        return listener.plays_until - now

    def _send(self, listener: Listener, data: bytes | memoryview) -> bool:
        """Send `data` and return True if all of it was sent. Otherwise the rest becomes pending.

        A listener with a broken connection is removed.
        """
        try:
            sent = listener.sink.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.leave(listener)
            return False
        if sent:
            listener.last_sent = self.now()
        if sent == len(data):
            listener.pending = b""
            return True
        listener.pending = memoryview(data)[sent:]
        self._serve_every_tick(listener)
        return False

    def _serve_every_tick(self, listener: Listener) -> None:
        if listener.turn >= 0:
            del self._turns[listener.turn][listener]
            listener.turn = -1
            self._every_tick[listener] = None

    def _find_start(self, listener: Listener) -> bool:
        """Find the listener's first chunk and return True if it is released."""
        ring = self.ring
        number = ring.find(listener.start)
        if number >= ring.edge:
            return False
        listener.next, listener.start = number, ring[number].frame
        listener.sent = listener.start
        if listener.on_start is not None:
            listener.on_start(listener.start + self.skip)
        return True

    def _assign_turn(self, listener: Listener) -> None:
        """Write to the listener only every `TURNS` ticks, on the turn with the fewest listeners."""
        listener.turn = min(range(TURNS), key=lambda turn: len(self._turns[turn]))
        self._turns[listener.turn][listener] = None
        del self._every_tick[listener]

    def _is_slow(self, listener: Listener, *, check: bool) -> bool:
        """Return True if a listener is too far behind, stalled, or, with `check`, not reading."""
        if listener.pending and (self.now() - listener.last_sent > STALL_LIMIT or self.lag(listener) > LAG_LIMIT):
            return True
        return check and self.now() - self._last_read(listener) > LAG_LIMIT

    def _has_left(self, listener: Listener) -> bool:
        """Return True if a listener has left while there was nothing to send, because its station is stalled."""
        return self.now() - listener.last_sent > QUIET_LIMIT and listener.sink.hung_up()

    def _keep(self, listener: Listener, *, check: bool) -> bool:
        """Disconnect a listener that is slow or, with `check`, has left; return True if it stays connected."""
        if self._is_slow(listener, check=check):
            self.counts.slow_disconnects += 1
        elif not check or not self._has_left(listener):
            return True
        self.leave(listener)
        return False

    def _last_read(self, listener: Listener) -> float:
        """Return the latest time at which the listener was known to be reading.

        A system with a large receive buffer acknowledges minutes of audio that the player never reads. But its window
        shrinks by the unread bytes, and grows again when the player reads.
        """
        current, previous = listener.sink.tcp_progress(), listener.progress
        listener.progress = current
        acknowledged = current.acknowledged - previous.acknowledged if current and previous else 0
        if (
            not current
            or not previous
            or not acknowledged
            or previous.window - current.window < READING_SHARE * acknowledged
        ):
            listener.last_read = self.now()
        return listener.last_read
