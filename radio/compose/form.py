"""Form and arrangement: the sections of a track, and for each bar the layers that sound and the move of the mix.

In real lo-fi tracks, lows or highs are missing for a third of the time; 62% open without lows and 72% without highs.
Each track therefore has an intro, grooves, usually a breakdown, and an ending, drawn from a small grammar.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from radio.compose.script import PLAYED, BarScript, Kind
from radio.compose.taste import NEUTRAL, Taste
from radio.types import BEATS_PER_BAR, STILL, MixMove, Seconds

_MUFFLED: Final = (350.0, 900.0)
_LIFT: Final = 1.5
"""Gain in dB of keys that play by themselves: they are 3 to 8 LU below the whole band."""

_SOFT: Final = -3.5
"""Gain in dB of intro, breakdowns and ending in a band without drums. With drums, their rests make these quieter."""

_FADE: Final = 3
"""Length of a fade in bars."""

_SHORTEST: Final[Seconds] = 62.0
_LONGEST: Final[Seconds] = 186.0
_USUAL: Final[Seconds] = 112.0


@dataclass(frozen=True, slots=True)
class _Section:
    name: str
    kind: Kind
    material: str
    bars: int


_BODIES: Final = (
    "AB", "ABA", "AKA", "AAKA", "ABAB", "AKBA", "ABKBA", "ABAKA", "AKAB",
)  # fmt: skip
"""Orders of sections between intro and outro: A and B are grooves over their phrases, K is a breakdown over A."""


def draw_form(
    random: Random, tempo: float, *, layers: frozenset[str] = PLAYED, energy: float = 0.5, taste: Taste = NEUTRAL
) -> tuple[BarScript, ...]:
    """Draw the bars of a track that lasts between one and three minutes.

    Args:
        random: The track's generator.
        tempo: Beats per minute.
        layers: Layers that the station plays.
        energy: 0 to 1; more energy gives fewer breakdowns and shorter intros.
        taste: The listeners' taste.
    """
    seconds = min(max(_USUAL * 2 ** random.gauss(0, 0.45), _SHORTEST), _LONGEST)
    goal = seconds * tempo / 60 / BEATS_PER_BAR
    fewest, most = (limit * tempo / 60 / BEATS_PER_BAR for limit in (_SHORTEST - 2, _LONGEST + 4))
    drafts = [_draft(random, energy, taste) for _ in range(24)]
    fitting = [draft for draft in drafts if fewest <= _length(draft) <= most] or drafts
    sections = min(fitting, key=lambda draft: abs(_length(draft) - goal))
    return tuple(_arranged(sections, random, layers))


def _draft(random: Random, energy: float, taste: Taste) -> list[_Section]:
    """Draw the names and lengths of sections."""
    lean = 2 * energy - 1
    intros = (0.15 * 4**lean, 0.6, 0.25 / 4**lean)
    sections = [_Section("intro", "intro", "A", random.choices((2, 4, 8), intros)[0])]
    for letter in taste.choose(random, "form", _BODIES, [4 ** (-lean * body.count("K")) for body in _BODIES]):
        if letter == "K":
            sections.append(_Section("break", "break", "A", random.choices((4, 8), (0.75, 0.25))[0]))
        else:
            bars = random.choices((4, 8, 12, 16), (0.1, 0.55, 0.15, 0.2) if letter == "A" else (0.25, 0.65, 0.1, 0.0))[
                0
            ]
            sections.append(_Section(letter, "groove", letter, bars))
    return [*sections, _Section("outro", "outro", "A", random.choices((4, 8), (0.7, 0.3))[0])]


def _length(sections: list[_Section]) -> int:
    return sum(section.bars for section in sections)


def _arranged(sections: list[_Section], random: Random, played: frozenset[str]) -> Iterator[BarScript]:
    """Give each bar its layers and the moves of the mix."""
    grooves = [number for number, section in enumerate(sections) if section.kind == "groove"]
    builds = random.random() < 0.35
    for number, section in enumerate(sections):
        if section.kind == "intro":
            yield from _lifted(_intro(section, random, played), played)
        elif section.kind == "outro":
            yield from _lifted(_outro(section, random, played), played)
        elif section.kind == "break":
            yield from _lifted(_breakdown(section, random, played), played)
        else:
            first = number == grooves[0]
            yield from _groove(
                section,
                random,
                played,
                late_bass=4 if first and builds and section.bars > 4 else 0,
            )


def _bars(section: _Section, layers: frozenset[str], mix: MixMove = STILL) -> list[BarScript]:
    return [
        BarScript(section.name, section.kind, section.material, place, layers, mix=mix) for place in range(section.bars)
    ]


def _lifted(bars: list[BarScript], played: frozenset[str]) -> list[BarScript]:
    """Return a section slightly louder if only the keys play it, or softer if the band has no drums at all."""
    if "drums" not in played:
        return _softened(bars)
    alone = all(bar.layers <= {"keys"} for bar in bars)
    return [replace(bar, mix=replace(bar.mix, gain_db=(_LIFT, _LIFT))) for bar in bars] if alone else bars


def _softened(bars: list[BarScript]) -> list[BarScript]:
    """Return a section softer than its neighbors; the gain changes gradually within its first and last bars."""
    edges = [_SOFT] * (len(bars) + 1)
    if bars[0].kind != "intro":
        edges[0] = 0.0
    if bars[0].kind != "outro":
        edges[-1] = 0.0
    gains = (
        (bar.mix.gain_db[0] + start, bar.mix.gain_db[1] + end)
        for bar, start, end in zip(bars, edges, edges[1:], strict=False)
    )
    return [replace(bar, mix=replace(bar.mix, gain_db=gain)) for bar, gain in zip(bars, gains, strict=True)]


def _sweep(bars: list[BarScript], start: float, end: float) -> list[BarScript]:
    """Return the bars with the master's low-pass sweeping from `start` to `end` Hz at an even rate in octaves."""
    edges = [start * (end / start) ** (place / len(bars)) for place in range(len(bars) + 1)]
    return [
        replace(bar, mix=replace(bar.mix, lowpass=(low, high)))
        for bar, low, high in zip(bars, edges, edges[1:], strict=False)
    ]


