"""The audio of a score: whole tracks as a station plays them, excerpts that fade, and loops."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Final

import numpy as np

from radio.audio.loudness import Meter
from radio.compose.bar import Bar
from radio.compose.composer import ComposerState
from radio.compose.feel import Feel
from radio.compose.prime import Prime
from radio.music.clock import Clock, to_grid
from radio.music.events import NoteEvent
from radio.settings.controls import PLAYED_LAYERS, Controls
from radio.station.aired import PREROLL, AiredPassage, BarLine, PlayedNote
from radio.station.factory import music_seed, open_station, open_timing
from radio.station.replay import replay
from radio.station.score import Score, bar_lines
from radio.types import SAMPLE_RATE, STILL, Action, Block, Frames

_JOINT: Final[Frames] = 1_024
"""Length of the crossfade at the end of a loop, needed because wow, vinyl and rain do not repeat with the bars."""

_LEAD: Final[Frames] = SAMPLE_RATE
"""Frame of a loop's first bar line on its clock, so that early notes do not fall before frame 0."""

_MOST_GAIN: Final = 12.0
"""Largest gain in dB that is used to bring a loop to its target loudness."""


def play(score: Score) -> Iterator[Block]:
    """Yield the audio of a score in blocks, `score.frames` in total.

    Up to the fade, the samples are those of a station with the same settings and seed.

    Raises:
        AudioError: The soundfont or a loop of the station cannot be used.
        ModelError: The table of drum timings cannot be read.
    """
    if score.fade is None:
        return _joined((layers["mix"] for layers in replay(_repeated(score))), score.frames)
    return _faded(_on_air(score, score.frames), *score.fade)


def fade_gain(first: Frames, last: Frames, fade: tuple[Frames, Frames]) -> Block:
    """Return the gain of a fade for frames `first` to `last` - 1, as a column."""
    begin, end = fade
    share = (np.arange(first, last) - begin) / max(1, end - begin)
    return ((1 - np.clip(share, 0, 1)) ** 3).astype(np.float32)[:, None]


class ScoreBars:
    """A source of bars for a station: the bars of a score that ends, then silent bars."""

    def __init__(self, score: Score) -> None:
        self._score = score
        self._bars = _with_releases(score)
        self.next_number = 0
        self.next_loop = 0

    def prepare(self, controls: Controls) -> None:
        """Do nothing: the bars are already composed."""

    def next_bar(self, controls: Controls) -> Bar:  # noqa: ARG002 — a score cannot change
        """Return the next bar."""
        number = self.next_number
        self.next_number = self.next_loop = number + 1
        if number < len(self._bars):
            return self._bars[number]
        last = self._bars[-1]
        releases = {
            layer: _final_releases(self._score, layer) if number == len(self._bars) else [] for layer in last.events
        }
        plan = replace(last.plan, number=number, section="outro", layers=frozenset(), mix=STILL)
        return replace(last, plan=plan, events=releases)

    def act(self, action: Action, controls: Controls) -> int:  # noqa: ARG002 — a score cannot change
        """Ignore the action, and return the number of the next bar."""
        return self.next_number

    def save(self) -> None:
        """Return None: a score needs no snapshots."""

    def restore(self, saved: ComposerState) -> None:
        """Do nothing: nothing was saved."""

    def prime(self, prime: Prime, controls: Controls) -> int:  # noqa: ARG002 — a score cannot change
        """Ignore the prime, and return the number of the next bar."""
        return self.next_number


def _on_air(score: Score, frames: Frames) -> Iterator[Block]:
    """Yield the first frames of a station that plays a score."""
    with closing(open_station(score.settings, seed=score.seed, bars=ScoreBars(score))) as station:
        for position in range(0, frames, SAMPLE_RATE):
            yield station.render(min(SAMPLE_RATE, frames - position))
            station.events()  # discard the events, which would accumulate


def _faded(blocks: Iterable[Block], begin: Frames, end: Frames) -> Iterator[Block]:
    position = 0
    for block in blocks:
        after = position + len(block)
        yield block if after <= begin else block * fade_gain(position, after, (begin, end))
        position = after


