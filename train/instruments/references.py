"""Reference notes: recordings of single notes, listed by `manifest.csv`, that instruments are fitted to."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from radio.errors import SettingsError

RATE = 44_100
"""Hz: the sample rate at which notes are analyzed, modeled and compared."""

Signal = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reference:
    """One recorded note."""

    instrument: str
    path: Path
    note: int
    """MIDI number of the pitch, or of the pad of a kit."""
    velocity_low: int
    velocity_high: int
    take: int

    @property
    def velocity(self) -> int:
        """The middle of the velocities at which a sampler plays the recording."""
        return (self.velocity_low + self.velocity_high + 1) // 2

    def signal(self) -> Signal:
        """Return the recording, mono, at `RATE`."""
        return read_audio(self.path)


def read_references(folder: Path) -> dict[str, list[Reference]]:
    """Return the notes that `manifest.csv` lists in a folder, by instrument.

    Raises:
        SettingsError: there is no manifest in the folder.
    """
    manifest = folder / "manifest.csv"
    if not manifest.is_file():
        raise SettingsError(f"there is no {manifest}; name the folder of the reference notes")
    notes: dict[str, list[Reference]] = {}
    with manifest.open(newline="") as file:
        for row in csv.DictReader(file):
            instrument = row["instrument"]
            numbers = (int(row[name]) for name in ("note", "velocity_low", "velocity_high", "round_robin"))
            notes.setdefault(instrument, []).append(Reference(instrument, folder / instrument / row["file"], *numbers))
    return notes


def read_audio(path: Path) -> Signal:
    """Return an audio file's channels averaged, at `RATE`."""
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE)
    with av.open(str(path)) as container:
        frames = [piece for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
        frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.float64)
