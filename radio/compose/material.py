"""Material: the phrases of a track, written before it begins.

A writer samples candidates for a phrase from a model, shapes and ranks them, and keeps the best. It then feeds the
chosen phrase through the model, and samples the next phrase from the resulting state. It works in steps of a few
candidates, so that a track's material is ready when the previous track ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

from radio.compose import drums, keys, melody
from radio.compose.bass import write_bass
from radio.compose.conductor import Conductor
from radio.compose.grammar import Limits
from radio.compose.memory import fingerprint
from radio.compose.motif import MOTIF_BARS, rank_motif
from radio.compose.performer import Performer, PerformerState, play_together
from radio.compose.phrase import Phrase, phrase_from_events
from radio.compose.plan import BarPlan, Request, Track, given_phrases
from radio.compose.run_filter import NOTHING_KNOWN, RunFilter
from radio.compose.texture import Texture
from radio.compose.track_writer import nearest
from radio.model.bass_model import UNTRAINED, BassModel
from radio.model.sampling import Sampling
from radio.music.attributes import Attributes
from radio.music.chords import Chord, pitch_class
from radio.music.events import Note, NoteEvent

MATERIALS: Final = ("A", "B")
CANDIDATES: Final[Mapping[str, int]] = {"keys A": 14, "keys B": 8, "drums A": 10, "drums B": 6, "fill": 4, "motif": 4}
"""Candidates that are sampled for each phrase of a track."""

COPIED: Final = 0.5
"""Cost of each note by which a phrase's copied run exceeds those of human music."""

TOGETHER: Final = 5
"""Most candidates that a model samples in one batch."""

HURRIED: Final = 0.4
"""Share of the candidates that are sampled if a change of controls needs new material at the next bar line."""

_PAD_SHARE: Final = 0.6

_MOTIF_LEVEL: Final = 2
"""Density level at which the piano model plays the line that a motif comes from: five to seven notes per bar."""

LOWEST, HIGHEST = 41, 84
"""The range of the keys: the bass plays below it, and no keyboard part of the references plays above it."""

_LONGEST_PHRASE: Final = 16

_PLAYED: Final = 6.0
"""Cost of a phrase that was already played within a day."""

_SILENCE: Final = Phrase(1, ())


@dataclass(frozen=True, slots=True)
class Material:
    """Phrases of a track: keys, drum loop, bass and lead by material (`A`, `B`), and a bar of drum fill.

    motif: the line from which the lead was made; None for a track without a lead. cost: cost of phrase A of the keys
    (`keys.rank`).
    """

    keys: Mapping[str, Phrase]
    drums: Mapping[str, Phrase]
    fill: Phrase
    bass: Mapping[str, Phrase]
    motif: Phrase | None = None
    cost: float = 0.0
    lead: Mapping[str, Phrase] = field(default_factory=dict)

    def with_lead(self, track: Track, density: float, seed: int) -> Material:
        """Return the material with the lead written for a density from 0 to 1."""
        if self.motif is None:
            return self
        return replace(self, lead=melody.lead_phrases(track, self.motif, self.keys, density, (seed, track.number)))


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that material depends on, except the models."""

    track: Track
    request: Request
    sampling: Sampling
    drums_sampling: Sampling
    style: str


@dataclass(frozen=True, slots=True)
class Draft:
    """The progress of a writer: the chosen phrases, the best candidate of the current phrase, and the models' states.

    The states follow from the chosen phrases. If a draft has none, resuming it takes a moment longer.

    step: number of candidates sampled so far.
    """

    states: Mapping[str, PerformerState]
    step: int = 0
    chosen: Mapping[str, Phrase] = field(default_factory=dict)
    best: tuple[float, Phrase] | None = None


def steadiness(sampling: Sampling) -> float:
    """Return the weight of beats in the keys' rhythm: 1 at temperature 1, more below it, 0 at 2 and above."""
    return max(0.0, 2 - sampling.temperature) ** 2