def _intro(section: _Section, random: Random, played: frozenset[str]) -> list[BarScript]:
    """Draw an intro: most have no lows, and most have no highs."""
    without_lows = frozenset({"keys"})
    match random.choices(("filtered", "keys", "muffled band", "telephone"), (0.4, 0.2, 0.2, 0.2))[0]:
        case "filtered":
            return _sweep(_bars(section, without_lows), random.uniform(*_MUFFLED), 6_000)
        case "keys":
            return _bars(section, without_lows)
        case "muffled band":
            return _sweep(_bars(section, played), random.uniform(*_MUFFLED), 2_500)
        case _:
            return _bars(section, without_lows | (played & {"drums"}), MixMove(drums_band=1.0))


def _groove(section: _Section, random: Random, layers: frozenset[str], *, late_bass: int = 0) -> Iterator[BarScript]:
    """Yield a groove: its phrase repeated, with occasional turns and drop-outs, and a fill at its end."""
    drop = random.random() < 0.3
    for bar in _bars(section, layers):
        last = bar.place == section.bars - 1
        turn = bar.place % 8 == 7 or last
        script = replace(bar, layers=bar.layers - {"bass"} if bar.place < late_bass else bar.layers)
        if turn and random.random() < 0.7:
            script = replace(script, variation=random.choice(("turn", "turn", "thin")))
        if last and drop:
            script = replace(script, layers=script.layers - {"drums", "bass"})
        elif last or (turn and random.random() < 0.5):
            script = replace(script, fill=random.choice((1, 1, 2)) if not last else random.choice((1, 2, 2, 4)))
        yield script


def _breakdown(section: _Section, random: Random, played: frozenset[str]) -> list[BarScript]:
    """Draw a breakdown: drums or lows are missing, or the filter closes and then opens."""
    match random.choices(("keys", "bass", "muffled", "drums"), (0.35, 0.15, 0.3, 0.2))[0]:
        case "keys":
            return _bars(section, frozenset({"keys"}))
        case "bass":
            return _bars(section, frozenset({"keys", "bass"}))
        case "muffled":
            return _sweep(_bars(section, played), random.uniform(*_MUFFLED), 5_000)
        case _:
            return _bars(section, frozenset({"keys"}) | (played & {"drums"}), MixMove(drums_band=1.0))


def _outro(section: _Section, random: Random, played: frozenset[str]) -> list[BarScript]:
    """Draw an ending: a last chord rings out, the music fades, or the tape stops."""
    keys = frozenset({"keys"})
    silent = frozenset[str]()
    match random.choices(("ring", "filter", "fade", "stop"), (0.4, 0.25, 0.2, 0.15))[0]:
        case "ring":
            return _rung_out(_bars(section, keys))
        case "filter":
            return _rung_out(_sweep(_bars(section, played - {"bass"}), 4_000, random.uniform(*_MUFFLED)))
        case "fade":
            bars = _bars(section, played)
            first = len(bars) - _FADE
            edges = [-28.0 * (max(0, place - first) / _FADE) ** 1.5 for place in range(len(bars) + 1)]
            return [
                replace(bar, mix=replace(bar.mix, gain_db=(start, end)))
                for bar, start, end in zip(bars, edges, edges[1:], strict=False)
            ]
        case _:
            bars = _bars(section, played)
            stopped = replace(bars[-2], mix=replace(bars[-2].mix, stop=True))
            return [*bars[:-2], stopped, replace(bars[-1], layers=silent)]


def _rung_out(bars: list[BarScript]) -> list[BarScript]:
    """Return the bars with one chord in the next-to-last bar, which rings through a last bar of room and crackle."""
    chord = replace(bars[-2], layers=frozenset({"keys"}), rings=True)
    return [*bars[:-2], chord, replace(bars[-1], layers=frozenset())]
