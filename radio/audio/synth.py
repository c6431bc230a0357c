"""The synthesizer of all layers: note events on the absolute grid in, audio out, the same however it is cut."""

from __future__ import annotations

import ctypes
import heapq
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from radio.audio.fluid import complaints, library
from radio.errors import AudioError
from radio.types import GRID, SAMPLE_RATE, Block, Frames, SynthEvent

_DRUM_BANK = 128
_SOUNDFONT_HINT = (
    "`apt install fluid-soundfont-gm` brings the usual one, or `soundfont:` in the config may name another .sf2 file"
)


@dataclass(frozen=True, slots=True)
class Program:
    """What a layer plays: General MIDI program 0–127, or with `drums` the kit's number in bank 128."""

    number: int
    drums: bool = False


class Synth:
    """FluidSynth playing one program of a soundfont for each layer, with its own reverb and chorus off.

    All layers share one synthesizer, so that the soundfont is in memory once; each is a MIDI channel with audio buffers
    of its own. FluidSynth works in blocks of 64 frames and lets an event sound from the next one on. It is therefore
    only ever asked for whole blocks of the absolute grid, cut at every event, and the result is bit-identical however
    `render` is split. The synthesizer cannot be copied or saved, and is for one thread at a time.

    Args:
        soundfont: an SF2 or SF3 file.
        programs: by layer, at most 16.
        gain: linear factor on FluidSynth's output, 0–10; at the default a usual passage of chords peaks near -8 dBFS.

    Raises:
        AudioError: the soundfont is missing or is none, or has no such program.
    """

    def __init__(self, soundfont: Path, programs: Mapping[str, Program], *, gain: float = 1.4) -> None:
        check_soundfont(soundfont)
        fluid = library()
        complaints()
        self._fluid = fluid
        self._synth = fluid.Synth(
            gain=float(gain),
            samplerate=float(SAMPLE_RATE),
            channels=16,
            **{
                "synth.audio-channels": len(programs),
                "synth.audio-groups": len(programs),
                "synth.reverb.active": 0,
                "synth.chorus.active": 0,
                "synth.dynamic-sample-loading": 1,
                "synth.lock-memory": 0,
                "synth.polyphony": 256,
                "synth.threadsafe-api": 0,
            },
        )
        self._channels = {layer: channel for channel, layer in enumerate(programs)}
        self._events: list[tuple[SynthEvent, int]] = []
        self.position: Frames = 0
        """The next frame that `render` returns."""
        try:
            self._load(soundfont, programs)
        except AudioError:
            self.close()
            raise

    def _load(self, soundfont: Path, programs: Mapping[str, Program]) -> None:
        synth = self._synth
        sfid = synth.sfload(os.fspath(soundfont))
        if sfid < 0:
            raise AudioError(f"{soundfont} is not a soundfont ({complaints()}): {_SOUNDFONT_HINT}")
        for layer, program in programs.items():
            bank = _DRUM_BANK if program.drums else 0
            if synth.program_select(self._channels[layer], sfid, bank, program.number) != self._fluid.FLUID_OK:
                there = [number for number in range(128) if synth.sfpreset_name(sfid, bank, number) is not None]
                complaints()
                what = "drum kit" if bank else "program"
                raise AudioError(
                    f"{soundfont} has no {what} {program.number}; it has {_ranges(there) or 'none in that bank'}"
                )

    def schedule(self, layer: str, events: Iterable[SynthEvent]) -> None:
        """Add events, in any order, to sound at their absolute frames; at one frame releases come before strikes.

        Raises:
            AudioError: an event off the grid, in a block that is already made, or with a value outside 0–127.
        """
        for event in events:
            if event.frame % GRID or event.frame < self.position:
                raise AudioError(
                    f"an event at frame {event.frame}: it must be a multiple of {GRID}, at least {self.position}"
                )
            if not (0 <= event.note <= 127 and 0 <= event.velocity <= 127):
                raise AudioError(f"note {event.note} with velocity {event.velocity}: both must be from 0 to 127")
            heapq.heappush(self._events, (event, self._channels[layer]))

    def render(self, frames: Frames) -> dict[str, Block]:
        """The next `frames` frames of each layer: (frames, 2) float32, not clipped, each channel's frames adjacent.

        Raises:
            AudioError: not whole blocks of 64 frames, or the synthesizer is closed or failed.
        """
        if self._synth is None:
            raise AudioError("the synthesizer is closed")
        if frames < 0 or frames % GRID:
            raise AudioError(f"{frames} frames: the synthesizer renders whole blocks of {GRID}")
        out = np.empty((len(self._channels), 2, frames), dtype=np.float32)
        addresses = out.ctypes.data + np.arange(2 * len(out)).reshape(-1, 2) * out.strides[1]
        start, end = self.position, self.position + frames
        while self.position < end:
            while self._events and self._events[0][0].frame == self.position:
                self._play(*heapq.heappop(self._events))
            until = min(end, self._events[0][0].frame) if self._events else end
            self._write(until - self.position, addresses + (self.position - start) * out.itemsize)
            self.position = until
        return {layer: out[channel].T for layer, channel in self._channels.items()}

    def _write(self, frames: Frames, addresses: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> None:
        pointers = ctypes.c_void_p * len(addresses)
        left, right = (pointers(*column) for column in addresses.T.tolist())
        if self._fluid.nwrite_float(self._synth.synth, frames, left, right, None, None) != self._fluid.FLUID_OK:
            raise AudioError(f"FluidSynth could not render {frames} frames ({complaints()})")

    def _play(self, event: SynthEvent, channel: int) -> None:
        # Both answer FLUID_FAILED for a key the program has no sample for or that does not sound: nothing is lost then.
        if event.velocity:
            self._synth.noteon(channel, event.note, event.velocity)
        else:
            self._synth.noteoff(channel, event.note)

    def close(self) -> None:
        """Free the synthesizer and its samples; closing twice is fine."""
        if self._synth is not None:
            self._synth.delete()
            self._synth = None


def check_soundfont(path: Path) -> None:
    """Raise AudioError where `path` is missing, no soundfont by its header, or cut short; no synthesizer is needed."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
            size = file.seek(0, os.SEEK_END)
    except OSError as fault:
        raise AudioError(f"soundfont {path}: {fault.strerror or fault}; {_SOUNDFONT_HINT}") from fault
    if head[:4] != b"RIFF" or head[8:12] != b"sfbk":
        raise AudioError(f"{path} is not a soundfont (no RIFF/sfbk header): {_SOUNDFONT_HINT}")
    if int.from_bytes(head[4:8], "little") + 8 > size:
        raise AudioError(f"soundfont {path} is cut short at {size} bytes: {_SOUNDFONT_HINT}")


def _ranges(numbers: list[int]) -> str:
    """`0–5, 8, 16` for a rising list."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][-1] == number - 1:
            parts[-1][1:] = [number]
        else:
            parts.append([number])
    return ", ".join("–".join(map(str, part)) for part in parts)