def _looseness(sampling: Sampling) -> float:
    """Return the largest random addition to a candidate's cost: higher temperatures allow odder phrases."""
    return max(0.0, 1.2 * (sampling.temperature - 0.4))


class MaterialWriter:
    """A writer of the material of one track.

    Args:
        conductor: Plans the bars of phrases.
        performers: `keys` and `drums`, used only by this writer.
        inputs: The track and the controls.
        seed: Seed of the random generators.
        start: Number of the bar that the performers play next.
        share: Share of `CANDIDATES` that are sampled.
        together: Most candidates that a model samples in one batch.
        bass: Chooses the pitches of the bass.
        known: Runs of notes in the keys' training music; candidates that copy long ones rank lower.
    """

    def __init__(
        self,
        conductor: Conductor,
        performers: Mapping[str, Performer],
        inputs: Inputs,
        *,
        seed: Sequence[int],
        start: int = 0,
        share: float = 1.0,
        together: int = TOGETHER,
        bass: BassModel = UNTRAINED,
        known: RunFilter = NOTHING_KNOWN,
    ) -> None:
        self.inputs = inputs
        self._bass = bass
        self._known = known
        self._conductor = conductor
        self._performers = performers
        self._seed = tuple(seed)
        self._start = start
        self._together = together
        if inputs.track.texture.kind == "pad":  # the host voices a pad: candidates differ only in their top lines
            share *= _PAD_SHARE
        self._given = {name: phrase for name, phrase in given_phrases(inputs.track).items() if self._is_needed(name)}
        self._counts = {
            name: max(2, round(count * share))
            for name, count in CANDIDATES.items()
            if self._is_needed(name) and name not in self._given
        }
        self.draft = Draft({layer: performer.save() for layer, performer in performers.items()})
        self._adopt_prime()

    def _adopt_prime(self) -> None:
        """Choose the phrases of the track's prime, and feed them to the models."""
        prime = self.inputs.track.prime
        if prime is None:
            return
        if not prime.literal:
            self._hear("keys", prime.passage)
        for name, phrase in self._given.items():
            if name == "drums A":
                at_density = drums.at_density(phrase, self.inputs.style, self.inputs.request.drums_density)
                self._accept(name, "drums", drums.leveled(at_density))
            else:
                self._accept(name, "keys", phrase)

    def _is_needed(self, name: str) -> bool:
        """Return False for phrases of layers that do not play."""
        if name == "motif":
            return "lead" in self.inputs.track.programs and self._recalled_motif() is None
        return name.startswith("keys") or "drums" in self._conductor.layers

    @property
    def done(self) -> bool:
        """True when every phrase is chosen."""
        return self.draft.step == sum(self._counts.values())

    def advance(self) -> None:
        """Sample a batch of candidates; after the last one of a phrase, choose the best."""
        name, count, ends = self._next_candidates()
        layer = "drums" if name in ("drums A", "drums B", "fill") else "keys"
        first = self.draft.step
        self._performers[layer].restore(self.draft.states[layer])
        performers = self._performers[layer].twins(count)
        for step, performer in enumerate(performers, first):
            performer.reseed((*self._seed, step))
        best, looseness = self.draft.best, _looseness(self.inputs.sampling)
        for step, offered in enumerate(self._candidates(name, performers), first):
            random = Random(f"{self._seed}/{step}")
            for cost, phrase in offered:
                odd = cost + looseness * random.random()
                if best is None or odd < best[0]:
                    best = odd, phrase
        self.draft = replace(self.draft, step=first + count, best=best)
        if ends and best is not None:
            self._choose(name, layer, best[1])

    def _next_candidates(self) -> tuple[str, int, bool]:
        """Return the current phrase, the number of candidates to sample next, and whether they are its last."""
        begun = self.draft.step
        for name, count in self._counts.items():
            if begun < count:
                groups = -(-count // self._together)
                size = -(-count // groups)
                return name, min(size, count - begun), begun + size >= count
            begun -= count
        raise ValueError("every phrase is already chosen")

    def resume(self, draft: Draft) -> None:
        """Continue from a draft. If it has no states, they are computed by feeding its phrases to the models."""
        if not draft.states:
            for name in ("keys A", "drums A"):
                if name in draft.chosen and name not in self._given:
                    self._hear(name.removesuffix(" A"), draft.chosen[name])
            draft = replace(draft, states=self.draft.states)
        self.draft = draft

    def finish(self) -> Material:
        """Sample the missing phrases, and return the material without its lead."""
        while not self.done:
            self.advance()
        chosen = self.draft.chosen
        random = Random(f"{self._seed}/bass")
        return Material(
            keys={material: chosen[f"keys {material}"] for material in MATERIALS},
            drums={material: chosen.get(f"drums {material}", _SILENCE) for material in MATERIALS},
            fill=chosen.get("fill", _SILENCE),
            bass={
                material: write_bass(
                    self._chords(material),
                    self.bars(material),
                    drums.kicks_of(chosen[f"drums {material}"]) if f"drums {material}" in chosen else None,
                    self.inputs.style,
                    random,
                    model=self._bass,
                    keys=chosen[f"keys {material}"],
                )
                for material in MATERIALS
            },
            motif=self._recalled_motif() or chosen.get("motif"),
            cost=keys.rank(chosen["keys A"], self._chords("A"), self._texture),
        )

    def bars(self, material: str) -> int:
        """Return the length of a material's phrase: that of its chord loop, or four bars over a single chord."""
        bars = self.inputs.track.loops[material].bars
        return 4 if bars == 1 else min(bars, _LONGEST_PHRASE)

    def _plans(self, material: str, bars: int, *, fill: bool = False) -> list[BarPlan]:
        track = replace(self.inputs.track, first_bar=0, turned=0)
        plans = [self._conductor.plan(track, bar, material, self.inputs.request) for bar in range(bars)]
        return [
            replace(plan, number=self._start + plan.number, fill=fill, backbeat=plan.backbeat and not fill)
            for plan in plans
        ]

    def _chords(self, material: str) -> list[Chord]:
        return [chord for plan in self._plans(material, self.bars(material)) for chord in plan.chords]

    def _candidates(self, name: str, performers: Sequence[Performer]) -> Iterator[list[tuple[float, Phrase]]]:
        """Sample once with each performer, and yield the resulting phrases as (cost, phrase)."""
        inputs = self.inputs
        if name.startswith("keys"):
            material = name[-1]
            plans, chords = self._plans(material, self.bars(material)), self._chords(material)
            texture = self._texture
            limits = Limits(low=LOWEST, high=HIGHEST, voices=max(texture.voices, 3))
            begun = self._recalled_bars(plans) if material == "A" else ()
            for sampled in _sampled(performers, plans, inputs.sampling, limits, begun):
                shaped = keys.shape(sampled, chords, texture, steadiness(inputs.sampling))
                phrase = keys.without_foreign_tones(shaped, chords)
                again = _PLAYED * (material == "A" and fingerprint(phrase) in self._conductor.memory.played)
                copied = COPIED * self._known.excess(phrase.notes)
                yield [(keys.rank(phrase, chords, texture) + again + copied, phrase)]
            return
        if name == "motif":
            yield from self._motifs(performers)
            return
        fill = name == "fill"
        plans = self._plans("A", 1 if fill else 2, fill=fill)
        limits = Limits(without=drums.forbidden(inputs.style, fill=fill))
        level = plans[0].densities["drums"]
        for sampled in _sampled(performers, plans, inputs.drums_sampling, limits):
            if fill:
                yield [(abs(len(sampled.notes) - drums.FILL_HITS), sampled)]
                continue
            loops = [loop for loop in drums.loops_of(sampled, inputs.style) if loop.notes]
            if name == "drums B":
                loops = [drums.related(self.draft.chosen["drums A"], loop) for loop in loops]
            yield [(drums.rank(loop, inputs.style, level), loop) for loop in loops] or [(100.0, sampled)]

    @property
    def _texture(self) -> Texture:
        """The texture of the keys at the requested density."""
        return self.inputs.track.texture.at_density(self.inputs.request.density)

    def _recalled_bars(self, plans: Sequence[BarPlan]) -> list[list[Note]]:
        """Return the first half of a recalled phrase, in the track's key, bar by bar; the rest is sampled."""
        recalled = self.inputs.track.recalled
        if recalled is None:
            return []
        phrase = recalled.keys.transposed(nearest(pitch_class(self.inputs.track.key)))
        return [phrase.bar(place, plan.tick) for place, plan in enumerate(plans[: len(plans) // 2])]

    def _recalled_motif(self) -> Phrase | None:
        """Return the motif of a recalled phrase, in the track's key; None if there is none or the track has no lead."""
        track = self.inputs.track
        if track.recalled is None or track.recalled.motif is None or "lead" not in track.programs:
            return None
        return track.recalled.motif.transposed(nearest(pitch_class(track.key)))

    def _motifs(self, performers: Sequence[Performer]) -> Iterator[list[tuple[float, Phrase]]]:
        """Sample sparse lines for the lead, and yield each with its cost."""
        middle = melody.middle_of(self.inputs.track.programs["lead"])
        limits = Limits(low=middle - melody.REACH, high=middle + melody.REACH, voices=1)
        attributes = Attributes(voices=1.0, register=float(middle))
        plans = [
            replace(plan, densities={**plan.densities, "piano": _MOTIF_LEVEL}, attributes=attributes.tokens)
            for plan in self._plans("A", MOTIF_BARS)
        ]
        for line in _sampled(performers, plans, self.inputs.sampling, limits):
            yield [(rank_motif(line), line)]

    def _choose(self, name: str, layer: str, phrase: Phrase) -> None:
        """Finish and accept the best candidate."""
        if layer == "drums":
            if name != "fill":
                style, density = self.inputs.style, self.inputs.request.drums_density
                phrase = drums.at_density(drums.with_hats(phrase, style), style, density)
            phrase = drums.leveled(phrase)
        self._accept(name, layer, phrase)

    def _accept(self, name: str, layer: str, phrase: Phrase) -> None:
        """Record a phrase as chosen, and feed the first one of a layer to its model."""
        self.draft = replace(self.draft, chosen={**self.draft.chosen, name: phrase}, best=None)
        if name in ("keys A", "drums A"):
            self._hear(layer, phrase)

    def _hear(self, layer: str, phrase: Phrase) -> None:
        """Feed a phrase through a model, and set its clock back to the writer's first bar."""
        # All candidates begin at the writer's first bar: B is sampled as if A had just ended there.
        performer = self._performers[layer]
        performer.restore(self.draft.states[layer])
        plans = self._plans("A", phrase.bars)
        for plan in plans:
            performer.force(plan, phrase.bar(plan.number - self._start, plan.tick))
        performer.rewind(plans[0].tick)
        self.draft = replace(self.draft, states={**self.draft.states, layer: performer.save()})


def _sampled(
    performers: Sequence[Performer],
    plans: Sequence[BarPlan],
    sampling: Sampling,
    limits: Limits,
    begun: Sequence[Sequence[Note]] = (),
) -> Iterator[Phrase]:
    """Yield the phrase that each performer samples for the bars of `plans`, the first of which are given in `begun`."""
    begin: list[list[NoteEvent]] = [
        [event for plan, notes in zip(plans, begun, strict=False) for event in performer.force(plan, notes)]
        for performer in performers
    ]
    for first, events in zip(begin, play_together(performers, plans[len(begun) :], sampling, limits), strict=True):
        yield phrase_from_events([*first, *events], plans[0].tick, len(plans))
