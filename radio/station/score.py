"""Scores: the bars of one file, composed before any of them is played."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from radio.compose.bar import Bar
from radio.compose.lookahead import BarComposer
from radio.music import midi
from radio.music.clock import Clock
from radio.music.events import NoteEvent
from radio.settings.station import StationSettings
from radio.station.audio_files import Chapter
from radio.station.extent import BarLoop, Extent, TimedExcerpt, WholeTracks
from radio.station.factory import open_composer
from radio.types import SAMPLE_RATE, TICKS_PER_BAR, Frames, ProgressCallback, Seconds, Tick

TAIL: Final[Frames] = 5 * SAMPLE_RATE // 2
"""Time after the last bar of a track in which the room and the vinyl fade."""

SHORTEST_FADE: Final[Seconds] = 3.0
LONGEST_FADE: Final[Seconds] = 10.0
SILENT_END: Final[Frames] = SAMPLE_RATE // 8
"""Silence at the end of an excerpt that fades."""

_REST: Final[Seconds] = 0.001
"""An excerpt that ends less than this before the next track is composed as if it reached that track."""

_MOST_TITLES: Final = 8
"""Largest number of track titles in the title of a file."""


@dataclass(frozen=True)
class Score:
    """The bars of one file.

    bars: numbered from 0. end: the tick at which notes that still sound are released. length: length of a MIDI file in
    ticks. frames: length of the audio. fade: the frames at which a fade to silence begins and ends; None if the end
    joins the beginning.
    """

    settings: StationSettings
    seed: int
    bars: tuple[Bar, ...]
    end: Tick
    length: Tick
    frames: Frames
    fade: tuple[Frames, Frames] | None

    @property
    def loops(self) -> bool:
        """True if the end joins the beginning."""
        return self.fade is None

    def events(self, layer: str) -> list[NoteEvent]:
        """Return the events of a layer, in order; every note that is struck is also released."""
        return midi.excerpt([event for bar in self.bars for event in bar.events[layer]], 0, self.end)

    @property
    def chapters(self) -> list[Chapter]:
        """The audible tracks, in order."""
        lines = bar_lines(self.bars)
        opening = [
            number for number, bar in enumerate(self.bars) if number == 0 or (bar.opens_track and not self.loops)
        ]
        edges = [*(lines[number] for number in opening), self.frames]
        titles = [self.bars[number].track.title for number in opening]
        return [Chapter(title, start, end) for title, start, end in zip(titles, edges, edges[1:], strict=False)]

    @property
    def title(self) -> str:
        """The titles of the tracks, or the first one and the number of the others if there are many."""
        titles = [chapter.title for chapter in self.chapters]
        if len(titles) > _MOST_TITLES:
            return f"{titles[0]} and {len(titles) - 1} more"
        return " / ".join(titles)

    @property
    def key_and_tempo(self) -> tuple[str, float] | None:
        """The key and the tempo, in BPM, of a score of one track; None if there are several."""
        first = self.bars[0]
        return (first.track.key_name, first.tempo) if len(self.chapters) == 1 else None


def bar_lines(bars: Sequence[Bar]) -> list[Frames]:
    """Return the frame of each bar line, including the end of the last bar."""
    clock = Clock(bars[0].tempo)
    lines: list[Frames] = []
    for number, bar in enumerate(bars):
        clock.set_tempo(number * TICKS_PER_BAR, bar.tempo)
        lines.append(clock.frame(number * TICKS_PER_BAR))
    return [*lines, clock.frame(len(bars) * TICKS_PER_BAR)]


def compose(
    settings: StationSettings, seed: int, extent: Extent, *, on_progress: ProgressCallback = lambda _: None
) -> Score:
    """Compose the part of a station's music that `extent` describes.

    The same checkpoints, settings, seed and extent give the same score.

    Args:
        settings: The settings of the station; its controls stay the same throughout.
        seed: Replaces the seed in the settings.
        extent: The part of the music to compose.
        on_progress: Called with the completed share of the work, 0–1.

    Raises:
        ModelError: A checkpoint cannot be used.
    """
    composer = open_composer(settings, seed)
    match extent:
        case WholeTracks(count):
            return _whole_tracks(settings, seed, composer, count, on_progress)
        case BarLoop(bars):
            return _loop(settings, seed, composer, bars, on_progress)
        case TimedExcerpt(seconds):
            return _excerpt(settings, seed, composer, seconds, on_progress)


def _whole_tracks(
    settings: StationSettings, seed: int, composer: BarComposer, count: int, on_progress: ProgressCallback
) -> Score:
    bars: list[Bar] = []
    complete = 0
    while complete < count:
        bar = composer.next_bar(settings.controls, write_ahead=complete < count - 1)
        bars.append(bar)
        place = bar.plan.number - bar.track.first_bar + 1
        on_progress((complete + place / bar.track.bars) / count)
        complete += bar.closes_track
    length = len(bars) * TICKS_PER_BAR
    last = bar_lines(bars)[-1]
    return Score(settings, seed, tuple(bars), length, length, last + TAIL, (last, last + TAIL))


def _excerpt(
    settings: StationSettings, seed: int, composer: BarComposer, seconds: Seconds, on_progress: ProgressCallback
) -> Score:
    bars: list[Bar] = []
    left, follows = seconds, True
    while left > 0:
        bars.append(bar := composer.next_bar(settings.controls, write_ahead=follows))
        left -= bar.seconds
        rest = bar.track.first_bar + bar.track.bars - bar.plan.number - 1
        follows = left > rest * bar.seconds - _REST
        on_progress(min(1.0, 1 - left / seconds))
    frames = round(seconds * SAMPLE_RATE)
    lines = bar_lines(bars)
    begin = _fade_begin(bars, lines, frames)
    # A track that would begin during the fade is left out; the music ends with the one before it.
    openings = (number for number, bar in enumerate(bars) if number and bar.opens_track and lines[number] >= begin)
    count = next(openings, len(bars))
    length = _tick_at(bars[:count], seconds)
    fade = begin, max(begin, frames - SILENT_END)
    return Score(settings, seed, tuple(bars[:count]), min(count * TICKS_PER_BAR, length), length, frames, fade)


def _fade_begin(bars: Sequence[Bar], lines: Sequence[Frames], frames: Frames) -> Frames:
    """Return the frame at which a fade begins: a track's end, else the last phrase end or bar line within reach."""
    shortest, longest = (round(seconds * SAMPLE_RATE) for seconds in (SHORTEST_FADE, LONGEST_FADE))
    reach = [n for n in range(1, len(bars)) if frames - longest <= lines[n] <= frames - shortest]
    openings = [number for number in reach if bars[number].opens_track]
    phrases = [number for number in reach if bars[number].plan.place == 0]
    for numbers in (openings[:1], phrases, reach):
        if numbers:
            return lines[numbers[-1]]
    return max(0, frames - shortest)


