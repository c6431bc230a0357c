"""Concepts: the meanings that words of any language can have. The files in `words/` give each concept its words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from radio.prompt.facets import IMPLIED, Aspect, Facet

Role: TypeAlias = Literal[
    "no", "off", "more", "less", "very", "bit", "too", "only", "and", "or", "but", "to", "filler", "bpm", "percent",
    "time", "am-pm", "decade", "up", "down",
]  # fmt: skip
"""Function of a word in a sentence. `off` negates the words before it; `up` and `down` come before or after."""


@dataclass(frozen=True, slots=True)
class Function:
    """A word that changes the meaning of its neighbors."""

    role: Role


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of the sound: an instrument's part, or an ambience."""

    name: str


@dataclass(frozen=True, slots=True)
class Instrument:
    """A named instrument. parts: the parts that it can play, the most usual first."""

    name: str
    parts: tuple[str, ...]
    generic: bool = False
    """True if the name also means the whole part: `no piano` means no keys at all."""


@dataclass(frozen=True, slots=True)
class Degree:
    """A degree on a scale: slow is -1 on tempo. noun: True for the name of the scale; on its own it has this degree."""

    aspect: Aspect
    degree: float
    compared: bool = False
    noun: bool = False
    also: tuple[Facet, ...] = ()


@dataclass(frozen=True, slots=True)
class Loudness:
    """Soft or loud. Next to a layer it changes the level of that layer, in steps; on its own it means `alone`."""

    steps: float
    alone: tuple[Facet, ...] = ()
    compared: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several values. also: facets that come with it. opposite: the value that its negation means."""

    aspect: Aspect
    value: str
    also: tuple[Facet, ...] = ()
    opposite: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """A place, a time or an occasion."""

    facets: tuple[Facet, ...]


@dataclass(frozen=True, slots=True)
class Absent:
    """A wish that the radio cannot fulfill."""

    reason: str


Concept: TypeAlias = Function | Layer | Instrument | Degree | Loudness | Choice | Scene | Absent

AMBIENCES: Final = (
    "rain", "vinyl", "cafe", "fire", "waves", "wind", "birds", "crickets", "thunder", "train", "city", "typing",
    "noise", "stream",
)  # fmt: skip
"""Layers without notes. Those that the radio does not have are reported as not available."""

PARTS: Final = ("keys", "bass", "drums", "lead")
"""Layers that play notes."""


def _hint(aspect: Aspect, value: float | str) -> Facet:
    return Facet(aspect, value, weight=IMPLIED)


_DIM, _BRIGHT = _hint("brightness", 6_000.0), _hint("brightness", 14_000.0)
_RESTING, _LIVELY = _hint("energy", 0.3), _hint("energy", 0.7)
_SPARSE, _SLOW = _hint("density", 0.3), _hint("tempo", 68.0)
_MINOR, _MAJOR = _hint("mode", "minor"), _hint("mode", "major")


def _mood(mood: str, *also: Facet, opposite: str) -> Choice:
    return Choice("mood", mood, also, opposite)


def _on(*layers: str) -> tuple[Facet, ...]:
    return tuple(Facet(layer, "on") for layer in layers)


def _functions(roles: Iterable[Role]) -> dict[str, Concept]:
    return {role: Function(role) for role in roles}


_MELODIC: Final = ("lead",)
_STRUCK: Final = ("lead", "keys")
_TABLE: dict[str, Concept] = {
    **_functions(Role.__args__),  # type: ignore[attr-defined]  # the words of the Literal
    **{layer: Layer(layer) for layer in (*PARTS, *AMBIENCES)},
    # Instruments. The names are those of the controls.
    "piano": Instrument("upright piano", ("keys",), generic=True),
    "felt-piano": Instrument("felt piano", ("keys",)),
    "rhodes": Instrument("rhodes", ("keys",)),
    "wurlitzer": Instrument("wurlitzer", ("keys",)),
    "organ": Instrument("organ", ("keys",)),
    "pad": Instrument("pad", ("keys",)),
    "guitar": Instrument("nylon guitar", ("keys", "lead")),
    "muted-guitar": Instrument("muted guitar", ("keys", "lead")),
    "music-box": Instrument("music box", _STRUCK),
    "bells": Instrument("bells", _STRUCK),
    "vibraphone": Instrument("vibraphone", _STRUCK),
    "kalimba": Instrument("kalimba", _STRUCK),
    "flute": Instrument("flute", _MELODIC),
    "whistle": Instrument("whistle", _MELODIC),
    "trumpet": Instrument("muted trumpet", _MELODIC),
    "upright-bass": Instrument("upright bass", ("bass",)),
    "electric-bass": Instrument("electric bass", ("bass",)),
    "sub-bass": Instrument("sub bass", ("bass",)),
    "no-instrument": Absent("the radio has no such instrument"),
    "no-effect": Absent("the radio has no control for this"),
    # Scales
    "tempo": Degree("tempo", 0, noun=True),
    "slow": Degree("tempo", -1),
    "slower": Degree("tempo", -1, compared=True),
    "fast": Degree("tempo", 1),
    "faster": Degree("tempo", 1, compared=True),
    "moderate": Degree("tempo", 0),
    "swing": Degree("swing", 1, noun=True),
    "straight": Degree("swing", -2),
    "notes": Degree("density", 0, noun=True),
    "sparse": Degree("density", -1),
    "busy": Degree("density", 1),
    "sparser": Degree("density", -1, compared=True),
    "busier": Degree("density", 1, compared=True),
    "highs": Degree("brightness", 0, noun=True),
    "bright": Degree("brightness", 1),
    "brighter": Degree("brightness", 1, compared=True),
    "dull": Degree("brightness", -1.3),
    "darker": Degree("brightness", -1, compared=True),
    "wobble": Degree("wow", 1, noun=True),
    "energy": Degree("energy", 1, noun=True),
    "energetic": Degree("energy", 1),
    "restful": Degree("energy", -1),
    "adventurous": Degree("freedom", 1),
    "predictable": Degree("freedom", -1),
    # Levels
    "soft": Loudness(-1, (Facet("energy", 0.3),)),
    "loud": Loudness(1, (Facet("energy", 0.75),)),
    "softer": Loudness(-1, (Facet("energy", -0.2, relative=True),), compared=True),
    "louder": Loudness(1, (Facet("energy", 0.2, relative=True),), compared=True),
    "distant": Loudness(-1.6),
    "heavy": Loudness(1),
    "light": Loudness(-1),
    # Moods
    "calm": _mood("calm", _RESTING, opposite="hopeful"),
    "warm": _mood("warm", _MAJOR, opposite="dark"),
    "happy": _mood("hopeful", _MAJOR, opposite="nostalgic"),
    "nostalgic": _mood("nostalgic", opposite="hopeful"),
    "sad": _mood("sad", _MINOR, opposite="hopeful"),
    "dark": _mood("dark", _MINOR, _DIM, opposite="warm"),
    "tense": _mood("dark", _MINOR, _LIVELY, opposite="calm"),
    "dreamy": _mood("dreamy", opposite="warm"),
    "minor": Choice("mode", "minor", opposite="major"),
    "major": Choice("mode", "major", opposite="minor"),
    # Styles and kits
    "jazz": Choice("style", "jazz", (_hint("swing", 62.0),)),
    "bossa": Choice("style", "latin"),
    "hip-hop": Choice("style", "hiphop"),
    "boom-bap": Choice("style", "hiphop", (Facet("kit", "dusty"), Facet("drums", "on"))),
    "soul": Choice("style", "soul"),
    "funk": Choice("style", "funk"),
    "blues": Choice("style", "blues"),
    "reggae": Choice("style", "reggae"),
    "country": Choice("style", "country"),
    "pop": Choice("style", "pop"),
    "rock": Choice("style", "rock"),
    "gospel": Choice("style", "gospel"),
    "afrobeat": Choice("style", "afrobeat"),
    "drumless": Scene((Facet("drums", "off"),)),
    "dance": Choice("style", "dance", (_LIVELY,)),
    "kit-dusty": Choice("kit", "dusty", _on("drums")),
    "kit-pop": Choice("kit", "pop", (*_on("drums"), _hint("style", "pop"))),
    "kit-electronic": Choice("kit", "electronic", _on("drums")),
    "kit-808": Choice("kit", "808", _on("drums")),
    "kit-brushes": Choice("kit", "brushes", _on("drums")),
    # Scenes
    "night": Scene((_DIM, _RESTING)),
    "morning": Scene((_BRIGHT,)),
    "evening": Scene((_DIM,)),
    "sunset": Scene((_DIM, _hint("mood", "nostalgic"))),
    "sunny": Scene((_hint("mood", "hopeful"), _BRIGHT)),
    "spring": Scene((_hint("mood", "hopeful"),)),
    "summer": Scene((_hint("mood", "hopeful"),)),
    "autumn": Scene((_hint("mood", "nostalgic"),)),
    "winter": Scene((_DIM,)),
    "snow": Scene((_DIM, _RESTING)),
    "storm": Scene(_on("rain", "thunder")),
    "quiet-place": Scene((_RESTING, _hint("mood", "calm"))),
    "forest": Scene((*_on("birds"), _hint("mood", "calm"))),
    "study": Scene((_hint("mood", "calm"), _SPARSE, _RESTING)),
    "sleep": Scene((_hint("mood", "calm"), _hint("tempo", 60.0), _SPARSE, _RESTING)),
    "lullaby": Scene((_hint("mood", "dreamy"), _SLOW, _RESTING)),
    "relax": Scene((Facet("mood", "calm"), _RESTING)),
    "meditation": Scene((Facet("mood", "calm"), _SLOW, _SPARSE, _RESTING)),
    "workout": Scene((Facet("energy", 0.85),)),
    "party": Scene((Facet("energy", 0.85),)),
    "tender": Scene((_hint("mood", "warm"), _RESTING)),
    "romantic": Scene((Facet("mood", "warm"),)),
    "groove": Scene((_hint("energy", 0.65),)),
    "ambient": Scene((Facet("mood", "dreamy"), _SPARSE, _RESTING)),
    "space": Scene((Facet("mood", "dreamy"),)),
    "old-tape": Scene((Facet("wow", 0.7),)),
    "old-record": Scene((*_on("vinyl"), _hint("wow", 0.5))),
    "retro": Scene((Facet("wow", 0.6), _hint("mood", "nostalgic"))),
    "clean": Scene((_hint("vinyl", "off"), _hint("wow", 0.05))),
}  # fmt: skip

CONCEPTS: Final[Mapping[str, Concept]] = MappingProxyType(_TABLE)
"""The concepts, by their names in the files in `words/`."""
