"""Measures of whether the layers of a band fit together, in tracks and in continuations by models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from radio.compose.band_table import LAYER_OF, BandTable
from radio.compose.drums import KICKS
from radio.errors import SettingsError
from radio.model.engines.base import Engine
from radio.model.sampling import Sampler, Sampling
from radio.music.band_events import INSTRUMENTS, BandNote, encode, loudness
from radio.music.vocab import BAND_LENGTHS, BAND_PITCHES, BAND_STEPS

_BEAT: Final = 8
"""1/32 notes in a beat."""

PLAYED: Final = range(16 * 4 * _BEAT, 24 * 4 * _BEAT)
"""Steps that models play: eight bars, after hearing sixteen."""


def layer_of(note: BandNote) -> str:
    """Return the layer that plays a note."""
    return LAYER_OF[INSTRUMENTS[note.instrument]]


def continued(
    engine: Engine, notes: Sequence[BandNote], steps: range, sampling: Sampling, seed: Sequence[int]
) -> list[BandNote]:
    """Return the notes that a band model plays in `steps`, after hearing the notes before them."""
    table = BandTable(engine.tokens)
    sampler = Sampler(engine.tokens, np.random.default_rng(list(seed)))
    context = [note for note in notes if note.start < steps.start]
    logits, state = engine.step([table.row[token] for token in encode(context)], engine.zero_state())
    now, played = context[-1].start, list[BandNote]()

    def draw(allowed: np.typing.NDArray[np.bool_]) -> int:
        nonlocal logits, state
        row = sampler.draw(logits, allowed, sampling)
        logits, state = engine.step([row], state)
        return row

    while True:
        now += int(table.waits[draw(table.waits >= max(0, steps.start - now))])
        if now >= steps.stop:
            return played
        length = draw(table.lengths > 0)
        instrument, note = divmod(engine.tokens[draw(table.notes >= 0)] - BAND_PITCHES, 128)
        step = (engine.tokens[length] - BAND_LENGTHS) % BAND_STEPS
        played.append(BandNote(now, int(table.lengths[length]), instrument, note, loudness(step)))


def togetherness(notes: Sequence[BandNote]) -> dict[str, tuple[int, int]]:
    """Return the numbers of bass notes on a kick, and in the harmony of the keys, each with the number to compare with.

    The harmony is the pitch classes of the keys that sound within a beat of the note's start. Bass notes without a
    harmony do not count.
    """
    bass = [note for note in notes if layer_of(note) == "bass"]
    keys = [note for note in notes if layer_of(note) == "keys"]
    kicks = {note.start for note in notes if layer_of(note) == "drums" and note.note in KICKS}
    harmonies = [
        {key.note % 12 for key in keys if key.start < note.start + _BEAT and key.start + key.length > note.start}
        for note in bass
    ]
    over = [(note, harmony) for note, harmony in zip(bass, harmonies, strict=True) if harmony]
    return {
        "bass on a kick": (sum(note.start in kicks for note in bass), len(bass)),
        "kicks with a bass": (len(kicks & {note.start for note in bass}), len(kicks)),
        "bass in the keys' harmony": (sum(note.note % 12 in harmony for note, harmony in over), len(over)),
    }


def shares(counted: Sequence[Mapping[str, tuple[int, int]]]) -> dict[str, float]:
    """Return the shares of several passages."""
    return {
        name: sum(one[name][0] for one in counted) / max(1, sum(one[name][1] for one in counted)) for name in counted[0]
    }


def compared(
    joint: Engine, separate: Mapping[str, Engine], tracks: Sequence[Sequence[BandNote]], sampling: Sampling, seed: int
) -> dict[str, dict[str, float]]:
    """Return the shares of tracks in the steps `PLAYED`, and of the models' continuations there.

    Tracks are left out if a layer does not play both before and in these steps.
    """
    results: dict[str, list[dict[str, tuple[int, int]]]] = {"tracks": [], "separate": [], "joint": []}
    for number, notes in enumerate(tracks):
        layers = {layer: [note for note in notes if layer_of(note) == layer] for layer in separate}
        if not all(_plays(own) for own in layers.values()):
            continue
        alone = [
            note
            for layer, own in layers.items()
            for note in continued(separate[layer], own, PLAYED, sampling, (seed, number))
        ]
        results["tracks"].append(togetherness([note for note in notes if note.start in PLAYED]))
        results["separate"].append(togetherness(alone))
        results["joint"].append(togetherness(continued(joint, notes, PLAYED, sampling, (seed, number))))
    if not results["tracks"]:
        raise SettingsError("no piece has keys, bass and drums before and after its sixteenth bar")
    return {name: shares(counted) for name, counted in results.items()}


def _plays(notes: Sequence[BandNote]) -> bool:
    return any(note.start < PLAYED.start for note in notes) and any(note.start in PLAYED for note in notes)


def samples_table(results: Mapping[str, Mapping[str, float]]) -> str:
    """Return the shares as Markdown."""
    columns = ("tracks", "separate", "joint")
    lines = [f"| share of notes | {' | '.join(columns)} |", "| --- | ---: | ---: | ---: |"]
    lines += [
        f"| {row} | {' | '.join(f'{results[column][row]:.1%}' for column in columns)} |" for row in results["tracks"]
    ]
    return "\n".join(lines)
