"""The grammar of prompts: a prompt becomes phrases, each with its facets."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, TypeGuard

from radio.prompt.concepts import Absent, Choice, Concept, Degree, Function, Instrument, Layer, Loudness, Scene
from radio.prompt.facets import EXACT, IMPLIED, Facet, Phrase
from radio.prompt.items import Break, Item, Number, Unknown, items_of
from radio.prompt.keys import Key
from radio.prompt.lexicon import lexicon
from radio.prompt.modifiers import A_BIT, VERY, Modifiers
from radio.prompt.sentence import Sentence
from radio.prompt.tokens import tokens_of

INSTRUMENT_LEVEL: Final = "instrument.level"
"""Aspect of the level of a named instrument, until its part is known."""
NO_SETTING: Final = "the radio has no setting for this"
NO_LENGTH: Final = "words do not set the length of the music"
INCOMPLETE: Final = "nothing follows for these words to refer to"
UNKNOWN: Final = "these words are not known"

_PLAIN_TEMPOS: Final = (40, 200)
"""Numbers without a unit in this range are tempos."""
_BY: Final = ("by", "um")
"""Words between a comparison and its measure: faster by 5."""
_SIGNS: Final = {"+": 1, "-": -1, "−": -1}
_AT_NIGHT: Final = (Facet("brightness", 6_000.0, weight=IMPLIED), Facet("energy", 0.3, weight=IMPLIED))
_RETRO: Final = (Facet("wow", 0.6), Facet("mood", "nostalgic", weight=IMPLIED))


@dataclass(frozen=True, slots=True)
class Reading:
    """A parsed prompt. only: the word that silences all layers that are not named, as in only piano."""

    phrases: tuple[Phrase, ...]
    only: Phrase | None = None


def read(prompt: str) -> Reading:
    """Return the phrases of a prompt, in order."""
    parser = _Parser(Sentence(prompt, items_of(tokens_of(prompt), lexicon())))
    parser.run()
    return Reading(tuple(parser.phrases), parser.only)


@dataclass(slots=True)
class _Parser:
    """A parser that reads items from left to right; its fields are the context for the next item."""

    sentence: Sentence
    phrases: list[Phrase] = field(default_factory=list)
    only: Phrase | None = None
    _place: int = 0
    _pending: Modifiers = field(default_factory=Modifiers)
    _last: Concept | None = None
    """The concept of the latest phrase or name of a scale, while a following word may still modify it."""
    _thing: int | None = None
    """Index of the latest phrase, if it names a layer or instrument that a following word may still modify."""
    _list: list[int] = field(default_factory=list)
    """Indices of the phrases that `and` or `or` joins to a list."""
    _negates: bool = False
    """True while a negation still applies to the next member of a list."""
    _only: int | None = None
    """Index of a word such as only, in this part of the sentence."""
    _affirms: bool = False
    """True if this part of the sentence names something to play."""

    def run(self) -> None:
        """Read all items."""
        for place, item in enumerate(self.sentence.items):
            self._place = place
            if item.span.end > self._read_up_to:
                self._read(item)
        self._place = len(self.sentence.items)
        self._end_part()

    @property
    def _read_up_to(self) -> int:
        return self.phrases[-1].span.end if self.phrases else 0

    def _read(self, item: Item) -> None:
        meaning = item.meaning
        match meaning:
            case Function():
                self._function(meaning)
            case Break():
                self._break(meaning)
            case Number():
                self._number(meaning)
            case Key():
                self._add(Facet("key", meaning.tonic), *([Facet("mode", meaning.mode)] if meaning.mode else []))
            case Unknown():
                self._unknown(item)
            case Layer() | Instrument():
                self._layer(meaning)
            case Degree():
                self._degree(meaning)
            case Loudness():
                self._loudness(meaning)
            case Choice():
                turned = self._pending.turns or (self._negates and self._pending.start is None)
                facets = self._pending.choice(meaning, turned=turned)
                self._add(*facets, concept=Layer("drums") if facets and meaning.aspect == "kit" else None)
            case Scene():
                turned = self._pending.no or self._negates
                self._add(*self._pending.scene(meaning, turned=turned))
            case Absent():
                self._add(reason=meaning.reason)

    # Function words and breaks

    def _function(self, word: Function) -> None:
        pending, role = self._pending, word.role
        if role in ("more", "less", "up", "down") and self._thing is not None and self._turn_last(role):
            return
        match role:
            case "no":
                pending.no = True
            case "too":
                pending.too = True
            case "very" | "bit":
                pending.amount = VERY if role == "very" else A_BIT
            case "more" | "up":
                pending.compared = 1
            case "less" | "down":
                pending.compared = -1
            case "only":
                self._only = self._place
                return
            case "off":
                self._silence_list()
                return
            case "and" | "or":
                self._join(role)
                return
            case "but":
                self._end_part()
                return
            case _:
                return
        if pending.start is None:
            pending.start = self._place

    def _join(self, role: str) -> None:
        self._flush()
        self._negates = self._negates and (role == "or" or self.sentence.next_is_listed(self._place))
        if self._thing is not None:
            self._list.append(self._thing)
        self._thing = self._last = None

    def _break(self, sign: Break) -> None:
        negates = sign.comma and self._negates and self.sentence.in_negative_list(self._place)
        if sign.comma and self._only is not None and not self._affirms:
            self._flush()  # only, say, piano: the part continues
        else:
            self._end_part()
        self._negates = negates

    def _end_part(self) -> None:
        self._flush()
        if self._only is not None and self._affirms:
            span = self.sentence.items[self._only].span
            self.only = self.only or Phrase(span, self.sentence.text(span))
        self._only = None
        self._affirms = self._negates = False
        self._last = self._thing = None
        self._list = []

    def _flush(self) -> None:
        """Report modifiers without a content word after them."""
        pending = self._pending
        if pending.start is not None and (pending.no or pending.compared or pending.too):
            self._add(reason=INCOMPLETE, end=self._place - 1)
        self._pending = Modifiers()

    # Content words

    def _layer(self, concept: Layer | Instrument) -> None:
        pending = self._pending
        negated = pending.no or (self._negates and pending.start is None)
        barred = negated and not pending.too and pending.loudness is None and not pending.compared
        if isinstance(concept, Layer):
            adjectives = pending.layer(concept.name)
            facets = [Facet(concept.name, "off" if barred else "on"), *([] if barred else adjectives)]
        else:
            facets = [] if barred else pending.layer(concept.parts[0], INSTRUMENT_LEVEL)
        if self._thing is not None and concept == Layer("lead") and isinstance(self._last, Instrument) and not barred:
            self._extend(*facets, part="lead")  # vibraphone lead
            return
        instrument = concept.name if isinstance(concept, Instrument) else ""
        self._add(*facets, concept=concept, instrument=instrument, barred=barred)
        self._negates = barred

    def _loudness(self, concept: Loudness) -> None:
        pending = self._pending
        if self.sentence.leads_to_layer(self._place):
            self._wait()
            pending.loudness = concept
        elif self._thing is not None:
            self._extend(pending.level(self._level_of_last(), concept))
        else:
            self._add(*pending.lone_loudness(concept))

    def _degree(self, concept: Degree) -> None:
        pending = self._pending
        if concept.aspect == "density" and not concept.noun:
            if self.sentence.leads_to_layer(self._place):
                self._wait()
                pending.density = concept
                return
            if self._thing is not None and (facets := pending.layer_density(self._layer_of_last(), concept)):
                self._extend(*facets)
                return
        if concept.noun and concept.degree == 0 and not (pending.no or pending.compared):
            self._pending = Modifiers(start=self._place)  # a number may follow
            self._last = concept
            return
        self._add(pending.degree(concept), concept=concept)

    def _number(self, number: Number) -> None:
        items, value, last = self.sentence.items, number.value, self._place
        following = self.sentence.following(last)
        if following is not None and items[following].plays("to", "and"):
            after = items[following + 1].meaning if following + 1 < len(items) else None
            if isinstance(after, Number):
                value, last = (value + after.value) / 2, following + 1
                following = self.sentence.following(last)
        unit = "" if following is None else _unit(items[following])
        end = following if unit and following is not None else last
        change = self._tempo_change(value, unit, end)
        if change and _compares_tempo(self.sentence.next_meaning(end)):
            end = self.sentence.following(end) or end
        facets = [change] if change else self._measured(value, unit, last)
        self._wait()
        if isinstance(self._last, Degree) and self._last.degree and facets:
            self._pending.start = self._start_of(self.phrases.pop())  # swing 60: the number replaces the name
        self._place = end
        self._add(*facets, reason=NO_LENGTH if unit == "time" else NO_SETTING)

    def _tempo_change(self, value: float, unit: str, end: int) -> Facet | None:
        """Return the change of tempo that a number means, as in 5 bpm faster, slower by 5 or +5 bpm, or None."""
        item, small = self.sentence.items[self._place], value < _PLAIN_TEMPOS[0]
        words = self.sentence.prompt[self._read_up_to : item.span.start].strip().lower()
        before, after = self._last, self.sentence.next_meaning(end)
        direction = 0.0
        if _compares_tempo(before) and (words in _BY or (small and unit == "bpm")):
            direction = before.degree
        elif small and unit == "bpm" and _compares_tempo(after):
            direction = after.degree
        elif small and unit == "bpm" and words[-1:] in _SIGNS:
            direction = _SIGNS[words[-1:]]
        return Facet("tempo", direction * value, relative=True, weight=EXACT) if direction else None

    def _measured(self, value: float, unit: str, place: int) -> list[Facet]:
        """Return the facets of a number before a unit, or next to the name of a scale."""
        if unit in ("time", "decade", "am-pm"):
            return [*{"time": (), "decade": _RETRO, "am-pm": _AT_NIGHT}[unit]]
        names = (self._last, self.sentence.next_meaning(place))
        aspect = next((name.aspect for name in names if isinstance(name, Degree) and name.noun), "")
        if unit == "bpm" or (not aspect and not unit and _PLAIN_TEMPOS[0] <= value <= _PLAIN_TEMPOS[1]):
            aspect = "tempo"
        return [Facet(aspect, value, weight=EXACT)] if aspect in ("tempo", "swing") else []

    def _start_of(self, phrase: Phrase) -> int:
        return next(place for place, item in enumerate(self.sentence.items) if item.span.start >= phrase.span.start)

    def _unknown(self, item: Item) -> None:
        latest = self.phrases[-1] if self.phrases else None
        if latest is not None and latest.reason == UNKNOWN and self.sentence.is_adjacent(latest.span.end, self._place):
            span = latest.span.to(item.span)
            self.phrases[-1] = replace(latest, span=span, text=self.sentence.text(span))
        else:
            self._add(reason=UNKNOWN)

    # The latest phrases

    def _turn_last(self, role: str) -> bool:
        """Turn the previous layer up or down, unless the word belongs to the next one. Return whether it was turned."""
        follows = not self.sentence.ends(self._place) if role in ("more", "less") else None
        if follows or (follows is None and self.sentence.leads_to_thing(self._place)):
            return False
        self._pending.compared = 1 if role in ("more", "up") else -1
        self._extend(self._pending.turned_level(self._level_of_last()))
        return True

    def _silence_list(self) -> None:
        """Silence the members of the list before this item, as in drums and bass off."""
        for place in [*self._list, *([] if self._thing is None else [self._thing])]:
            phrase = self.phrases[place]
            off = tuple(Facet(facet.aspect, "off") for facet in phrase.facets if facet.value == "on")
            self.phrases[place] = replace(phrase, facets=off, barred=bool(phrase.instrument))
            self._affirms = False
        if self._thing is not None:
            self._extend()

    def _level_of_last(self) -> str:
        return f"{self._last.name}.level" if isinstance(self._last, Layer) else INSTRUMENT_LEVEL

    def _layer_of_last(self) -> str:
        if isinstance(self._last, Instrument):
            return self._last.parts[0]
        return self._last.name if isinstance(self._last, Layer) else ""

    def _wait(self) -> None:
        """Start the modifiers at this item, if none have started yet."""
        if self._pending.start is None:
            self._pending.start = self._place

    def _extend(self, *facets: Facet, part: str = "") -> None:
        """Add facets to the latest phrase of a layer, and extend it to this item."""
        if self._thing is None:
            return
        phrase = self.phrases[self._thing]
        span = phrase.span.to(self.sentence.items[self._place].span)
        self.phrases[self._thing] = replace(
            phrase, span=span, text=self.sentence.text(span), facets=(*phrase.facets, *facets), part=part or phrase.part
        )
        self._pending = Modifiers()

    def _add(
        self,
        *facets: Facet,
        reason: str = NO_SETTING,
        concept: Concept | None = None,
        instrument: str = "",
        barred: bool = False,
        end: int | None = None,
    ) -> None:
        """Append a phrase from the first modifier to this item, or to `end`. Following words may modify `concept`."""
        last = self._place if end is None else end
        first = last if self._pending.start is None else self._pending.start
        span = self.sentence.span(min(first, last), last)
        understood = bool(facets) or bool(instrument)
        reason = "" if understood else reason
        self.phrases.append(Phrase(span, self.sentence.text(span), facets, reason, instrument, barred))
        asserted = any(facet.value == "on" for facet in facets) or (bool(instrument) and not barred)
        self._affirms = self._affirms or asserted
        self._last = concept
        self._thing = len(self.phrases) - 1 if isinstance(concept, (Layer, Instrument)) else None
        self._negates = False
        self._pending = Modifiers()


def _compares_tempo(meaning: object) -> TypeGuard[Degree]:
    """Return whether a meaning compares tempos, like the word faster."""
    return isinstance(meaning, Degree) and meaning.aspect == "tempo" and meaning.compared


def _unit(item: Item) -> str:
    """Return the unit that an item names, or an empty string if it names none."""
    units = ("bpm", "percent", "time", "decade", "am-pm")
    return item.meaning.role if isinstance(item.meaning, Function) and item.meaning.role in units else ""
