"""Changes: the wishes of a prompt as values of a station's controls, with a reason for each wish without effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Final, TypeAlias

from radio.music.played_instruments import ANY, INSTRUMENTS
from radio.prompt import encoder, meanings
from radio.prompt.concepts import AMBIENCES, PARTS
from radio.prompt.facets import EXACT, IMPLIED, MILD, SCALES, Facet, FacetValue, Phrase, Span
from radio.prompt.grammar import read
from radio.prompt.targets import AMBIENCE, CHOICES, ENHARMONICS, NUMBERS, SETTINGS, SPELLINGS
from radio.prompt.wishes import Wishes, wishes_of
from radio.settings.ambience import STATION
from radio.settings.controls import CONTROLS, Controls
from radio.settings.station import StationSettings
from radio.types import PRIME_CHOICES

ControlValue: TypeAlias = float | int | bool | str


LONGEST: Final = 1_000
"""Maximum length of a prompt in characters."""


_OPEN: Final = 9_000.0
"""Cutoff in Hz above which the mix does not change, because the layers' own filters are lower."""


class NoEffectError(Exception):
    """A facet that is not audible on this station; the message says why."""


@dataclass(frozen=True, slots=True)
class PhraseChanges:
    """A phrase of a prompt and its effect.

    text, span: its words, and their place in the prompt. changes: values of controls. notes: remarks, such as a number
    that was out of range; for a phrase that is not understood, the reason. understood: False if nothing would be
    audible. known: True if the words have a meaning, even one that this station cannot apply.
    """

    text: str
    span: Span
    changes: Mapping[str, ControlValue]
    notes: tuple[str, ...] = ()
    understood: bool = True
    known: bool = True


@dataclass(frozen=True, slots=True)
class Understanding:
    """A prompt as a station understands it.

    phrases: in order. changes: the final values of the controls that change. settings: settings of the station that a
    prompt changes when the station starts. compares: True if words outside the lexicon were compared by meaning.
    outright: the controls that the words ask for directly, not just through a scene, even if they have that value
    already.
    """

    prompt: str
    phrases: tuple[PhraseChanges, ...]
    changes: Mapping[str, ControlValue]
    settings: Mapping[str, ControlValue] = field(default_factory=dict)
    compares: bool = False
    outright: tuple[str, ...] = ()

    @property
    def says_something(self) -> bool:
        """True if any of the words have a meaning on some station."""
        return any(phrase.known for phrase in self.phrases)

    @property
    def not_understood(self) -> tuple[PhraseChanges, ...]:
        """The phrases without an audible effect."""
        return tuple(phrase for phrase in self.phrases if not phrase.understood)


def understand(prompt: str, settings: StationSettings, controls: Controls, *, live: bool = False) -> Understanding:
    """Return the changes that a prompt asks for.

    Args:
        prompt: Words in one or more of the languages of the lexicon.
        settings: The station, which determines what is audible.
        controls: The current values, which comparisons such as slower refer to.
        live: True for a station that is already playing: only its controls can change.
    """
    reading, compares = read(prompt), encoder.is_installed()
    if compares:
        reading = meanings.with_meanings(reading)
    wishes = wishes_of(reading)
    settler = _Settler(wishes, settings, controls, live)
    phrases = tuple(settler.phrase(phrase) for phrase in wishes.phrases)
    values = settler.values()
    changes = {name: value for name, value in values.items() if name in CONTROLS and value != _of(controls, name)}
    fixed = {name: value for name, value in values.items() if name not in CONTROLS}
    return Understanding(prompt, phrases, changes, fixed, compares, tuple(settler.values(least=MILD)))