def _joined(blocks: Iterable[Block], frames: Frames) -> Iterator[Block]:
    """Yield `frames` of a passage that starts `_JOINT` earlier; its end fades into the audio before its start."""
    before: Block = np.empty((_JOINT, 2), np.float32)
    gain = np.linspace(0, 1, _JOINT, dtype=np.float32)[:, None]
    position = -_JOINT
    for block in blocks:
        lead = block[: max(0, -position)]
        before[position + _JOINT :][: len(lead)] = lead
        part = block[len(lead) :].copy()
        position += len(lead)
        joint = position - (frames - _JOINT)  # place of the part in the joint
        end = part[max(0, -joint) :]
        place = max(0, joint)
        end += gain[place : place + len(end)] * (before[place : place + len(end)] - end)
        position += len(part)
        if len(part):
            yield part


def _repeated(score: Score) -> AiredPassage:
    """Return a loop's passage at the target loudness, after enough repetitions that its start is no longer heard."""
    target = score.settings.tone.loudness
    if not target:
        return _passage(score, 0.0)
    meter = Meter()
    for layers in replay(_passage(score, 0.0)):
        meter.add(layers["mix"])
    gain = target - meter.integrated
    return _passage(score, min(max(gain, -_MOST_GAIN), _MOST_GAIN) if math.isfinite(gain) else 0.0)


def _passage(score: Score, gain: float) -> AiredPassage:
    """Return a loop's passage with a gain in dB applied."""
    bars = _with_releases(score)
    placed = _placed(score, bars)
    rounds = -(-(PREROLL + _JOINT) // score.frames)
    start = rounds * score.frames
    notes: list[PlayedNote] = []
    lines: list[BarLine] = []
    for shift in range(0, start + 2 * score.frames, score.frames):
        moved = (note._replace(frame=note.frame - _LEAD + shift) for note in placed)
        notes += [note._replace(frame=to_grid(note.frame)) for note in moved if note.frame >= 0]
        lines += [line._replace(frame=line.frame + shift) for line in _lines(score.bars, gain)]
    settings = replace(score.settings, seed=score.seed)
    return AiredPassage(settings, start - _JOINT, start + score.frames, sorted(notes), lines, (), moves=lines)


def _with_releases(score: Score) -> list[Bar]:
    """Return the bars without the releases at the score's end; in a loop, these move to its first tick."""
    bars = [
        replace(
            bar,
            events={
                layer: [event for event in events if event.tick < score.end] for layer, events in bar.events.items()
            },
        )
        for bar in score.bars
    ]
    if score.loops:
        # Together with the notes of the first tick, so that human timing delays both equally.
        events = {
            layer: [*(replace(event, tick=0) for event in _final_releases(score, layer)), *played]
            for layer, played in bars[0].events.items()
        }
        bars[0] = replace(bars[0], events=events)
    return bars


def _final_releases(score: Score, layer: str) -> list[NoteEvent]:
    return [event for event in score.events(layer) if event.tick == score.end]


def _placed(score: Score, bars: Sequence[Bar]) -> list[PlayedNote]:
    """Return the notes of a loop as they are played, with swing and human timing."""
    clock = Clock(bars[0].tempo, frame=_LEAD)
    timing = open_timing(score.settings)
    feels: Mapping[str, Feel] = {
        layer: Feel(layer, music_seed(score.settings, score.seed), timing) for layer in PLAYED_LAYERS
    }
    notes: list[PlayedNote] = []
    for bar in bars:
        clock.set_tempo(bar.plan.tick, bar.tempo)
        if bar.opens_track:
            for feel in feels.values():
                feel.begin_track(bar.track.number)
        for layer, events in bar.events.items():
            for event in events:
                frame = feels[layer].place(event.tick, event.note, clock, bar.swing)
                notes.append(PlayedNote(frame, layer, event.note, event.velocity, event.tick))
    return notes


def _lines(bars: Sequence[Bar], gain: float) -> list[BarLine]:
    lines = bar_lines(bars)
    return [
        BarLine(
            start,
            bar.plan.number,
            bar.tempo,
            end - start,
            replace(bar.plan.mix, level_db=(gain, gain)),
            bar.programs,
        )
        for bar, start, end in zip(bars, lines, lines[1:], strict=False)
    ]
