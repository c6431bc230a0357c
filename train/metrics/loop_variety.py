"""`python -m train loops`: the loops a station would play over, listed and counted, without a note being composed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from radio.compose.conductor import FORM, Conductor
from radio.compose.loop_rules import signature
from radio.compose.plan import Track
from radio.music.chord_loops import Loop
from radio.music.chords import pitch_class
from radio.settings.station import StationSettings
from radio.station.factory import open_conductor
from radio.types import BEATS_PER_BAR, MoodChoice

_SCALE = frozenset({0, 2, 4, 5, 7, 9, 11})


@dataclass(frozen=True, slots=True)
class Variety:
    """A stretch of tracks under one mood.

    distinct: loops that differ in roots or rhythm, wherever they begin. soonest: after how many tracks a loop came
    again, none where none did. longest: how often one loop was drawn. minor: share of tracks in the minor, none where
    nobody said. chords_per_bar: mean, all sections. in_scale: share of chord tones, by time, in the key's scale.
    qualities: shares of the time. endings: how many ways there are of coming round (the last two roots and the first).
    """

    tracks: int
    distinct: int
    soonest: int | None
    longest: int
    minor: float
    chords_per_bar: float
    in_scale: float
    endings: int
    qualities: dict[str, float]


def tracks(settings: StationSettings, *, hours: float, mood: MoodChoice, seed: int) -> list[Track]:
    """The tracks of `hours` at the station's tempo, all in `mood`."""
    leader: Conductor = open_conductor(settings, seed)
    count = max(1, round(hours * 60 * settings.controls.tempo / BEATS_PER_BAR / len(FORM)))
    found: dict[int, Track] = {}
    while len(found) < count:
        track, _ = leader.next_bar(settings.controls.density, mood)
        found[track.number] = track
    return list(found.values())


def variety(found: Sequence[Track]) -> Variety:
    """Figures of some tracks' harmony."""
    mains = [main_loop(track) for track in found]
    last: dict[object, int] = {}
    gaps = []
    for number, loop in enumerate(mains):
        if signature(loop) in last:
            gaps.append(number - last[signature(loop)])
        last[signature(loop)] = number
    counts = Counter(map(signature, mains))
    time: Counter[str] = Counter()
    inside = outside = begun = bars = 0
    for track in found:
        for section, loop in track.sections.items():
            weight = FORM.count(section) / loop.bars
            bars += FORM.count(section)
            begun += round(weight * len(list(loop.spans())))
            for chord, beats in loop.transposed(-pitch_class(track.key)).spans():
                time[chord.quality] += round(beats * weight)
                inside += beats * len(chord.tones & _SCALE)
                outside += beats * len(chord.tones - _SCALE)
    endings = {tuple(chord.root for chord, _ in [*list(loop.spans())[-2:], next(loop.spans())]) for loop in mains}
    return Variety(
        tracks=len(found),
        distinct=len(counts),
        soonest=min(gaps, default=None),
        longest=max(counts.values()),
        minor=sum(track.mode == "minor" for track in found) / len(found),
        chords_per_bar=begun / bars,
        in_scale=inside / (inside + outside),
        endings=len(endings),
        qualities={quality: count / time.total() for quality, count in time.most_common()},
    )


def main_loop(track: Track) -> Loop:
    """The loop of its first section, as in C major or A minor."""
    return track.sections["A"].transposed(-pitch_class(track.key))


def listing(found: Sequence[Track]) -> str:
    """A line a track, its first two loops as in C major or A minor, for a musician's eye."""
    lines = []
    for track in found:
        first, second = (track.sections[each].transposed(-pitch_class(track.key)).names() for each in "AB")
        lines.append(f"{track.mode or '-':6} {' | '.join(first):60} then {' | '.join(second)}")
    return "\n".join(lines)


def table(columns: dict[str, Variety]) -> str:
    """The figures as Markdown, a column a mood."""
    rows = [
        "| | " + " | ".join(columns) + " |",
        "| --- |" + " ---: |" * len(columns),
        *(
            f"| {name} | " + " | ".join(_cell(getattr(each, field)) for each in columns.values()) + " |"
            for name, field in (
                ("tracks", "tracks"), ("distinct loops", "distinct"), ("soonest repetition, tracks", "soonest"),
                ("most often one loop", "longest"), ("ways of coming round", "endings"),
                ("share of minor", "minor"), ("chords a bar", "chords_per_bar"),
                ("chord tones in the scale", "in_scale"),
            )
        ),
    ]  # fmt: skip
    qualities = Counter({name: share for each in columns.values() for name, share in each.qualities.items()})
    for quality, _ in qualities.most_common():
        cells = " | ".join(f"{each.qualities.get(quality, 0.0):.3f}" for each in columns.values())
        rows.append(f"| {quality} | {cells} |")
    return "\n".join(rows)


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "none" if value is None else str(value)
