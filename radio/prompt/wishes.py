"""Wishes: the facets of a whole prompt, after assigning instruments to parts and resolving contradictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from radio.prompt.concepts import AMBIENCES, CONCEPTS, PARTS, Instrument
from radio.prompt.facets import IMPLIED, Facet, Phrase
from radio.prompt.grammar import INSTRUMENT_LEVEL, Reading

_INSTRUMENTS: Mapping[str, Instrument] = {
    concept.name: concept for concept in CONCEPTS.values() if isinstance(concept, Instrument)
}
_ONE_EACH = "each part plays one instrument at a time"


@dataclass(frozen=True, slots=True)
class Wishes:
    """The wishes of a whole prompt.

    phrases: with their facets; instruments have become facets of their parts, such as `keys` = `felt piano`.
    facets: one for each aspect, the one with the highest weight. silenced: the facets of the word only.
    """

    phrases: tuple[Phrase, ...]
    facets: Mapping[str, Facet]
    silenced: tuple[Facet, ...] = ()


def wishes_of(reading: Reading) -> Wishes:
    """Return the wishes of a prompt."""
    phrases = _with_parts(reading.phrases, exclusive=reading.only is not None)
    silent: tuple[Facet, ...] = ()
    if reading.only is not None:
        named = {facet.aspect for phrase in phrases for facet in phrase.facets if facet.weight > IMPLIED}
        silent = tuple(Facet(layer, "off") for layer in (*PARTS, *AMBIENCES) if layer not in named)
        only = replace(reading.only, facets=silent)
        phrases = tuple(sorted([*phrases, only], key=lambda phrase: phrase.span.start))
    facets: dict[str, Facet] = {}
    moods = [facet for phrase in phrases for facet in phrase.facets if facet.aspect == "mood"]
    mood = max(moods, key=lambda facet: facet.weight, default=None)  # the first with the highest weight
    for phrase in phrases:
        loses = any(facet.aspect == "mood" and facet != mood for facet in phrase.facets)
        for facet in phrase.facets:
            if loses and facet.aspect == "mode" and facet.weight == IMPLIED:
                continue  # it belongs to a mood that another one overrides
            earlier = facets.get(facet.aspect)
            if earlier is None or _outweighs(facet, earlier):
                facets[facet.aspect] = facet
    return Wishes(phrases, facets, silent)


def _outweighs(facet: Facet, other: Facet) -> bool:
    """Return whether a facet overrides an earlier one. Of equal weights, the first mood and the last of others win."""
    if facet.weight != other.weight:
        return facet.weight > other.weight
    if facet.value == "on":
        return other.value == "off"  # the name of an instrument is more specific than `on`
    return facet.aspect != "mood"


def _with_parts(phrases: Sequence[Phrase], *, exclusive: bool) -> tuple[Phrase, ...]:
    """Return the phrases with a part for each named instrument. Those with one part choose first, then in order."""
    named = [(place, _INSTRUMENTS[phrase.instrument]) for place, phrase in enumerate(phrases) if phrase.instrument]
    parts: dict[int, str] = {}
    for place, instrument in sorted(named, key=lambda entry: (not phrases[entry[0]].part, len(entry[1].parts))):
        if phrases[place].barred:
            continue
        choices = (phrases[place].part,) if phrases[place].part else instrument.parts
        same = [parts[other] for other, twin in named if twin == instrument and other in parts]
        parts[place] = next((part for part in (*same, *choices) if same or part not in parts.values()), "")
    if exclusive and "keys" not in parts.values():
        # The keys play a solo melody, because a lead rests most of the time.
        lead = next((place for place, part in parts.items() if part == "lead"), None)
        if lead is not None:
            parts[lead] = "keys"
    result = list(phrases)
    for place, instrument in named:
        result[place] = _placed(phrases[place], instrument, parts)
        if parts.get(place):
            facet = Facet(parts[place], instrument.name)
            facets = (facet, *(_moved(other, parts[place]) for other in phrases[place].facets if other.value != "on"))
            result[place] = replace(phrases[place], facets=facets)
    return tuple(result)


def _placed(phrase: Phrase, instrument: Instrument, parts: Mapping[int, str]) -> Phrase:
    """Return the phrase of an instrument that is ruled out, or that no part is left for."""
    if not phrase.barred:
        return replace(phrase, facets=(), reason=_ONE_EACH)
    if any(part in parts.values() for part in instrument.parts):
        return replace(phrase, facets=(), reason="")  # another instrument has the part
    aspect = instrument.parts[0] if instrument.generic else f"{instrument.name}"
    return replace(phrase, facets=(Facet(aspect, "off"),))


def _moved(facet: Facet, part: str) -> Facet:
    return replace(facet, aspect=f"{part}.level") if facet.aspect == INSTRUMENT_LEVEL else facet
