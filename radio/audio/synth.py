"""The synthesizer of all layers: turns note events on the absolute grid into audio."""

from __future__ import annotations

import ctypes
import heapq
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from radio import files
from radio.audio.fluid import library, take_errors
from radio.errors import AudioError
from radio.types import GRID, SAMPLE_RATE, Block, Frames, SynthEvent

_DRUM_BANK = 128
_SOUNDFONT_HINT = "set `soundfont:` in the config to another SF2 or SF3 file, or leave it out for the radio's own"


@dataclass(frozen=True, slots=True)
class Program:
    """The instrument of a layer: a General MIDI program, 0–127, or with `drums` the number of a kit in bank 128."""

    number: int
    drums: bool = False

    @property
    def bank(self) -> int:
        return _DRUM_BANK if self.drums else 0


@dataclass(frozen=True, slots=True)
class SynthState:
    """The notes of a synthesizer, without its sound.

    programs: by layer, after all scheduled changes. current: the programs in use.
    sounding: (layer, note, velocity) of each held note.
    events: (layer, frame, is_note, first, second) of each scheduled event; the last two are note and velocity, or bank
        and program.
    """

    programs: Mapping[str, Program]
    current: Mapping[str, Program]
    sounding: tuple[tuple[str, int, int], ...]
    events: tuple[tuple[str, Frames, bool, int, int], ...]