@dataclass(frozen=True, slots=True)
class _Settler:
    wishes: Wishes
    settings: StationSettings
    controls: Controls
    live: bool

    def values(self, least: int = IMPLIED) -> dict[str, ControlValue]:
        """Return the values set by all facets of at least this weight."""
        values: dict[str, ControlValue] = {}
        for facet in self.wishes.facets.values():
            if facet.weight < least:
                continue
            try:
                values |= self._values_of(facet)[0]
            except NoEffectError:
                continue
        return values

    def phrase(self, phrase: Phrase) -> PhraseChanges:
        """Return the changes of one phrase."""
        changes: dict[str, ControlValue] = {}
        notes: list[str] = [phrase.note] if phrase.note else []
        reasons: list[str] = [phrase.reason] if phrase.reason else []
        hints: list[str] = []
        for facet in phrase.facets:
            winner = self.wishes.facets.get(facet.aspect)
            if winner is None:
                continue  # it belongs to a mood that another one overrides
            if winner != facet:
                remark = f"other words about the {facet.aspect.replace('.', ' ')} take precedence"
                (notes if _agree(facet, winner) else reasons).append(remark)
                continue
            try:
                values, remarks = self._values_of(facet)
            except NoEffectError as error:
                (hints if facet.weight == IMPLIED else reasons).append(str(error))
            else:
                changes |= values
                notes += remarks
        if phrase.facets and len(hints) == len(phrase.facets):
            reasons = hints  # nothing that the words suggest is audible
        understood = bool(changes) or not reasons  # a value that is already set needs no change
        return PhraseChanges(
            phrase.text, phrase.span, changes, tuple(dict.fromkeys([*notes, *reasons])), understood, not phrase.reason
        )

    def _values_of(self, facet: Facet) -> tuple[dict[str, ControlValue], list[str]]:
        """Return the controls that a facet sets, and remarks. Raises NoEffectError if it is not audible."""
        layer, _, quality = facet.aspect.partition(".")
        if layer in PARTS and not self._plays(layer):
            if facet.value == "off":
                return {}, [f"this station plays no {layer} anyway"]
            raise NoEffectError(f"this station plays no {layer}")
        if facet.aspect in NUMBERS:
            return self._number(NUMBERS[facet.aspect], facet)
        if quality == "level":
            if layer in AMBIENCE:
                self._ambience(layer, on=True)  # raises if another sound plays
                layer = "ambience"
            return self._number(_control(f"{layer}_level", layer), facet)
        if layer in AMBIENCE:
            return self._ambience(layer, on=facet.value == "on")
        if facet.value in ("on", "off"):
            return self._switch(layer, on=facet.value == "on")
        if facet.aspect in ("kit", "style") and not self._plays("drums"):
            raise NoEffectError("this station plays no drums")
        if facet.aspect in SETTINGS:
            if self.live:
                raise NoEffectError(f"the {facet.aspect} of a station is fixed while it plays")
            return {SETTINGS[facet.aspect]: str(facet.value)}, []
        name = _control(CHOICES[facet.aspect], facet.aspect)
        values: dict[str, ControlValue] = {name: self._word(name, facet.value)}
        if layer in PARTS:
            values[f"{layer}_mute"] = False
        return values, []

    def _switch(self, layer: str, *, on: bool) -> tuple[dict[str, ControlValue], list[str]]:
        if layer not in (*PARTS, *AMBIENCES):
            return self._without(layer)
        if not on and f"{layer}_mute" not in CONTROLS:
            return {}, []  # a sound that the radio does not have
        return {_control(f"{layer}_mute", layer): not on}, []

    def _ambience(self, layer: str, *, on: bool) -> tuple[dict[str, ControlValue], list[str]]:
        """Return the controls that turn an ambience sound on or off."""
        chosen = [other for other, facet in self.wishes.facets.items() if other in AMBIENCE and facet.value == "on"]
        if on and chosen[0] != layer:
            raise NoEffectError(f"only one background sound plays at a time, here the {chosen[0]}")
        if on:
            return {"ambience": AMBIENCE[layer], "ambience_mute": False}, []
        present, mix = self.controls.ambience, self.settings.ambience.audible()
        audible = AMBIENCE[layer] in ([present] if present != STATION else mix)
        return ({"ambience_mute": True} if audible and not chosen else {}), []

    def _without(self, instrument: str) -> tuple[dict[str, ControlValue], list[str]]:
        """Return the controls that remove an instrument, if the station plays it."""
        station = self.settings
        drawn = {"keys": station.keys_programs, "bass": (station.bass_program,), "lead": station.lead_programs}
        values: dict[str, ControlValue] = {}
        for part, programs in drawn.items():
            names = [name for name, program in INSTRUMENTS[part].items() if program in programs]
            chosen = _of(self.controls, f"{part}_instrument")
            if chosen == instrument or (chosen == ANY and instrument in names):
                rest = [name for name in names if name != instrument]
                values |= {f"{part}_instrument": rest[0]} if rest else {f"{part}_mute": True}
        return values, [] if values else [f"the station plays no {instrument} anyway"]

    def _number(self, name: str, facet: Facet) -> tuple[dict[str, ControlValue], list[str]]:
        control = CONTROLS[_control(name, facet.aspect)]
        value, notes = float(facet.value), []
        if facet.relative:
            present = float(_of(self.controls, name))
            scale = SCALES.get(facet.aspect)
            value = present * value if scale is not None and scale.kind == "ratio" else present + value
        elif name.endswith("_level"):
            value += float(_of(self.settings.controls, name))
        elif name == "tempo" and value > control.high * 1.2:
            value /= ceil(value / control.high)
            notes.append(f"{facet.value:g} is above {control.high:g} {control.unit}; {value:g} has the same pulse")
        limited = float(min(max(value, control.low), control.high))
        if name == "lowpass" and min(limited, self.controls.lowpass) >= _OPEN:
            raise NoEffectError(f"the sound has nothing above {_OPEN / 1000:g} kHz to let through")
        if limited != value and (facet.relative and limited == _of(self.controls, name)):
            raise NoEffectError(f"{name} is already at its limit of {limited:g}")
        if limited != value:
            notes.append(f"{name} ranges from {control.low:g} to {control.high:g} {control.unit}".rstrip())
        values: dict[str, ControlValue] = {name: round(limited, 0 if control.high - control.low > 200 else 2)}
        if name == "tempo" and facet.weight == EXACT:
            values["tempo_variety"] = 0.0
        return values, notes

    def _word(self, name: str, value: FacetValue) -> str:
        choices = CONTROLS[name].choices
        word = SPELLINGS.get(name, {}).get(str(value), str(value))
        for spelling in (word, ENHARMONICS.get(word, word)):
            if spelling in choices:
                return spelling
        raise NoEffectError(f"{name} has no value '{word}'")

    def _plays(self, layer: str) -> bool:
        return bool(self.settings.lead_programs) if layer == "lead" else layer in self.settings.layers


