"""The chord loops that a station would play, listed and counted without composing notes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from radio.compose.loop_rules import signature
from radio.compose.plan import Request, Track
from radio.compose.wish import Wish
from radio.music.chord_loops import Loop
from radio.music.chords import pitch_class
from radio.settings.station import StationSettings
from radio.station.factory import open_conductor
from radio.types import BEATS_PER_BAR, MoodChoice

_SCALE = frozenset({0, 2, 4, 5, 7, 9, 11})


@dataclass(frozen=True, slots=True)
class Variety:
    """The variety of the harmony of some tracks."""

    tracks: int
    distinct: int
    """Loops that differ in roots or rhythm; a rotated loop counts as the same."""
    soonest: int | None
    """The fewest tracks after which a loop was repeated; None if no loop was."""
    longest: int
    """The number of tracks with the most frequent loop."""
    minor: float
    """The share of tracks in minor."""
    chords_per_bar: float
    """The mean over all sections."""
    in_scale: float
    """The share of chord tones, by time, in the scale of the key."""
    endings: int
    """Different ways to return to the start: the last two roots and the first."""
    qualities: dict[str, float]
    """Shares of the time by chord quality."""


def tracks(settings: StationSettings, *, hours: float, mood: MoodChoice, seed: int) -> list[Track]:
    """Draw the tracks of `hours` at the station's tempo, all in `mood`."""
    conductor = open_conductor(settings, seed)
    request = Request(wish=Wish(mood), tempo=settings.controls.tempo)
    drawn: dict[int, Track] = {}
    seconds = 0.0
    while seconds < 3600 * hours:
        track, _, _ = conductor.next_bar(request)
        drawn[track.number] = track
        seconds += 60 * BEATS_PER_BAR / (request.tempo + track.tempo_offset)
    return list(drawn.values())


def variety(played: Sequence[Track]) -> Variety:
    """Measure the variety of some tracks' harmony."""
    mains = [main_loop(track) for track in played]
    last: dict[object, int] = {}
    gaps = []
    for number, loop in enumerate(mains):
        if signature(loop) in last:
            gaps.append(number - last[signature(loop)])
        last[signature(loop)] = number
    counts = Counter(map(signature, mains))
    time: Counter[str] = Counter()
    inside = outside = begun = bars = 0
    for track in played:
        for material, loop in track.loops.items():
            material_bars = sum(script.material == material for script in track.script)
            weight = material_bars / loop.bars
            bars += material_bars
            begun += round(weight * len(list(loop.spans())))
            for chord, beats in loop.transposed(-pitch_class(track.key)).spans():
                time[chord.quality] += round(beats * weight)
                inside += beats * len(chord.tones & _SCALE)
                outside += beats * len(chord.tones - _SCALE)
    endings = {tuple(chord.root for chord, _ in [*list(loop.spans())[-2:], next(loop.spans())]) for loop in mains}
    return Variety(
        tracks=len(played),
        distinct=len(counts),
        soonest=min(gaps, default=None),
        longest=max(counts.values()),
        minor=sum(track.mode == "minor" for track in played) / len(played),
        chords_per_bar=begun / bars,
        in_scale=inside / (inside + outside),
        endings=len(endings),
        qualities={quality: count / time.total() for quality, count in time.most_common()},
    )


def main_loop(track: Track) -> Loop:
    """Return the loop of the first section, transposed to C major or A minor."""
    return track.loops["A"].transposed(-pitch_class(track.key))


def listing(played: Sequence[Track]) -> str:
    """Return a line per track with its first two loops, transposed to C major or A minor."""
    lines = []
    for track in played:
        first, second = (track.loops[name].transposed(-pitch_class(track.key)).names() for name in "AB")
        lines.append(f"{track.mode or '-':6} {' | '.join(first):60} then {' | '.join(second)}")
    return "\n".join(lines)


def table(columns: dict[str, Variety]) -> str:
    """Return the measurements as Markdown, one column per mood."""
    rows = [
        "| | " + " | ".join(columns) + " |",
        "| --- |" + " ---: |" * len(columns),
        *(
            f"| {name} | " + " | ".join(_cell(getattr(column, field)) for column in columns.values()) + " |"
            for name, field in (
                ("tracks", "tracks"), ("distinct loops", "distinct"), ("soonest repetition, tracks", "soonest"),
                ("most often one loop", "longest"), ("ways to return to the start", "endings"),
                ("share of minor", "minor"), ("chords a bar", "chords_per_bar"),
                ("chord tones in the scale", "in_scale"),
            )
        ),
    ]  # fmt: skip
    qualities = Counter({name: share for column in columns.values() for name, share in column.qualities.items()})
    for quality, _ in qualities.most_common():
        cells = " | ".join(f"{column.qualities.get(quality, 0.0):.3f}" for column in columns.values())
        rows.append(f"| {quality} | {cells} |")
    return "\n".join(rows)


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "none" if value is None else str(value)
