"""Tasks of the job queue: an export, an order of files, the reading of an uploaded file.

The server runs each task in its own process (`radio.worker.job_queue`). A task imports its dependencies when it runs,
so that the server loads neither models nor codecs.
"""

from __future__ import annotations

import json
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from radio.settings.station import StationSettings
from radio.transcription.signature import SIGNATURE, is_recording
from radio.types import ProgressCallback

if TYPE_CHECKING:
    from radio.music.midi_parts import PartChoice
    from radio.music.midi_score import Score
    from radio.station.aired import AiredPassage
    from radio.station.extent import Extent

MOST_BYTES: Final = 5 * 2**20
"""Size limit for a MIDI file."""

MOST_RECORDED_BYTES: Final = 20 * 2**20
"""Size limit for a recording: a minute at 48 kHz in 24 bits has 17 MB."""

_MEMORY: Final = 2**30
"""Limit of address space in bytes. A MIDI file of 5 MB takes a third of it, a recording of one minute half of it."""

_PROCESSOR_SECONDS: Final = 60
"""Limit of processor time. A recording of one minute takes 1.5 s on a fast machine."""


@dataclass(frozen=True, slots=True)
class Export:
    """An export of consecutive passages to one file.

    `suffix` is .wav, .flac, .mp3, .opus or .zip; a .zip file holds a WAV file of each layer.
    """

    passages: Sequence[AiredPassage]
    name: str
    """The name of the file, without its suffix."""
    suffix: str
    title: str

    def run(self, folder: Path, on_progress: ProgressCallback) -> Path:
        """Write the file into `folder` and return its path."""
        from radio.station.replay import write

        target = folder / f"{self.name}{self.suffix}"
        write(self.passages, target, title=self.title, on_progress=on_progress)
        return target


@dataclass(frozen=True, slots=True)
class RenderOrder:
    """An order of files, one for each seed and format.

    not_understood: phrases of the prompt that were not understood and changed nothing.
    """

    settings: StationSettings
    extent: Extent
    seeds: tuple[int, ...]
    suffixes: tuple[str, ...]
    not_understood: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names of the files, in order of creation."""
        return [f"{self.settings.name}-{seed}{suffix}" for seed in self.seeds for suffix in self.suffixes]

    def run(self, folder: Path, on_progress: ProgressCallback) -> Path:
        """Write the files into a new folder below `folder` and return the new folder."""
        from radio.station.rendering import render

        target = folder / "tracks"
        target.mkdir()
        for place, seed in enumerate(self.seeds):
            paths = [target / f"{self.settings.name}-{seed}{suffix}" for suffix in self.suffixes]
            previous = place / len(self.seeds)
            render(
                self.settings,
                extent=self.extent,
                seed=seed,
                paths=paths,
                on_progress=lambda share, previous=previous: on_progress(previous + share / len(self.seeds)),  # type: ignore[misc]
            )
        return target


@dataclass(frozen=True, slots=True)
class ReadPrime:
    """A MIDI file or a recording to be read as a prime. The result is a JSON file."""

    data: bytes
    name: str
    choice: PartChoice

    def run(self, folder: Path, on_progress: ProgressCallback) -> Path:
        """Read the file and write the prime into `folder`. Raise MidiError or AudioError if the file cannot be used."""
        from radio.compose.listening.reading import prime_of
        from radio.compose.prime import as_json

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (_PROCESSOR_SECONDS, _PROCESSOR_SECONDS))
        prime = prime_of(self._score(folder / "recording"), self.name, self.choice)
        target = folder / "prime.json"
        target.write_text(json.dumps(as_json(prime)), encoding="utf-8")
        on_progress(1.0)
        return target

    def _score(self, path: Path) -> Score:
        """Return the notes of the file; a recording is written to `path` first."""
        from radio.music.midi_score import score_of
        from radio.transcription.recording import transcribe

        if not is_recording(self.data[:SIGNATURE]):
            return score_of(self.data)
        path.write_bytes(self.data)
        return transcribe(path)
