"""This machine's sound card, through PortAudio: a short buffer that grows when it runs dry."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from radio.errors import AudioError, did_you_mean
from radio.types import SAMPLE_RATE, Block, Frames, Seconds

INITIAL_BUFFER: Final[Seconds] = 0.06
"""What the card is given in advance at first: a turned control is heard no sooner."""
_MAX_BUFFER: Final[Seconds] = 0.8
_GROWTH: Final = 1.6
_NEAR: Final[Frames] = 60 * SAMPLE_RATE
"""Two underruns within this much music are no accident: the buffer is too short for what else this machine does."""
_INSTEAD: Final = "listen another way: `radio serve`, or `--output -` into a player or a file"


@dataclass(frozen=True, slots=True)
class SoundCardInfo:
    """One output that PortAudio knows; its number changes when others come and go, its name does not."""

    number: int
    name: str
    default: bool


class SoundCard:
    """A sound card, open from the start.

    Args:
        device: A card's number or a part of its name, as `radio doctor` lists them; None for the default one.

    Raises:
        AudioError: There is none, or none of that name, or PortAudio is not installed.
    """

    def __init__(self, device: str | None = None) -> None:
        self._portaudio = _portaudio()
        self._name = None if device is None else find_sound_card(device, list_sound_cards()).name
        self._stream: Any = None
        self._capacity: Frames = 0
        self._written: Frames = 0
        self._ran_dry: Frames = -_NEAR
        self.buffer: Seconds = INITIAL_BUFFER
        """How far ahead of what is heard the card is filled, at most."""
        try:
            self._open()
        except self._portaudio.PortAudioError as error:
            raise AudioError(f"no sound card can be used ({_reason(error)}): {_INSTEAD}") from error

    @property
    def buffered(self) -> Frames:
        """How much of what was written is not heard yet."""
        if self._stream is None:
            return 0
        try:
            return max(0, self._capacity - int(self._stream.write_available))
        except self._portaudio.PortAudioError:
            return 0

    def write(self, block: Block) -> None:
        """Play a block after those before it; returns when the card has room for it.

        Raises:
            AudioError: The card is gone, and what it held with it; `reopen` looks for one again.
        """
        if self._stream is None:
            raise AudioError("the sound card is closed")
        try:
            ran_dry = self._stream.write(block)
            self._written += len(block)
            if ran_dry:
                self._lengthen()
        except self._portaudio.PortAudioError as error:
            self.close()
            raise AudioError(_reason(error)) from error

    def drain(self) -> None:
        """Return when all that was written has been heard."""
        if self._stream is not None:
            try:
                self._stream.stop()
            except self._portaudio.PortAudioError as error:
                raise AudioError(_reason(error)) from error

    def reopen(self) -> None:
        """Look for the card again. Raises AudioError while it is not there."""
        self.close()
        try:
            # PortAudio lists the cards once, when it is initialised.
            self._portaudio._terminate()
            self._portaudio._initialize()
            self._open()
        except self._portaudio.PortAudioError as error:
            self.close()
            raise AudioError(_reason(error)) from error

    def close(self) -> None:
        """Fall silent at once."""
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
        self._ran_dry = self._written - _NEAR  # that a card starts empty is no underrun yet

    def _lengthen(self) -> None:
        near = self._written - self._ran_dry < _NEAR
        self._ran_dry = self._written
        if near and self.buffer < _MAX_BUFFER:
            self.buffer = min(_MAX_BUFFER, self.buffer * _GROWTH)
            self.close()
            self._open()


def list_sound_cards() -> list[SoundCardInfo]:
    """The outputs of this machine, in PortAudio's order. Raises AudioError where PortAudio is not installed."""
    portaudio = _portaudio()
    default = portaudio.default.device[1]
    if default < 0:
        default = portaudio._lib.Pa_GetDefaultOutputDevice()
    return [
        SoundCardInfo(number, str(each["name"]), number == default)
        for number, each in enumerate(portaudio.query_devices())
        if each["max_output_channels"] >= 2
    ]


def find_sound_card(device: str, among: list[SoundCardInfo]) -> SoundCardInfo:
    """The card of that number, else of that name, else the only one with those words in it.

    Raises:
        AudioError: None or several: the message lists them.
    """
    there = "; ".join(f"{card.number} {card.name}" for card in among) or "none"
    words = device.casefold()
    for matches in (
        [card for card in among if str(card.number) == device],
        [card for card in among if card.name.casefold() == words],
        [card for card in among if words in card.name.casefold()],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise AudioError(f"'{device}' may be several sound cards: say which by its number ({there})")
    hint = did_you_mean(device, [card.name for card in among])
    raise AudioError(f"there is no sound card '{device}'.{hint} Sound cards: {there}")


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep what ALSA and PortAudio write to the standard error of the process by themselves out of sight.

    They do so whenever a card runs dry or goes away, in words for their own developers; we say it in ours.
    """
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


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
