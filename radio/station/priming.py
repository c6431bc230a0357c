"""Reading an uploaded file as a prime, in a process of its own with limits on time and memory."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from radio.compose.listening.reading import prime_of
from radio.compose.prime import as_json
from radio.music.midi_parts import PartChoice
from radio.music.midi_score import Score, score_of
from radio.transcription.recording import SIGNATURE, is_recording, transcribe

MOST_BYTES: Final = 5 * 2**20
"""Largest MIDI file that is read."""

MOST_RECORDED_BYTES: Final = 20 * 2**20
"""Largest recording that is read: a minute at 48 kHz in 24 bits has 17 MB."""

_MEMORY: Final = 2**30
"""Most bytes of address space; a MIDI file of 5 MB takes a third of it, a recording of a minute half of it."""

_PROCESSOR_SECONDS: Final = 60
"""A recording of a minute takes 1.5 s on a fast machine."""


@dataclass(frozen=True, slots=True)
class ReadPrime:
    """A MIDI file or a recording to be read as a prime: a task for `radio.worker.job_queue`.

    The result is a JSON file.
    """

    data: bytes
    name: str
    choice: PartChoice

    def run(self, folder: Path, on_progress: Callable[[float], None]) -> Path:
        """Read the file, and write the prime into `folder`. Raises MidiError or AudioError where it cannot be used."""
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (_PROCESSOR_SECONDS, _PROCESSOR_SECONDS))
        prime = prime_of(self._score(folder / "recording"), self.name, self.choice)
        target = folder / "prime.json"
        target.write_text(json.dumps(as_json(prime)), encoding="utf-8")
        on_progress(1.0)
        return target

    def _score(self, path: Path) -> Score:
        """Return the notes of the file; a recording is written to `path` first."""
        if not is_recording(self.data[:SIGNATURE]):
            return score_of(self.data)
        path.write_bytes(self.data)
        return transcribe(path)
