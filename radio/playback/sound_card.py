"""Output to a sound card through PortAudio, with a short buffer that grows after underruns."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from radio.errors import AudioError, did_you_mean
from radio.types import SAMPLE_RATE, Block, Frames, Seconds

INITIAL_BUFFER: Final[Seconds] = 0.06
"""Initial length of the buffer. It delays every control change."""
_MAX_BUFFER: Final[Seconds] = 0.8
_GROWTH: Final = 1.6
_UNDERRUN_WINDOW: Final[Frames] = 60 * SAMPLE_RATE
"""Two underruns within this many frames mean that the buffer is too short for this machine."""
_ALTERNATIVES: Final = "use `radio serve`, or `--output -` into a player or a file"


@dataclass(frozen=True, slots=True)
class SoundCardInfo:
    """A PortAudio output device. Its number changes when devices come and go; its name does not."""

    number: int
    name: str
    default: bool


class SoundCard:
    """An open sound card.

    Args:
        device: The card's number or part of its name, as `radio doctor` lists them; None for the default card.

    Raises:
        AudioError: There is no sound card, none matches `device`, or PortAudio is not installed.
    """

    def __init__(self, device: str | None = None) -> None:
        self._portaudio = _portaudio()
        self._name = None if device is None else find_sound_card(device, list_sound_cards()).name
        self._stream: Any = None
        self._capacity: Frames = 0
        self._written: Frames = 0
        self._last_underrun: Frames = -_UNDERRUN_WINDOW
        self.buffer: Seconds = INITIAL_BUFFER
        """Longest time between writing a frame and hearing it."""
        try:
            self._open()
        except self._portaudio.PortAudioError as error:
            raise AudioError(f"no sound card can be opened ({_reason(error)}); {_ALTERNATIVES}") from error

    @property
    def buffered(self) -> Frames:
        """Frames written but not heard yet."""
        if self._stream is None:
            return 0
        try:
            return max(0, self._capacity - int(self._stream.write_available))
        except self._portaudio.PortAudioError:
            return 0

    def write(self, block: Block) -> None:
        """Write a block, waiting until the card has space for it.

        Raises:
            AudioError: The card is gone, and its buffered frames are lost. `reopen` opens it again.
        """
        if self._stream is None:
            raise AudioError("the sound card is closed")
        try:
            is_underrun = self._stream.write(block)
            self._written += len(block)
            if is_underrun:
                self._on_underrun()
        except self._portaudio.PortAudioError as error:
            self.close()
            raise AudioError(_reason(error)) from error

    def drain(self) -> None:
        """Wait until all written frames have been heard."""
        if self._stream is not None:
            try:
                self._stream.stop()
            except self._portaudio.PortAudioError as error:
                raise AudioError(_reason(error)) from error

    def reopen(self) -> None:
        """Open the card again. Raise AudioError if it is not available."""
        self.close()
        try:
            # PortAudio updates its list of devices only on initialization.
            self._portaudio._terminate()
            self._portaudio._initialize()
            self._open()
        except self._portaudio.PortAudioError as error:
            self.close()
            raise AudioError(_reason(error)) from error

    def close(self) -> None:
        """Stop immediately and release the card."""
        if self._stream is not None:
            self._stream.close(ignore_errors=True)
            self._stream = None

    def _open(self) -> None:
        number = None if self._name is None else find_sound_card(self._name, list_sound_cards()).number
        stream = self._portaudio.OutputStream(
            samplerate=SAMPLE_RATE, channels=2, dtype="float32", latency=self.buffer, device=number
        )
        self._capacity = stream.write_available
        stream.start()
        self._stream = stream
        self._last_underrun = self._written - _UNDERRUN_WINDOW  # the first underrun after opening does not count

    def _on_underrun(self) -> None:
        is_repeated = self._written - self._last_underrun < _UNDERRUN_WINDOW
        self._last_underrun = self._written
        if is_repeated and self.buffer < _MAX_BUFFER:
            self.buffer = min(_MAX_BUFFER, self.buffer * _GROWTH)
            self.close()
            self._open()


def list_sound_cards() -> list[SoundCardInfo]:
    """Return this machine's output devices in PortAudio's order. Raise AudioError if PortAudio is not installed."""
    portaudio = _portaudio()
    default = portaudio.default.device[1]
    if default < 0:
        default = portaudio._lib.Pa_GetDefaultOutputDevice()
    return [
        SoundCardInfo(number, str(device["name"]), number == default)
        for number, device in enumerate(portaudio.query_devices())
        if device["max_output_channels"] >= 2
    ]


def find_sound_card(device: str, cards: list[SoundCardInfo]) -> SoundCardInfo:
    """Return the card with the number `device`, else with that name, else the only one whose name contains it.

    Raises:
        AudioError: No card matches, or several do; the message lists the cards.
    """
    listing = "; ".join(f"{card.number} {card.name}" for card in cards) or "none"
    text = device.casefold()
    for matches in (
        [card for card in cards if str(card.number) == device],
        [card for card in cards if card.name.casefold() == text],
        [card for card in cards if text in card.name.casefold()],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise AudioError(f"'{device}' matches several sound cards; give the number of one ({listing})")
    hint = did_you_mean(device, [card.name for card in cards])
    raise AudioError(f"no sound card '{device}'.{hint} Sound cards: {listing}")


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Discard the output of ALSA and PortAudio on standard error.

    They write debug messages at each underrun and each lost card; the player reports both itself.
    """
    stderr = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def _portaudio() -> Any:
    try:
        import sounddevice
    except OSError as error:
        raise AudioError(f"PortAudio is not installed; run `apt install libportaudio2`, or {_ALTERNATIVES}") from error
    return sounddevice


def _reason(error: Exception) -> str:
    """Return PortAudio's message on one line. PortAudio mentions "device -1" if there is no device at all."""
    message = " ".join(str(error).split())
    return "none was found" if message.endswith("device -1") else message
