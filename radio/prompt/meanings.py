"""Meanings of words outside the lexicon: a sentence encoder compares them with descriptions of concepts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from radio.prompt.concepts import CONCEPTS, Choice, Concept, Degree, Layer, Scene
from radio.prompt.encoder import open_encoder
from radio.prompt.facets import MILD, SCALES, Facet, Phrase
from radio.prompt.grammar import UNKNOWN, Reading

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

DESCRIPTIONS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "calm": ("calm", "peaceful and relaxed", "serenity"),
        "warm": ("warm and cozy", "affection and comfort"),
        "happy": ("happy", "joyful and cheerful", "delight"),
        "nostalgic": ("nostalgic", "remembering the past", "longing for old times"),
        "sad": ("sad", "sorrow and grief", "melancholy and lonely"),
        "dark": ("dark and gloomy", "spooky and sinister"),
        "tense": ("anxious and tense", "angry"),
        "dreamy": ("dreamy", "floating in a dream", "ethereal"),
        "slow": ("slow", "slow tempo"),
        "fast": ("fast", "fast tempo", "in a hurry"),
        "energetic": ("energetic and lively", "full of energy"),
        "restful": ("tired and exhausted",),
        "sparse": ("sparse and minimal",),
        "busy": ("busy and crowded",),
        "bright": ("bright and clear sound",),
        "dull": ("muffled sound", "dull sound"),
        "adventurous": ("experimental and unpredictable", "strange and weird"),
        "predictable": ("predictable and repetitive",),
        "rain": ("rain", "rainy weather", "heavy rain shower"),
        "cafe": ("café", "people talking in a coffee shop", "restaurant"),
        "fire": ("fireplace", "a crackling wood fire"),
        "waves": ("ocean waves on a beach", "the sea"),
        "wind": ("wind", "windy weather"),
        "birds": ("birds singing",),
        "crickets": ("crickets and insects at night",),
        "thunder": ("thunder and lightning",),
        "train": ("train journey", "railway"),
        "city": ("city traffic", "cars on a street"),
        "vinyl": ("crackle of an old vinyl record",),
        "night": ("night", "midnight"),
        "morning": ("morning", "sunrise"),
        "evening": ("evening", "dusk"),
        "sunny": ("sunny weather", "sunshine"),
        "snow": ("snow", "cold winter weather"),
        "study": ("studying and concentrating", "working on homework"),
        "sleep": ("falling asleep", "bedtime"),
        "meditation": ("meditation and yoga",),
        "romantic": ("romantic love", "a date with candles"),
        "party": ("party and celebration",),
        "space": ("outer space and stars",),
        "jazz": ("jazz music",),
        "retro": ("vintage and old-fashioned",),
    }
)
"""Short descriptions of concepts, in English, which the encoder knows best."""

NEAR_ENOUGH: Final = 0.52
"""Minimum cosine similarity of a phrase and a description; below it, the words count as not understood."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """A concept whose description is near a phrase, and their cosine similarity."""

    concept: str
    nearness: float


def nearest(words: str) -> Meaning:
    """Return the concept whose description is nearest to `words`."""
    names, vectors = _described()
    products = vectors @ open_encoder().vectors([words])[0]
    best = int(products.argmax())
    return Meaning(names[best], float(products[best]))


def with_meanings(reading: Reading) -> Reading:
    """Return a reading in which unknown words near a description get its facets; others stay unknown."""
    return replace(reading, phrases=tuple(map(_with_meaning, reading.phrases)))


@cache
def _described() -> tuple[list[str], npt.NDArray[np.float32]]:
    pairs = [(concept, text) for concept, texts in DESCRIPTIONS.items() for text in texts]
    return [concept for concept, _ in pairs], open_encoder().vectors([text for _, text in pairs])


def _with_meaning(phrase: Phrase) -> Phrase:
    if phrase.reason != UNKNOWN:
        return phrase
    meaning = nearest(phrase.text)
    if meaning.nearness < NEAR_ENOUGH:
        return phrase
    facets = tuple(facet.weighing(MILD) for facet in _facets(CONCEPTS[meaning.concept]))
    note = f"interpreted as {meaning.concept}, with a similarity of {meaning.nearness:.2f}"
    return replace(phrase, facets=facets, reason="", note=note)


def _facets(concept: Concept) -> tuple[Facet, ...]:
    match concept:
        case Choice():
            return (Facet(concept.aspect, concept.value), *concept.also)
        case Degree():
            return (Facet(concept.aspect, SCALES[concept.aspect].at(concept.degree)),)
        case Scene():
            return concept.facets
        case Layer():
            return (Facet(concept.name, "on"),)
    return ()
