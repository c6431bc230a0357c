"""Single notes of a soundfont, played by FluidSynth."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from radio.errors import AudioError
from train.instruments.references import RATE, Signal


class Player:
    """FluidSynth with one soundfont, without reverb and chorus; a context manager.

    Raises:
        AudioError: the file is not a soundfont.
    """

    def __init__(self, soundfont: Path, *, gain: float = 1.0, rate: int = RATE) -> None:
        import fluidsynth

        options = {"synth.reverb.active": 0, "synth.chorus.active": 0, "synth.dynamic-sample-loading": 1}
        self._rate = rate
        self._synth = fluidsynth.Synth(gain=gain, samplerate=float(rate), **options)
        self._font = self._synth.sfload(os.fspath(soundfont))
        if self._font < 0:
            raise AudioError(f"{soundfont} is not a soundfont")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._synth.delete()

    def stereo(self, bank: int, program: int, events: list[tuple[float, int, int]], seconds: float) -> Signal:
        """Return the audio, (frames, 2), of a program for events (second, note, velocity); velocity 0 releases a note.

        Raises:
            AudioError: the soundfont has no such program.
        """
        synth = self._synth
        synth.system_reset()
        while np.abs(synth.get_samples(self._rate // 10)).max() > 1:  # until earlier notes have faded out
            pass
        if synth.program_select(0, self._font, bank, program) != 0:
            raise AudioError(f"the soundfont has no program {program} in bank {bank}")
        parts, position = [], 0
        for second, note, velocity in [*sorted(events), (seconds, 0, -1)]:
            until = round(second * self._rate)
            if until > position:
                parts.append(synth.get_samples(until - position))
                position = until
            if velocity > 0:
                synth.noteon(0, note, velocity)
            elif velocity == 0:
                synth.noteoff(0, note)
        return np.asarray(np.concatenate(parts).reshape(-1, 2).astype(np.float64) / 32_768)

    def note(
        self, bank: int, program: int, note: int, velocity: int, *, held: float = 8.0, seconds: float = 2.5
    ) -> Signal:
        """Return one note, mono, starting at its attack; it is released after `held` seconds."""
        events = [(0.0, note, velocity), (held, note, 0)] if held < seconds else [(0.0, note, velocity)]
        return np.asarray(self.stereo(bank, program, events, seconds).mean(axis=1))
