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
from radio.music.midi_score import score_of

MOST_BYTES: Final = 5 * 2**20
"""Largest file that is read."""

_MEMORY: Final = 2**30
"""Most bytes of address space; a file of 5 MB takes a third of it."""

_PROCESSOR_SECONDS: Final = 20


@dataclass(frozen=True, slots=True)
class ReadPrime:
    """A MIDI file to be read as a prime: a task for `radio.worker.job_queue`. The result is a JSON file."""

    data: bytes
    name: str
    choice: PartChoice

    def run(self, folder: Path, on_progress: Callable[[float], None]) -> Path:
        """Read the file, and write the prime into `folder`. Raises MidiError where it cannot be used."""
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (_PROCESSOR_SECONDS, _PROCESSOR_SECONDS))
        prime = prime_of(score_of(self.data), self.name, self.choice)
        target = folder / "prime.json"
        target.write_text(json.dumps(as_json(prime)), encoding="utf-8")
        on_progress(1.0)
        return target
