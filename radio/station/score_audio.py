"""The sound of a score: whole tracks as a station plays them, excerpts that fade, and loops."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from radio.compose.composer import Bar
from radio.compose.feel import Feel
from radio.music.clock import Clock, to_grid
from radio.music.events import NoteEvent
from radio.station.factory import open_timing
from radio.station.layers import PLAYED_LAYERS
from radio.station.replay import PREROLL, AiredPassage, BarLine, PlayedNote, replay
from radio.station.score import Score, bar_lines
from radio.types import SAMPLE_RATE, Block, Frames

_JOINT: Final[Frames] = 1_024
"""Length of the crossfade at the end of a loop: wow, vinyl and rain do not repeat with the bars."""

_LEAD: Final[Frames] = SAMPLE_RATE
"""Place of a loop's first bar line on its clock, so that early notes have a frame too."""


def play(score: Score) -> Iterator[Block]:
    """Yield the sound of a score in blocks, `score.frames` in all.

    Up to the fade, the samples are those of a station with the same settings and seed.

    Raises:
        AudioError: The soundfont or a loop of the station cannot be used.
        ModelError: The table of drum timings cannot be read.
    """
    if score.fade is None:
        return _joined(_replayed(_repeated(score)), score.frames)
    return _faded(_replayed(_passage(score)), *score.fade)


def fade_gain(first: Frames, last: Frames, fade: tuple[Frames, Frames]) -> Block:
    """Return the gain of a fade for frames `first` to `last`, not included, as a column."""
    begin, end = fade
    share = (np.arange(first, last) - begin) / max(1, end - begin)
    return ((1 - np.clip(share, 0, 1)) ** 3).astype(np.float32)[:, None]


def _replayed(passage: AiredPassage) -> Iterator[Block]:
    return (layers["mix"] for layers in replay(passage))


def _faded(blocks: Iterable[Block], begin: Frames, end: Frames) -> Iterator[Block]:
    position = 0
    for block in blocks:
        after = position + len(block)
        yield block if after <= begin else block * fade_gain(position, after, (begin, end))
        position = after


def _joined(blocks: Iterable[Block], frames: Frames) -> Iterator[Block]:
    """Yield `frames` of a passage that starts `_JOINT` earlier; its end fades into what came before its start."""
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


def _passage(score: Score) -> AiredPassage:
    """Return a score as what a station would have had on the air."""
    *bars, last = _without_end(score)
    events = {layer: [*last.events[layer], *_final_releases(score, layer)] for layer in last.events}
    notes = _placed(score, [*bars, replace(last, events=events)], Clock(score.bars[0].tempo))
    return _aired(score, 0, score.frames, notes, _lines(score.bars))


def _repeated(score: Score) -> AiredPassage:
    """Return a loop's passage after it was played often enough to have no beginning."""
    first, *bars = _without_end(score)
    # What sounds at the end is released with the notes of the first tick, so that both are late by the same time.
    events = {
        layer: [*(replace(event, tick=0) for event in _final_releases(score, layer)), *first.events[layer]]
        for layer in first.events
    }
    placed = _placed(score, [replace(first, events=events), *bars], Clock(first.tempo, frame=_LEAD))
    rounds = -(-(PREROLL + _JOINT) // score.frames)
    start = rounds * score.frames
    notes: list[PlayedNote] = []
    lines: list[BarLine] = []
    for shift in range(0, start + 2 * score.frames, score.frames):
        moved = (note._replace(frame=note.frame - _LEAD + shift) for note in placed)
        notes += [note._replace(frame=to_grid(note.frame)) for note in moved if note.frame >= 0]
        lines += [line._replace(frame=line.frame + shift) for line in _lines(score.bars)]
    return _aired(score, start - _JOINT, start + score.frames, notes, lines)


def _aired(
    score: Score, start: Frames, end: Frames, notes: Iterable[PlayedNote], lines: Sequence[BarLine]
) -> AiredPassage:
    settings = replace(score.settings, seed=score.seed)
    return AiredPassage(settings, start, end, sorted(notes), lines, (), moves=lines)


def _without_end(score: Score) -> list[Bar]:
    """Return the bars without the events at the score's end and after it."""
    return [
        replace(
            bar,
            events={
                layer: [event for event in events if event.tick < score.end] for layer, events in bar.events.items()
            },
        )
        for bar in score.bars
    ]


def _final_releases(score: Score, layer: str) -> list[NoteEvent]:
    return [event for event in score.events(layer) if event.tick == score.end]


def _placed(score: Score, bars: Iterable[Bar], clock: Clock) -> list[PlayedNote]:
    """Return the notes of the bars as they are played: with swing, and as late as the players are."""
    timing = open_timing(score.settings)
    feels: Mapping[str, Feel] = {layer: Feel(layer, score.seed, timing) for layer in PLAYED_LAYERS}
    notes: list[PlayedNote] = []
    for bar in bars:
        clock.set_tempo(bar.plan.tick, bar.tempo)
        for layer, events in bar.events.items():
            for event in events:
                frame = feels[layer].place(event.tick, event.note, clock, bar.swing)
                notes.append(PlayedNote(frame, layer, event.note, event.velocity, event.tick))
    return notes


def _lines(bars: Sequence[Bar]) -> list[BarLine]:
    lines = bar_lines(bars)
    return [
        BarLine(start, bar.plan.number, bar.tempo, end - start, bar.plan.mix, bar.track.programs)
        for bar, start, end in zip(bars, lines, lines[1:], strict=False)
    ]
