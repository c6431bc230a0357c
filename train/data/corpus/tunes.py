"""Tunes in the public domain, from the collections that come with music21, written as a folder of MIDI files.

O'Neill's "Music of Ireland" was printed in 1903 and "Ryan's Mammoth Collection" in 1883; the transcriptions in ABC were
contributed to be passed on, and music21's corpus/license.txt knows of no restriction on them. What is written is read
again by `prepare folder`, as any folder of MIDI files is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from radio.errors import SettingsError, did_you_mean
from radio.music import midi
from radio.music.events import NoteEvent
from radio.types import BEATS_PER_BAR, TICKS_PER_BEAT

COLLECTIONS = {"oneills": "oneills1850", "ryans": "ryansMammoth"}
_METRES = ("2/4", "2/2", "4/4")
"""Metres whose bars fill bars of four beats, one or two at a time."""
_TEMPO = 84.0
_VELOCITY = 80


def write(collections: list[str], out: Path, *, limit: int | None = None) -> int:
    """Write the tunes of `collections` to `out`, a file each; returns how many there are.

    A tune begins where its first whole bar is a bar line; tunes in other metres, or in several, are left out.

    Args:
        limit: files of a collection to read at most.

    Raises:
        SettingsError: there is no such collection.
    """
    from music21 import corpus

    paths = []
    for name in collections:
        if name not in COLLECTIONS:
            raise SettingsError(
                f"no collection '{name}'.{did_you_mean(name, list(COLLECTIONS))} Known: {', '.join(COLLECTIONS)}"
            )
        paths += sorted(corpus.getComposer(COLLECTIONS[name]))[:limit]
    out.mkdir(parents=True, exist_ok=True)
    count = 0
    for path in tqdm(paths, unit="file"):
        for number, score in enumerate(_scores(path)):
            notes = melody(score)
            if not notes:
                continue
            name = re.sub(r"[^\w]+", "-", f"{path.parent.name}-{path.stem}-{number:02}").strip("-")
            end = max(note.tick for note in notes)
            midi.write(out / f"{name}.mid", [midi.MidiTrack("melody", notes)], {0: _TEMPO}, end=end)
            count += 1
    return count


def _scores(path: Path) -> Iterator[Any]:
    from music21 import converter, exceptions21
    from music21.stream import Opus

    try:
        parsed = converter.parse(path)
    except (exceptions21.Music21Exception, ValueError, IndexError) as error:
        tqdm.write(f"skipped {path.name}: {error}")
        return
    yield from parsed.scores if isinstance(parsed, Opus) else [parsed]


def melody(score: Any) -> list[NoteEvent]:
    """The notes of a music21 score from its first bar line on; none where its metre does not fill bars of four beats.

    What stands before the first whole bar is moved into a bar of its own, at its end.
    """
    metres = {metre.ratioString for metre in score.recurse().getElementsByClass("TimeSignature")}
    bars = list(score.recurse().getElementsByClass("Measure"))
    if len(metres) != 1 or not metres <= set(_METRES) or len(bars) < BEATS_PER_BAR:
        return []
    whole = bars[0].barDuration.quarterLength
    opening = bars[0].duration.quarterLength
    shift = -opening % BEATS_PER_BAR if opening < whole else 0
    events = []
    for note in score.flatten().notes:
        if note.duration.quarterLength <= 0:  # an ornament, which the ear adds by itself
            continue
        start = float(note.offset + shift)
        end = start + float(note.duration.quarterLength)
        pitch = max(each.midi for each in note.pitches)
        events.append(NoteEvent(round(start * TICKS_PER_BEAT), pitch, _VELOCITY))
        events.append(NoteEvent(round(end * TICKS_PER_BEAT), pitch, 0))
    return sorted(events, key=lambda event: (event.tick, event.velocity))
