"""Plain lines of text in place of the view, for pipes, logs and simple terminals."""

from __future__ import annotations

from datetime import datetime
from typing import TextIO

from radio.playback.messages import EventPlayed, Notice, PlayerMessage, StationChanged, StationFailed


class PlainOutput:
    """An output of one line, with date and time, for each track and each notice."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._station = ""

    def on_message(self, message: PlayerMessage) -> None:
        """Write a line if the message is a new track or a notice."""
        match message:
            case StationChanged(settings):
                self._station = settings.title
            case EventPlayed(event, _) if event.kind == "track":
                data = event.data
                self._write(f"{self._station} · {data['title']} · key of {data['key']} · {data['tempo']:g} BPM")
            case StationFailed(settings, reason):
                self._write(f"{settings.title} cannot be played: {reason}")
            case Notice(text):
                self._write(text)

    def _write(self, text: str) -> None:
        now = datetime.now().astimezone()
        print(f"{now:%Y-%m-%d %H:%M:%S}  {text}", file=self._file, flush=True)
