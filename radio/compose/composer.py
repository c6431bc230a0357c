"""The composer, which combines conductor, models and bass, bar by bar, on one clock of ticks.

Each track plays phrases that were written before it began (`material`). Each bar is fed to the models as it is played,
and variations are sampled from the resulting states. While a track plays, the material of the next one is written, a
few candidates per bar.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from types import MappingProxyType
from typing import Final

from radio.compose import drums, keys, melody
from radio.compose.balance import keys_gain
from radio.compose.band_performer import BandState
from radio.compose.bar import Bar
from radio.compose.bass_line import clashing
from radio.compose.conducted import ConductedComposer
from radio.compose.conductor import Conductor, ConductorState
from radio.compose.grammar import Limits
from radio.compose.material import HIGHEST, HURRIED, LOWEST, Draft, Inputs, Material, MaterialWriter, steadiness
from radio.compose.pace import tempo_and_swing
from radio.compose.performer import Performer, PerformerState
from radio.compose.phrase import phrase_from_events, phrase_of, top_line
from radio.compose.plan import BarPlan, Request, Track
from radio.compose.request import request_of
from radio.compose.run_filter import NOTHING_KNOWN, RunFilter
from radio.compose.script import BarScript, lead_returns
from radio.compose.track_writer import memento_of
from radio.compose.wish import ANY
from radio.errors import ModelError
from radio.model.bass_model import UNTRAINED, BassModel
from radio.model.engines.base import Engine, State
from radio.model.sampling import Sampling
from radio.music.events import Note, NoteEvent
from radio.music.parts import DRUMS, PIANO
from radio.settings.controls import Controls
from radio.types import TICKS_PER_BAR, TICKS_PER_BEAT, Tick

STEPS_A_BAR: Final = 1
"""Groups of candidates for the next track that are sampled during each bar."""

TURN_CANDIDATES: Final = 3
"""Candidates for a varied bar."""

_RING: Final[Tick] = 2 * TICKS_PER_BAR
"""Length of the last chord of a track."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The material of the track on air, and the inputs that it was written for.

    lead_density, lead_program: density and program that the lead was written for; None before it is written.
    """

    inputs: Inputs
    material: Material
    lead_density: float | None = None
    lead_program: int | None = None


@dataclass(frozen=True)
class ComposerState:
    """The state of a composer between two bars.

    band: state of a band model, which has neither performers nor material.
    """

    seed: int
    next_number: int
    conductor: ConductorState
    performers: Mapping[str, PerformerState]
    piece: Piece | None
    next_inputs: Inputs | None
    draft: Draft | None
    asked: tuple[float, float]
    band: BandState | None = None


class Composer(ConductedComposer):
    """A composer of successive bars, as a function of (models, settings, seed, controls at each bar).

    Args:
        piano: Engine of the piano model.
        drums: Engine of the drum model.
        conductor: Plans the bars.
        seed: Seed of the random generators.
        bass: Chooses the pitches of the bass.
        known: Runs of notes in the keys' training music, which phrases avoid copying.
        initial: The states from which the models begin each piece, by layer; zeros for missing layers.
    """

    def __init__(
        self,
        piano: Engine,
        drums: Engine,
        conductor: Conductor,
        *,
        seed: int,
        bass: BassModel = UNTRAINED,
        known: RunFilter = NOTHING_KNOWN,
        initial: Mapping[str, State] = MappingProxyType({}),
    ) -> None:
        super().__init__(conductor)
        self._seed = seed
        self._bass = bass
        self._known = known
        keys_state, drums_state = initial.get("keys"), initial.get("drums")
        self._performers = {
            "keys": Performer(piano, PIANO, (seed, 0), initial=keys_state),
            "drums": Performer(drums, DRUMS, (seed, 1), initial=drums_state),
        }
        self._writing = {
            "keys": Performer(piano, PIANO, (seed, 2), initial=keys_state),
            "drums": Performer(drums, DRUMS, (seed, 3), initial=drums_state),
        }
        """Performers that sample candidates, separate from those on air."""
        self._piece: Piece | None = None
        self._writer: MaterialWriter | None = None
        """Writes the next track's material."""
        self._asked = (0.0, 0.0)
        """The requested tempo and swing when the track began."""
        self.next_number = 0
        """Number of the next bar."""

    def next_bar(self, controls: Controls, *, write_ahead: bool = True) -> Bar:
        """Compose the next bar under `controls`; with `write_ahead`, also a part of the next track's material."""
        request, sampling, drums_sampling = request_of(controls)
        track, plan, script = self._conductor.next_bar(request)
        inputs = self._inputs_for(track, request, sampling, drums_sampling)
        piece = self._piece
        releases: dict[str, list[NoteEvent]] = {}
        if plan.number == track.first_bar:
            piece = self._begin(inputs)
            releases = self._reset(track)
            self._asked = controls.tempo, controls.swing
        elif piece is None or inputs != piece.inputs:
            piece = self._rewrite(inputs, plan)
        programs = self._conductor.instruments.played(track.programs, controls)
        lead = request.lead_density, programs.get("lead")
        if (piece.lead_density, piece.lead_program) != lead:
            played = replace(inputs.track, programs=programs)
            material = piece.material.with_lead(played, request.lead_density, self._seed)
            piece = replace(piece, material=material, lead_density=lead[0], lead_program=lead[1])
        self._piece = piece
        random = Random(f"{self._seed}/{track.number}/{plan.number - track.first_bar}")
        keys_notes = self._keys_notes(piece, plan, script, sampling, random)
        events = {
            "keys": [*releases.get("keys", ()), *self._performers["keys"].force(plan, keys_notes)],
            "drums": [*releases.get("drums", ()), *self._play_drums(piece.material, plan, script)],
            "bass": self._play_bass(piece.material, plan, script),
            "lead": self._play_lead(piece.material, track, plan, script, keys_notes),
        }
        self.next_number += 1
        if write_ahead:
            self._write_ahead(request, sampling, drums_sampling)
        tempo, swing = tempo_and_swing(track, controls, self._asked)
        keys_db = keys_gain(piece.material.keys.values(), tempo)
        plan = replace(plan, mix=replace(plan.mix, keys_db=keys_db))
        return Bar(plan, track, tempo, swing, events, programs)

    def save(self) -> ComposerState:
        """Return everything that the next bar depends on."""
        writer = self._writer
        return ComposerState(
            self._seed,
            self.next_number,
            self._conductor.save(),
            {layer: performer.save() for layer, performer in self._performers.items()},
            self._piece,
            writer.inputs if writer else None,
            writer.draft if writer else None,
            self._asked,
        )

    def restore(self, saved: ComposerState) -> None:
        """Continue from a saved state. Raises ModelError if it is from a station with a band model."""
        if saved.band is not None:
            raise ModelError("the state is from a station with a band model")
        self._seed, self.next_number = saved.seed, saved.next_number
        self._conductor.restore(saved.conductor)
        for layer, performer in self._performers.items():
            performer.restore(saved.performers[layer])
        self._piece, self._asked = saved.piece, saved.asked
        self._writer = None
        if saved.next_inputs is not None and saved.draft is not None:
            self._writer = self._writer_for(saved.next_inputs)
            self._writer.resume(saved.draft)

    def _inputs_for(self, track: Track, request: Request, sampling: Sampling, drums_sampling: Sampling) -> Inputs:
        # Material does not depend on the script, the track's position, the tempo, the energy, or a harmony that has
        # yet to take effect. Only the lead depends on its density, and it is rewritten separately.
        plain = replace(track, script=(), first_bar=0, turned=0)
        plain_request = replace(request, tempo=0.0, wish=ANY, lead_density=0.0, energy=0.0)
        return Inputs(plain, plain_request, sampling, drums_sampling, self._conductor.style)

    def _writer_for(self, inputs: Inputs, share: float = 1.0) -> MaterialWriter:
        """Return a writer whose models are in their initial states."""
        number = inputs.track.number
        for place, performer in enumerate(self._writing.values()):
            performer.reset((self._seed, number, place))
        return MaterialWriter(
            self._conductor,
            self._writing,
            inputs,
            seed=(self._seed, number),
            share=share,
            bass=self._bass,
            known=self._known,
        )

    def _begin(self, inputs: Inputs) -> Piece:
        """Return the finished material of a track."""
        if self._writer is None or self._writer.inputs != inputs:
            self._writer = self._writer_for(inputs, share=HURRIED)
        material = self._writer.finish()
        self._writer = None
        memento = memento_of(inputs.track, material.keys["A"], material.motif, material.cost)
        self._conductor.remember(memento)
        return Piece(inputs, material)

    def _reset(self, track: Track) -> dict[str, list[NoteEvent]]:
        """Begin a new piece in the models on air; return the releases of the sounding notes, by layer."""
        tick = track.first_bar * TICKS_PER_BAR
        return {
            layer: performer.reset((self._seed, track.number, 2 + place), tick=tick)
            for place, (layer, performer) in enumerate(self._performers.items())
        }

    def _rewrite(self, inputs: Inputs, plan: BarPlan) -> Piece:
        """Write new material for the rest of the track, starting from the states of the models on air."""
        for layer, performer in self._writing.items():
            performer.restore(self._performers[layer].save())
            performer.rewind(plan.tick)
        writer = MaterialWriter(
            self._conductor,
            self._writing,
            inputs,
            seed=(self._seed, inputs.track.number, plan.number),
            start=plan.number,
            share=HURRIED,
            bass=self._bass,
            known=self._known,
        )
        self._writer = None
        return Piece(inputs, writer.finish())

    def _write_ahead(self, request: Request, sampling: Sampling, drums_sampling: Sampling) -> None:
        """Sample a few candidates for the next track; start over if the track has changed."""
        inputs = self._inputs_for(self._conductor.following, request, sampling, drums_sampling)
        if self._writer is None or self._writer.inputs != inputs:
            self._writer = self._writer_for(inputs)
        for _ in range(STEPS_A_BAR):
            if not self._writer.done:
                self._writer.advance()

    def _keys_notes(
        self, piece: Piece, plan: BarPlan, script: BarScript, sampling: Sampling, random: Random
    ) -> list[Note]:
        """Return the notes of the keys in a bar: their phrase, or a variation of it."""
        phrase = piece.material.keys[script.material]
        if plan.elapsed % phrase.bars == 0:
            self._performers["keys"].release(plan.tick)
        if "keys" not in plan.layers:
            return []
        notes = phrase.bar(plan.elapsed, plan.tick)
        if script.rings:
            return _ringing(notes, plan.tick)
        if script.variation == "turn":
            notes = self._turn(piece, plan, script, sampling, random)
        elif script.variation == "thin":
            notes = [note for note in notes if note.start % (2 * TICKS_PER_BEAT) == 0] or notes
        return keys.with_octaves(notes, top_line(phrase.notes)) if "octave" in script.growth else notes

    def _turn(self, piece: Piece, plan: BarPlan, script: BarScript, sampling: Sampling, random: Random) -> list[Note]:
        """Sample a few other endings of the phrase from the current state, and return the best.

        The phrase is left unchanged if every candidate clashes with the bass.
        """
        inputs = piece.inputs
        phrase, bass = (
            layer[script.material].bar(plan.elapsed, plan.tick) for layer in (piece.material.keys, piece.material.bass)
        )
        texture = inputs.track.texture.at_density(inputs.request.density)
        performer = self._performers["keys"]
        before, chords = performer.save(), list(plan.chords)
        candidates: list[tuple[float, list[Note]]] = []
        limits = Limits(low=LOWEST, high=HIGHEST, voices=max(texture.voices, 3))
        for _ in range(TURN_CANDIDATES):
            performer.restore(before)
            performer.reseed((random.getrandbits(32),))
            sampled = phrase_from_events(performer.play(plan, sampling, limits), plan.tick, 1)
            shaped = keys.without_foreign_tones(keys.shape(sampled, chords, texture, steadiness(sampling)), chords)
            notes = shaped.bar(0, plan.tick)
            if notes and not clashing(bass, notes):
                candidates.append((keys.rank(shaped, chords, texture), notes))
        performer.restore(before)
        return min(candidates, default=(0.0, phrase), key=lambda pair: pair[0])[1]

    def _play_drums(self, material: Material, plan: BarPlan, script: BarScript) -> list[NoteEvent]:
        performer = self._performers["drums"]
        if "drums" not in plan.layers:
            return performer.force(plan, [])
        hits = material.drums[script.material].bar(script.place, 0)
        if "ghosts" in script.growth:
            hits = drums.with_ghosts(hits)
        if "open hat" in script.growth:
            hits = drums.with_open_hat(hits)
        if script.fill:
            hits = drums.filled(hits, material.fill.notes, script.fill)
        return performer.force(plan, phrase_of(hits, 1).bar(0, plan.tick))

    def _play_bass(self, material: Material, plan: BarPlan, script: BarScript) -> list[NoteEvent]:
        if "bass" not in plan.layers:
            return []
        end = plan.tick + TICKS_PER_BAR
        notes = material.bass[script.material].bar(plan.elapsed, plan.tick)
        return _events(replace(note, end=min(note.end, end)) for note in notes)

    def _play_lead(
        self, material: Material, track: Track, plan: BarPlan, script: BarScript, keys_notes: Sequence[Note]
    ) -> list[NoteEvent]:
        if "lead" not in plan.layers:
            return []
        lead = material.lead[script.material]
        if lead_returns(track.script, plan.number - track.first_bar):
            # The material of an older snapshot has no returns.
            lead = material.lead.get(melody.return_of(script.material), lead)
        notes = lead.bar(track.loop_place(plan.number), plan.tick)
        return _events(melody.without_clashes(notes, keys_notes))


def _events(notes: Iterable[Note]) -> list[NoteEvent]:
    """Return strikes and releases, sorted by tick, releases first."""
    events = []
    for note in notes:
        events += [NoteEvent(note.start, note.note, note.velocity), NoteEvent(note.end, note.note, 0)]
    return sorted(events, key=lambda event: (event.tick, event.velocity > 0))


def _ringing(notes: Sequence[Note], tick: Tick) -> list[Note]:
    """Return the first chord of a bar, held until it has rung out."""
    first = min((note.start for note in notes), default=tick)
    return [replace(note, start=tick, end=tick + _RING) for note in notes if note.start == first]
