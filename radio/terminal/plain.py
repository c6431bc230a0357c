"""What is playing in plain lines: for pipes, logs and terminals that can do no more."""

from __future__ import annotations

from datetime import datetime
from typing import TextIO

from radio.playback.messages import EventPlayed, Notice, PlayerMessage, StationChanged


class PlainOutput:
    """A line with the time for each track, and for each thing that is said."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._station = ""

    def on_message(self, message: PlayerMessage) -> None:
        """Write what is worth a line."""
        match message:
            case StationChanged(settings):
                self._station = settings.title
            case EventPlayed(event, _) if event.kind == "track":
                data = event.data
                self._write(f"{self._station} · {data['title']} · key of {data['key']} · {data['tempo']:g} BPM")
            case Notice(words):
                self._write(words)

    def _write(self, words: str) -> None:
        now = datetime.now().astimezone()
        print(f"{now:%Y-%m-%d %H:%M:%S}  {words}", file=self._file, flush=True)
