"""One layer's synthesizer: note events on the absolute grid in, audio out, the same whatever sizes are asked for."""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from radio.audio.fluid import complaints, library
from radio.errors import AudioError
from radio.types import GRID, SAMPLE_RATE, Block, Frames, SynthEvent

_DRUM_BANK = 128
_SOUNDFONT_HINT = (
    "`apt install fluid-soundfont-gm` brings the usual one, or `soundfont:` in the config may name another .sf2 file"
)


class Synth:
    """FluidSynth playing one program of a soundfont, with its own reverb and chorus off.

    FluidSynth works in blocks of 64 frames and lets an event sound from the next one on. It is therefore only ever
    asked for whole blocks of the absolute grid, cut at every event; what was not asked for yet is kept. The result is
    bit-identical however `render` is split. The synthesizer cannot be copied or saved, and is for one thread at a time.

    Args:
        soundfont: an SF2 or SF3 file.
        program: General MIDI program 0–127 (bank 0), or the kit's number in bank 128.
        drums: take the program from bank 128.
        gain: linear factor on FluidSynth's output, 0–10; at the default a usual passage of chords peaks near -8 dBFS.

    Raises:
        AudioError: the soundfont is missing or is none, or has no such program.
    """

    def __init__(self, soundfont: Path, *, program: int, drums: bool = False, gain: float = 1.4) -> None:
        check_soundfont(soundfont)
        fluid = library()
        complaints()
        self._fluid = fluid
        self._synth = fluid.Synth(
            gain=float(gain),
            samplerate=float(SAMPLE_RATE),
            channels=16,
            **{
                "synth.reverb.active": 0,
                "synth.chorus.active": 0,
                "synth.dynamic-sample-loading": 1,
                "synth.lock-memory": 0,
                "synth.polyphony": 128,
                "synth.threadsafe-api": 0,
            },
        )
        self._channel = 9 if drums else 0
        self._events: list[SynthEvent] = []
        self._made: Frames = 0
        self._rest: Block = np.zeros((0, 2), dtype=np.float32)
        try:
            self._load(soundfont, _DRUM_BANK if drums else 0, program)
        except AudioError:
            self.close()
            raise

    def _load(self, soundfont: Path, bank: int, program: int) -> None:
        sfid = self._synth.sfload(os.fspath(soundfont))
        if sfid < 0:
            raise AudioError(f"{soundfont} is not a soundfont ({complaints()}): {_SOUNDFONT_HINT}")
        if self._synth.program_select(self._channel, sfid, bank, program) != self._fluid.FLUID_OK:
            there = [number for number in range(128) if self._synth.sfpreset_name(sfid, bank, number) is not None]
            complaints()
            what = "drum kit" if bank else "program"
            raise AudioError(f"{soundfont} has no {what} {program}; it has {_ranges(there) or 'none in that bank'}")

    @property
    def position(self) -> Frames:
        """The next frame that `render` returns."""
        return self._made - len(self._rest)

    def schedule(self, events: Iterable[SynthEvent]) -> None:
        """Add events, in any order, to sound at their absolute frames; at one frame releases come before strikes.

        Raises:
            AudioError: an event off the grid, in a block that is already made, or with a value outside 0–127.
        """
        for event in events:
            if event.frame % GRID or event.frame < self._made:
                raise AudioError(
                    f"an event at frame {event.frame}: it must be a multiple of {GRID}, at least {self._made}"
                )
            if not (0 <= event.note <= 127 and 0 <= event.velocity <= 127):
                raise AudioError(f"note {event.note} with velocity {event.velocity}: both must be from 0 to 127")
            heapq.heappush(self._events, event)

    def render(self, frames: Frames) -> Block:
        """The next `frames` frames, any number ≥ 0: (frames, 2) float32, not clipped.

        Raises:
            AudioError: the synthesizer is closed or failed.
        """
        if self._synth is None:
            raise AudioError("the synthesizer is closed")
        out = np.empty((frames, 2), dtype=np.float32)
        kept = min(frames, len(self._rest))
        out[:kept] = self._rest[:kept]
        self._rest = self._rest[kept:]
        whole = (frames - kept) // GRID * GRID
        self._fill(out[kept : kept + whole])
        missing = frames - kept - whole
        if missing:
            block = np.empty((GRID, 2), dtype=np.float32)
            self._fill(block)
            out[frames - missing :] = block[:missing]
            self._rest = block[missing:]
        return out

    def _fill(self, out: Block) -> None:
        """Fill `out`, whole grid blocks of contiguous frames, sounding each event as its frame is reached."""
        done, end = 0, self._made + len(out)
        while self._made < end:
            while self._events and self._events[0].frame == self._made:
                self._play(heapq.heappop(self._events))
            until = min(end, self._events[0].frame) if self._events else end
            count = until - self._made
            address = out[done:].ctypes.data
            if self._fluid.write_float(self._synth.synth, count, address, 0, 2, address, 1, 2) != self._fluid.FLUID_OK:
                raise AudioError(f"FluidSynth could not render {count} frames ({complaints()})")
            done += count
            self._made = until

    def _play(self, event: SynthEvent) -> None:
        # Both answer FLUID_FAILED for a key the program has no sample for or that does not sound: nothing is lost then.
        if event.velocity:
            self._synth.noteon(self._channel, event.note, event.velocity)
        else:
            self._synth.noteoff(self._channel, event.note)

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
