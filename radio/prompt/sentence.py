"""A prompt as a sequence of items, with queries about the items around a place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from radio.prompt.concepts import PARTS, Choice, Degree, Instrument, Layer, Loudness
from radio.prompt.facets import Span
from radio.prompt.items import Break, Item, Meaning

_LISTED: Final = frozenset({*PARTS, "vinyl"})
"""Layers after `and` that a negation before it still applies to, as in no drums and bass."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """The items of a prompt."""

    prompt: str
    items: Sequence[Item]

    def span(self, first: int, last: int) -> Span:
        """Return the span from one item to another."""
        return self.items[first].span.to(self.items[last].span)

    def text(self, span: Span) -> str:
        return self.prompt[span.start : span.end]

    def following(self, place: int) -> int | None:
        """Return the index of the next item that is not a filler, or None at the end of a part of the sentence."""
        for index in range(place + 1, len(self.items)):
            if isinstance(self.items[index].meaning, Break):
                return None
            if not self.items[index].plays("filler"):
                return index
        return None

    def next_meaning(self, place: int) -> Meaning | None:
        """Return the meaning of the next item that is not a filler."""
        following = self.following(place)
        return None if following is None else self.items[following].meaning

    def leads_to_layer(self, place: int) -> bool:
        """Return whether there are only adjectives between a place and a layer, an instrument or a drum kit."""
        for following in self._rest(place):
            item = self.items[following]
            if _is_layer(item.meaning):
                return True
            joins = item.plays("and") and isinstance(self.next_meaning(following), Loudness)
            if not (joins or _is_adjective(item.meaning) or item.plays("very", "bit")):
                return False
        return False

    def leads_to_thing(self, place: int) -> bool:
        """Return whether a layer, an instrument or the name of a scale follows immediately."""
        meaning = self.next_meaning(place)
        return _is_layer(meaning) or (isinstance(meaning, Degree) and meaning.noun)

    def ends(self, place: int) -> bool:
        """Return whether no content word follows in this part of the sentence."""
        return all(self.items[index].plays("very", "bit", "and", "or") for index in self._rest(place)[:1])

    def next_is_listed(self, place: int) -> bool:
        """Return whether the next item is a layer that a negation before `and` still applies to."""
        meaning = self.next_meaning(place)
        return isinstance(meaning, Layer) and meaning.name in _LISTED

    def in_negative_list(self, place: int) -> bool:
        """Return whether the list at this comma has an `or` later on, as in no drums, bass or vinyl."""
        for item in self.items[place + 1 :]:
            if item.plays("or"):
                return True
            if not isinstance(item.meaning, (Layer, Instrument, Break)) and not item.plays("filler"):
                return False
        return False

    def is_adjacent(self, end: int, place: int) -> bool:
        """Return whether there are only fillers between the character `end` and an item."""
        before = place - 1
        while before >= 0 and self.items[before].plays("filler"):
            before -= 1
        return before >= 0 and self.items[before].span.end <= end

    def _rest(self, place: int) -> list[int]:
        return list(self._after(place))

    def _after(self, place: int) -> Iterator[int]:
        following = self.following(place)
        while following is not None:
            yield following
            following = self.following(following)


def _is_layer(meaning: object) -> bool:
    return isinstance(meaning, (Layer, Instrument)) or (isinstance(meaning, Choice) and meaning.aspect == "kit")


def _is_adjective(meaning: object) -> bool:
    return isinstance(meaning, (Loudness, Choice)) or (isinstance(meaning, Degree) and not meaning.noun)
