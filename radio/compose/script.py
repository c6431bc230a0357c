"""Scripts: the bars of a track's form, and what is changed in them: growth, a lead, energy, and held loops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final, Literal, TypeAlias, get_args

from radio.music.chord_loops import Loop
from radio.types import STILL, MixMove

Kind: TypeAlias = Literal["intro", "groove", "break", "outro"]
Variation: TypeAlias = Literal["none", "turn", "thin"]
Growth: TypeAlias = Literal["octave", "ghosts", "open hat"]
"""An addition to a groove that returns: the top line of the keys in octaves, ghost notes, or an open hat."""

GROWTHS: Final[tuple[Growth, ...]] = get_args(Growth)
_WITHOUT_DRUMS: Final[tuple[Growth, ...]] = ("octave",)

PLAYED: Final = frozenset({"keys", "bass", "drums"})

_CALMEST, _CALM, _LIVELY = 0.1, 0.25, 0.75


@dataclass(frozen=True, slots=True)
class BarScript:
    """One bar of a track's form.

    section: name of the section, such as `intro` or `A`. material: the phrase that is played, `A` or `B`. place: bars
    since the section began. layers: the layers that sound. variation: variation of the keys. growth: additions to the
    groove. fill: beats of drum fill at the end. rings: True if the keys strike one chord and hold it.
    """

    section: str
    kind: Kind
    material: str
    place: int
    layers: frozenset[str]
    variation: Variation = "none"
    growth: tuple[Growth, ...] = ()
    fill: int = 0
    rings: bool = False
    mix: MixMove = STILL


def with_growth(script: Sequence[BarScript], random: Random, layers: frozenset[str] = PLAYED) -> tuple[BarScript, ...]:
    """Return the bars with one more addition each time a groove returns over the same phrase.

    Args:
        script: The bars of a track.
        random: The track's generator, from which the order of the additions is drawn.
        layers: Layers that the station plays.
    """
    possible = GROWTHS if "drums" in layers else _WITHOUT_DRUMS
    order = tuple(random.sample(possible, len(possible)))
    played: Counter[str] = Counter()
    grown = []
    for bar in script:
        played[bar.material] += bar.kind == "groove" and bar.place == 0
        growth = order[: played[bar.material] - 1] if bar.kind == "groove" else ()
        grown.append(replace(bar, growth=growth))
    return tuple(grown)


def with_lead(script: Sequence[BarScript], random: Random, energy: float = 0.5) -> tuple[BarScript, ...]:
    """Return the bars with a lead in the last groove, and in other sections.

    At an energy of 0.5, half of the grooves and half of the breakdowns have a lead.
    """
    firsts = [number for number, bar in enumerate(script) if bar.place == 0]
    grooves = [first for first in firsts if script[first].kind == "groove"]
    breakdowns = [first for first in firsts if script[first].kind == "break"]
    sections = {grooves[-1], *random.sample(grooves[:-1], max(0, int(len(grooves) * energy) - 1))}
    sections |= {first for first in breakdowns if random.random() < energy}
    return tuple(
        replace(bar, layers=bar.layers | {"lead"}) if number - bar.place in sections else bar
        for number, bar in enumerate(script)
    )


def lead_returns(script: Sequence[BarScript], bar: int) -> bool:
    """Return True if an earlier section over the same phrase as bar `bar` has a lead."""
    start = max(place for place in range(bar + 1) if script[place].place == 0)
    return any("lead" in one.layers and one.material == script[bar].material for one in script[:start])


def at_energy(bar: BarScript, energy: float, played: frozenset[str]) -> BarScript:
    """Return a bar as played at an energy from 0 to 1.

    Below 0.25 the drums rest and grooves do not grow, and below 0.1 the bass rests as well; above 0.75 both play from
    the first bar to the ending.
    """
    if energy < _CALM:
        resting = {"drums"} if energy >= _CALMEST else {"drums", "bass"}
        return replace(bar, layers=bar.layers - resting, growth=(), fill=0)
    if energy > _LIVELY and bar.kind != "outro":
        return replace(bar, layers=bar.layers | (played & {"drums", "bass"}), mix=replace(bar.mix, drums_band=0.0))
    return bar


def held_on(script: Sequence[BarScript], bar: int, loops: Mapping[str, Loop]) -> tuple[BarScript, ...]:
    """Return the bars with the last loop of a section repeated before bar `bar`, at which the section would end.

    An ending that has begun starts over afterward. The mix stays as it was at the end of the section.
    """
    end = bar - script[bar].place if script[bar].kind == "outro" else bar
    start = max((place for place in range(end) if script[place].place == 0), default=0)
    last, length = script[end - 1], loops[script[end - 1].material].bars
    bars = script[end - min(4 if length == 1 else length, end - start) : end]
    mix = replace(last.mix, lowpass=(last.mix.lowpass[1],) * 2, gain_db=(last.mix.gain_db[1],) * 2)
    layers = frozenset[str]().union(*(one.layers for one in bars))
    again = (replace(one, layers=layers, variation="none", fill=0, mix=mix) for one in bars)
    return (*script[:bar], *again, *script[end:])


def form_of(script: Sequence[BarScript]) -> str:
    """Return the sections between intro and outro, one letter each, such as `ABA`."""
    sections = [bar for bar in script if bar.place == 0 and bar.kind in ("groove", "break")]
    return "".join("K" if bar.kind == "break" else bar.section for bar in sections)