def _agree(facet: Facet, other: Facet) -> bool:
    """Return whether two facets of an aspect agree: on the value, or on the side of the scale."""
    if isinstance(facet.value, str) or isinstance(other.value, str):
        return facet.value == other.value
    scale = SCALES.get(facet.aspect)
    sides = []
    for entry in (facet, other):
        neutral = 0.0 if scale is None else scale.neutral
        edge = (1.0 if scale is not None and scale.kind == "ratio" else 0.0) if entry.relative else neutral
        sides.append(float(entry.value) < edge)
    return sides[0] == sides[1]


def _control(name: str, aspect: str) -> str:
    """Return the name of a control. Raises NoEffectError if there is no such control."""
    if name not in CONTROLS:
        raise NoEffectError(f"the radio has no control for the {aspect.partition('.')[0]}")
    return name


def _of(controls: Controls, name: str) -> ControlValue:
    value: ControlValue = getattr(controls, name)
    return value


def with_changes(settings: StationSettings, understanding: Understanding) -> StationSettings:
    """Return a station with the changes of a prompt; those asked for outright also override a prime's settings."""
    controls = settings.controls.changed(understanding.changes)
    leaves = tuple(name for name in PRIME_CHOICES if name in {*settings.prime_leaves, *understanding.outright})
    return replace(settings, controls=controls, prime_leaves=leaves, **understanding.settings)  # type: ignore[arg-type]  # they are checked


def steps(understanding: Understanding, controls: Controls, bars: int) -> Iterator[dict[str, ControlValue]]:
    """Yield the changes of each bar. Numbers reach their values after `bars` bars; others change in the first bar."""
    for bar in range(1, bars + 1):
        patch: dict[str, ControlValue] = {}
        for name, value in understanding.changes.items():
            present = _of(controls, name)
            if isinstance(value, (bool, str)):
                if bar == 1:
                    patch[name] = value
            elif CONTROLS[name].is_logarithmic:
                patch[name] = round(float(present) * (value / float(present)) ** (bar / bars), 1)
            else:
                patch[name] = round(float(present) + (value - float(present)) * bar / bars, 3)
        yield patch