def _tick_at(bars: Sequence[Bar], seconds: Seconds) -> Tick:
    """Return the tick at which `seconds` have passed. The tempo of the last bar also applies after it."""
    left = seconds
    for number, bar in enumerate(bars):
        if left <= bar.seconds:
            return number * TICKS_PER_BAR + round(left / bar.seconds * TICKS_PER_BAR)
        left -= bar.seconds
    return len(bars) * TICKS_PER_BAR + round(left / bars[-1].seconds * TICKS_PER_BAR)


def _loop(
    settings: StationSettings, seed: int, composer: BarComposer, count: int, on_progress: ProgressCallback
) -> Score:
    """Return `count` bars starting with the first groove; if too few remain before the outro, they are repeated."""
    bars = [composer.next_bar(settings.controls, write_ahead=False)]
    kinds = [script.kind for script in bars[0].track.script]
    first, outro = kinds.index("groove"), kinds.index("outro")
    last = min(first + count, outro)
    while len(bars) < last:
        bars.append(composer.next_bar(settings.controls, write_ahead=False))
        on_progress(len(bars) / last)
    body: list[Bar] = []
    while len(body) < count:
        end = min(first + count - len(body), last)
        body += _cut(bars, first, end, number=len(body))
    frames = bar_lines(body)[-1]
    length = count * TICKS_PER_BAR
    return Score(settings, seed, tuple(body), length, length, frames, None)


def _cut(bars: Sequence[Bar], first: int, last: int, *, number: int) -> list[Bar]:
    """Return bars `first` to `last` - 1, numbered from `number`; no note sounds before or after them."""
    start, end = first * TICKS_PER_BAR, last * TICKS_PER_BAR
    moved = {
        layer: [
            replace(event, tick=event.tick - start + number * TICKS_PER_BAR)
            for event in midi.excerpt([event for bar in bars for event in bar.events[layer]], start, end)
        ]
        for layer in bars[first].events
    }
    cut: list[Bar] = []
    for place, bar in enumerate(bars[first:last]):
        tick = (number + place) * TICKS_PER_BAR
        # The releases at the end belong to the last bar.
        until = tick + TICKS_PER_BAR + (place == last - first - 1)
        events = {layer: [event for event in moved[layer] if tick <= event.tick < until] for layer in moved}
        cut.append(replace(bar, plan=replace(bar.plan, number=number + place), events=events))
    return cut
