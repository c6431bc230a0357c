"""Tunes in the public domain, from collections that come with music21, written as MIDI files.

O'Neill's "Music of Ireland" was printed in 1903 and "Ryan's Mammoth Collection" in 1883. The ABC transcriptions were
contributed for redistribution, and music21's corpus/license.txt lists no restriction on them. `prepare folder` reads
the MIDI files.
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
_METERS = ("2/4", "2/2", "4/4")
"""Meters whose bars, alone or in pairs, fill a bar of four beats."""
_TEMPO = 84.0
_VELOCITY = 80


def write(collections: list[str], out: Path, *, limit: int | None = None) -> int:
    """Write each tune of `collections` to a file in `out`; return the number of tunes.

    The first whole bar of a tune starts on a bar line. Tunes in other meters, or in several, are left out.

    Args:
        limit: Maximum number of files to read from each collection.

    Raises:
        SettingsError: A collection is unknown.
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


def written_keys(count: int) -> Iterator[tuple[str, int, list[NoteEvent]]]:
    """Yield tunes spread over Ryan's collection: name, sharps of the written key (negative for flats), and notes."""
    from music21 import corpus

    paths = sorted(corpus.getComposer(COLLECTIONS["ryans"]))
    for path in paths[:: max(1, len(paths) // (3 * count))]:
        for score in _scores(path):
            sharps = {key.sharps for key in score.recurse().getElementsByClass("KeySignature")}
            notes = melody(score)
            if notes and len(sharps) == 1:
                yield path.stem, sharps.pop(), notes
                count -= 1
        if count <= 0:
            return


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
    """Return the notes of a music21 score; none if its meter does not fill bars of four beats.

    An upbeat is moved to the end of its own bar.
    """
    meters = {meter.ratioString for meter in score.recurse().getElementsByClass("TimeSignature")}
    bars = list(score.recurse().getElementsByClass("Measure"))
    if len(meters) != 1 or not meters <= set(_METERS) or len(bars) < BEATS_PER_BAR:
        return []
    whole = bars[0].barDuration.quarterLength
    opening = bars[0].duration.quarterLength
    shift = -opening % BEATS_PER_BAR if opening < whole else 0
    events = []
    for note in score.flatten().notes:
        if note.duration.quarterLength <= 0:  # an ornament without a length
            continue
        start = float(note.offset + shift)
        end = start + float(note.duration.quarterLength)
        pitch = max(pitch.midi for pitch in note.pitches)
        events.append(NoteEvent(round(start * TICKS_PER_BEAT), pitch, _VELOCITY))
        events.append(NoteEvent(round(end * TICKS_PER_BEAT), pitch, 0))
    return sorted(events, key=lambda event: (event.tick, event.velocity))
