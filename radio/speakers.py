"""This machine's sound card, fed by a thread that renders about a second ahead."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from radio.errors import AudioError
from radio.types import SAMPLE_RATE, Block, Frames, Seconds, StationEvent

if TYPE_CHECKING:
    from radio.station import Station

_BLOCK: Final[Frames] = SAMPLE_RATE // 10
_AHEAD: Final = 10
"""Blocks rendered ahead of the sound card: 1 s hides what else this machine is busy with."""
_PATIENCE: Final[Seconds] = 2.0
"""Between two looks for a sound card that went away."""
_INSTEAD: Final = "listen another way: `radio serve`, or `--output -` into a player or a file"


@dataclass(frozen=True, slots=True)
class _Rendered:
    """A block, and what happens while it sounds. The last one of all has no frames."""

    block: Block
    events: Sequence[StationEvent]


class Speakers:
    """The default sound card, open from the start.

    Raises:
        AudioError: there is none, or PortAudio is not installed.
    """

    def __init__(self) -> None:
        self._portaudio = _portaudio()
        self._stream: Any = None
        try:
            self._open()
        except self._portaudio.PortAudioError as error:
            raise AudioError(f"no sound card can be used ({_reason(error)}): {_INSTEAD}") from error

    def play(
        self,
        station: Station,
        *,
        frames: Frames | None,
        heard: Callable[[StationEvent], None],
        said: Callable[[str], None],
    ) -> None:
        """Play until `frames` are over, for ever with None; a card that goes away is waited for, the music too.

        Args:
            station: Rendered in a thread of our own from here on, until this returns.
            frames: How many to play.
            heard: Gets each event when it sounds, as far as the card says how late it plays.
            said: Gets a sentence when the card goes away and when it is back.

        Raises:
            RadioError: what rendering raises.
        """
        rendered: queue.Queue[_Rendered | Exception] = queue.Queue(_AHEAD)
        stop = threading.Event()
        thread = threading.Thread(target=_render, args=(station, frames, rendered, stop), name="render", daemon=True)
        due: deque[StationEvent] = deque()
        written = station.position
        thread.start()
        try:
            while True:
                each = rendered.get()
                if isinstance(each, Exception):
                    raise each
                if not len(each.block):
                    self._stream.stop()  # after what the card still holds
                    for event in due:
                        heard(event)
                    return
                due.extend(each.events)
                self._write(each.block, said)
                written += len(each.block)
                while due and due[0].frame <= written - self._stream.latency * SAMPLE_RATE:
                    heard(due.popleft())
        finally:
            stop.set()
            thread.join()

    def close(self) -> None:
        """Fall silent at once."""
        if self._stream is not None:
            self._stream.close(ignore_errors=True)
            self._stream = None

    def _write(self, block: Block, said: Callable[[str], None]) -> None:
        told = False
        while True:
            try:
                if self._stream is None:
                    self._open()
                    said("The sound card is back.")
                self._stream.write(block)
            except self._portaudio.PortAudioError as error:
                if not told:
                    said(f"The sound card does not play any more ({_reason(error)}): waiting for one.")
                    told = True
                self.close()
                threading.Event().wait(_PATIENCE)
                # PortAudio lists the cards once, when it is initialised.
                self._portaudio._terminate()
                self._portaudio._initialize()
            else:
                return

    def _open(self) -> None:
        stream = self._portaudio.OutputStream(samplerate=SAMPLE_RATE, channels=2, dtype="float32", latency="high")
        stream.start()
        self._stream = stream


def card_name() -> str:
    """The name of the default sound card. Raises AudioError where there is none."""
    portaudio = _portaudio()
    try:
        return str(portaudio.query_devices(kind="output")["name"])
    except (portaudio.PortAudioError, ValueError) as error:
        raise AudioError(_reason(error)) from error


def _portaudio() -> Any:
    try:
        import sounddevice
    except OSError as error:
        raise AudioError(f"PortAudio is not installed: apt install libportaudio2, or {_INSTEAD}") from error
    return sounddevice


def _reason(error: Exception) -> str:
    """PortAudio's words on one line; it says "device -1" where there is no device at all."""
    words = " ".join(str(error).split())
    return "none was found" if words.endswith("device -1") else words


def _render(
    station: Station, frames: Frames | None, rendered: queue.Queue[_Rendered | Exception], stop: threading.Event
) -> None:
    left = frames
    while not stop.is_set():
        each: _Rendered | Exception
        try:
            block = station.render(_BLOCK if left is None else min(_BLOCK, left))
            each = _Rendered(block, station.events())
            left = None if left is None else left - len(block)
        except Exception as error:  # noqa: BLE001  # it is raised again by whoever plays
            each = error
        while not stop.is_set():
            try:
                rendered.put(each, timeout=0.2)
                break
            except queue.Full:
                continue
        if isinstance(each, Exception) or not len(each.block):
            return