class Synth:
    """FluidSynth with one program per layer at a time, and without its reverb and chorus.

    All layers share one synthesizer, so that the soundfont is in memory once. Each layer is a MIDI channel with its own
    audio buffers. FluidSynth works in blocks of 64 frames, and an event takes effect with the next block. Therefore
    this class renders only whole blocks of the absolute grid, up to the next event, and the result does not depend on
    the sizes requested. Only the notes can be saved, not the sound. Only one thread at a time may use a synthesizer.

    Args:
        soundfont: an SF2 or SF3 file.
        programs: the initial programs by layer, at most 16.
        gain: linear factor for FluidSynth's output, 0–10; with the default, typical chords peak near -8 dBFS.

    Raises:
        AudioError: the soundfont is missing or invalid, or lacks one of the programs.
    """

    def __init__(self, soundfont: Path, programs: Mapping[str, Program], *, gain: float = 1.4) -> None:
        fluid = library()
        take_errors()
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
        self._layers = list(programs)
        self._programs = dict(programs)
        """The programs by layer after all scheduled changes."""
        self._current = dict(programs)
        self._sounding: dict[tuple[int, int], int] = {}
        """Velocities of the held notes, by channel and note."""
        self._events: list[tuple[Frames, bool, int, int, int]] = []
        """A heap of (frame, True, note, velocity, channel), and of (frame, False, bank, program, channel)."""
        self._past: deque[tuple[Frames, bool, int, int, int]] | None = None
        """Recently played events, as in `_events`; None if they are not kept."""
        self._undone: tuple[Frames, list[tuple[Frames, bool, int, int, int]]] | None = None
        """The target frame of the latest `rewind`, and the events after it, until `settle`."""
        self.position: Frames = 0
        """The next frame to be rendered."""
        self._soundfont, self._file = soundfont, -1
        try:
            self._load(soundfont, programs)
        except AudioError:
            self.close()
            raise

    def _load(self, soundfont: Path, programs: Mapping[str, Program]) -> None:
        synth = self._synth
        # FluidSynth reads samples when a program is selected, and crashes if the file is gone by then.
        with _named_errors(soundfont):
            self._file = files.open_copy(soundfont)
        _check_header(soundfont, self._file)
        self._sfid = synth.sfload(f"/proc/self/fd/{self._file}")
        if self._sfid < 0:
            raise AudioError(f"{soundfont} is not a soundfont ({take_errors()}): {_SOUNDFONT_HINT}")
        for layer, program in programs.items():
            self.check(program)
            synth.program_select(self._channels[layer], self._sfid, program.bank, program.number)

    def check(self, program: Program) -> None:
        """Raise AudioError if the soundfont lacks a program."""
        names, bank = self._synth.sfpreset_name, program.bank
        if names(self._sfid, bank, program.number) is None:
            numbers = [number for number in range(128) if names(self._sfid, bank, number) is not None]
            kind = "drum kit" if program.drums else "program"
            choices = _ranges(numbers) or f"no {kind} at all"
            raise AudioError(f"{self._soundfont} has no {kind} {program.number}; it has {choices}")

    def change_program(self, layer: str, program: Program, frame: Frames) -> None:
        """Use another program for the notes of a layer that are struck at `frame` or later. Earlier notes keep theirs.

        Raises:
            AudioError: the frame is off the grid or before `position`, or the soundfont lacks the program.
        """
        if program == self._programs[layer]:
            return
        self._check_frame(frame)
        self.check(program)
        self._programs[layer] = program
        heapq.heappush(self._events, (frame, False, program.bank, program.number, self._channels[layer]))

    def schedule(self, layer: str, events: Iterable[SynthEvent]) -> None:
        """Add events, in any order. At the same frame, releases come before new notes of the same pitch.

        Raises:
            AudioError: an event is off the grid or before `position`, or a value is outside 0–127.
        """
        for event in events:
            self._check_frame(event.frame)
            if not (0 <= event.note <= 127 and 0 <= event.velocity <= 127):
                raise AudioError(f"note {event.note} with velocity {event.velocity}: both must be from 0 to 127")
            heapq.heappush(self._events, (event.frame, True, event.note, event.velocity, self._channel(layer)))

    def _check_frame(self, frame: Frames) -> None:
        if frame % GRID or frame < self.position:
            raise AudioError(
                f"event at frame {frame}: the frame must be a multiple of {GRID}, at least {self.position}"
            )

    def render(self, frames: Frames) -> dict[str, Block]:
        """Return the next frames of each layer: (frames, 2) float32, not clipped, each channel contiguous in memory.

        Raises:
            AudioError: `frames` is not a multiple of 64, or the synthesizer is closed or failed.
        """
        if self._synth is None:
            raise AudioError("the synthesizer is closed")
        if frames < 0 or frames % GRID:
            raise AudioError(f"cannot render {frames} frames: the synthesizer renders whole blocks of {GRID}")
        out = np.empty((len(self._channels), 2, frames), dtype=np.float32)
        addresses = out.ctypes.data + np.arange(2 * len(out)).reshape(-1, 2) * out.strides[1]
        start, end = self.position, self.position + frames
        while self.position < end:
            while self._events and self._events[0][0] == self.position:
                event = heapq.heappop(self._events)
                if self._past is not None:
                    self._past.append(event)
                self._play(*event)
            until = min(end, self._events[0][0]) if self._events else end
            self._write(until - self.position, addresses + (self.position - start) * out.itemsize)
            self.position = until
        return {layer: out[channel].T for layer, channel in self._channels.items()}

    def _write(self, frames: Frames, addresses: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> None:
        pointers = ctypes.c_void_p * len(addresses)
        left, right = (pointers(*column) for column in addresses.T.tolist())
        if self._fluid.nwrite_float(self._synth.synth, frames, left, right, None, None) != self._fluid.FLUID_OK:
            raise AudioError(f"FluidSynth could not render {frames} frames ({take_errors()})")

    def _play(self, _frame: Frames, is_note: bool, first: int, second: int, channel: int) -> None:
        # Ignore FLUID_FAILED: the program has no sample for the key, or the key is not sounding.
        if not is_note:
            self._synth.program_select(channel, self._sfid, first, second)
            self._current[self._layers[channel]] = Program(second, drums=first == _DRUM_BANK)
        elif second:
            self._synth.noteon(channel, first, second)
            self._sounding[channel, first] = second
        else:
            self._synth.noteoff(channel, first)
            self._sounding.pop((channel, first), None)

    def save(self) -> SynthState:
        """Return the held and scheduled notes."""
        layers = self._layers
        return SynthState(
            dict(self._programs),
            dict(self._current),
            tuple((layers[channel], note, velocity) for (channel, note), velocity in sorted(self._sounding.items())),
            tuple((layers[event[-1]], *event[:-1]) for event in sorted(self._events)),
        )

    def restore(self, saved: SynthState, frame: Frames) -> None:
        """Continue from saved notes at a frame of the grid: all sound stops, and the held notes are struck again.

        Raises:
            AudioError: the soundfont lacks a program, or a value is out of range.
        """
        self._synth.all_sounds_off(-1)
        self.position, self._events = frame, []
        if self._past is not None:
            self._past.clear()
        self._undone = None
        self._sounding.clear()
        for layer, program in saved.current.items():
            self.check(program)
            self._synth.program_select(self._channel(layer), self._sfid, program.bank, program.number)
        self._current = dict(saved.current)
        for layer, note, velocity in saved.sounding:
            self.schedule(layer, [SynthEvent(frame, note, velocity)])
        while self._events:  # struck now, because a note may be released at `frame`
            self._play(*heapq.heappop(self._events))
        self._schedule_saved(saved)

    def _schedule_saved(self, saved: SynthState) -> None:
        """Schedule the events of a state, and set the programs that are in effect after them."""
        for layer, at, is_note, first, second in saved.events:
            if is_note:
                self.schedule(layer, [SynthEvent(at, first, second)])
            else:
                self.check(Program(second, drums=first == _DRUM_BANK))
                heapq.heappush(self._events, (at, False, first, second, self._channel(layer)))
        self._programs = dict(saved.programs)

    def keep_past(self) -> None:
        """Keep all events that are played from now on, for `rewind`."""
        if self._past is None:
            self._past = deque()

    def forget(self, frame: Frames) -> None:
        """Discard the kept events before `frame`, so that `rewind` cannot start earlier."""
        while self._past and self._past[0][0] < frame:
            self._past.popleft()

    def rewind(self, start: Frames, begun: SynthState, frame: Frames, saved: SynthState) -> None:
        """Go back to saved notes at `frame`, with the sound of the notes before it.

        Args:
            start: An earlier frame; the events since then are played again.
            begun: The notes at `start`.
            frame: The frame to go back to.
            saved: The notes at `frame`.
        """
        past = list(self._past or ())
        if self._undone is not None:
            since, undone = self._undone
            past = [event for event in past if event[0] < since] + undone
        self._past = None
        self.restore(replace(begun, events=()), start)
        self._events += (event for event in past if start <= event[0] < frame)
        heapq.heapify(self._events)
        while self.position < frame:
            self.render(min(frame - self.position, SAMPLE_RATE // GRID * GRID))
        self._schedule_saved(saved)
        self._past = deque(event for event in past if event[0] < frame)
        self._undone = frame, [event for event in past if event[0] >= frame]

    def settle(self) -> None:
        """Discard the events that were played after the frame of the latest `rewind`."""
        self._undone = None

    def _channel(self, layer: str) -> int:
        if layer not in self._channels:
            raise AudioError(f"the synthesizer has no layer '{layer}'; its layers are {', '.join(self._layers)}")
        return self._channels[layer]

    def close(self) -> None:
        """Free the synthesizer and its samples. May be called more than once."""
        if self._synth is not None:
            self._synth.delete()
            self._synth = None
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def check_soundfont(path: Path) -> None:
    """Check a soundfont's header and length, and its digest if it is the package's, without opening a synthesizer.

    Raises:
        AudioError: the file is missing, is not a soundfont, or is truncated or damaged.
    """
    with _named_errors(path):
        files.check(path)
        with files.source(path).open("rb") as file:
            _check_header(path, file.fileno())


@contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    """Turn errors from reading a soundfont into AudioErrors that name it."""
    try:
        yield
    except OSError as error:
        raise AudioError(f"soundfont {path}: {error.strerror or error}; {_SOUNDFONT_HINT}") from error
    except ValueError as error:
        raise AudioError(f"soundfont {path}: {error}") from error


def _check_header(path: Path, descriptor: int) -> None:
    head, size = os.pread(descriptor, 12, 0), os.fstat(descriptor).st_size
    if head[:4] != b"RIFF" or head[8:12] != b"sfbk":
        raise AudioError(f"{path} is not a soundfont (no RIFF/sfbk header): {_SOUNDFONT_HINT}")
    if int.from_bytes(head[4:8], "little") + 8 > size:
        raise AudioError(f"soundfont {path} is truncated at {size} bytes: {_SOUNDFONT_HINT}")


def _ranges(numbers: list[int]) -> str:
    """Format an ascending list as ranges, such as `0–5, 8, 16`."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and parts[-1][-1] == number - 1:
            parts[-1][1:] = [number]
        else:
            parts.append([number])
    return ", ".join("–".join(map(str, part)) for part in parts)
