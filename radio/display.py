"""What is playing, in words: one live line on a terminal, a line for each bar elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from rich.console import Console
from rich.live import Live
from rich.markup import escape

from radio.types import StationEvent


class NowPlaying:
    """Words for what is heard, in lines of a console and, on a terminal, one line that changes below them."""

    def __init__(self, station: str, console: Console, live: Live | None) -> None:
        self._station = station
        self._console = console
        self._live = live

    def heard(self, event: StationEvent) -> None:
        """Show a track or a bar; notes and controls are for others to show."""
        data = event.data
        if event.kind == "track":
            self.said(f"{self._station} · {data['title']} · {data['key']} · {_number(data['tempo'])} BPM")
        elif event.kind == "bar":
            chord = data["chord"] or "–"
            line = f"bar {data['number']} · {data['section']} · {chord} · {_number(data['tempo'])} BPM"
            if self._live is None:
                self.said(f"  {line}")
            else:
                self._live.update(f"  [bold]{escape(str(chord)):8}[/] [dim]{escape(line)}[/]", refresh=True)

    def said(self, sentence: str) -> None:
        """Show one line that stays."""
        self._console.print(sentence, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def now_playing(station: str, file: IO[str]) -> Iterator[NowPlaying]:
    """A display on `file` for as long as the context lasts."""
    console = Console(file=file)
    if not console.is_terminal:
        yield NowPlaying(station, console, None)
        return
    with Live("", console=console, auto_refresh=False, transient=True) as live:
        yield NowPlaying(station, console, live)


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)
