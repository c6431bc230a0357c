"""One model plays all layers. The host keeps bars, harmony and releases in order for any weights."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from radio.compose.band_performer import BandPerformer
from radio.compose.band_table import LAYERS
from radio.compose.plan import BarPlan, Request
from radio.errors import ModelError
from radio.model.engines.base import Engine
from radio.model.engines.selection import open_engine
from radio.model.sampling import Sampling
from radio.model.spec.baselines import TransformerSpec
from radio.model.spec.rwkv import Rwkv6Spec
from radio.music.band_events import INSTRUMENTS, decode
from radio.music.chords import NO_CHORD, parse_chord
from radio.music.drum_pads import PADS
from radio.music.events import NoteEvent
from radio.music.vocab import BAND_DRUMS, BAND_SIZE, BAND_START
from radio.types import TICKS_PER_BAR, TokenId
from tests.model.models import band_checkpoint, checkpoint

C_MAJOR = frozenset({0, 2, 4, 5, 7, 9, 11})
ALL = frozenset(LAYERS)
Played = dict[str, list[NoteEvent]]


@cache
def engine() -> Engine:
    return open_engine(band_checkpoint(Rwkv6Spec(2, 64, BAND_SIZE)))


class RecordingEngine:
    """An engine that records the tokens it is fed."""

    def __init__(self) -> None:
        self.tokens = engine().tokens
        self.heard: list[TokenId] = []
        self.zero_state, self.step_batch = engine().zero_state, engine().step_batch

    def step(self, rows, state):  # type: ignore[no-untyped-def]  # as the engine's
        self.heard += [self.tokens[row] for row in rows]
        return engine().step(rows, state)


def plan(number: int, layers: frozenset[str] = ALL) -> BarPlan:
    chords = [parse_chord(name) for name in (("Dm7", "Dm7", "G7", "G7"), ("Cmaj7",) * 4)[number % 2]]
    return BarPlan(number, "A", (*chords,), {}, "hiphop", layers=layers)  # type: ignore[arg-type]  # four chords


def play(
    player: BandPerformer, bars: range, layers: frozenset[str] = ALL, request: Request | None = None
) -> list[Played]:
    return [player.play(plan(bar, layers), C_MAJOR, request or Request(), Sampling()) for bar in bars]


def strikes(bars: list[Played], layer: str) -> list[NoteEvent]:
    return [event for bar in bars for event in bar[layer] if event.velocity]


def test_every_strike_is_released_and_no_bar_is_empty() -> None:
    player = BandPerformer(engine(), (1, 0))
    sounding: dict[str, dict[int, int]] = {layer: {} for layer in LAYERS}
    for number, bar in enumerate(play(player, range(40))):
        start, end = number * TICKS_PER_BAR, (number + 1) * TICKS_PER_BAR
        assert any(event.velocity for events in bar.values() for event in events)
        for layer, events in bar.items():
            assert all(first.tick <= second.tick for first, second in pairwise(events))
            for event in events:
                assert start <= event.tick <= end
                if event.velocity:
                    assert event.tick < end
                    assert event.note not in sounding[layer]
                    sounding[layer][event.note] = event.tick
                else:
                    assert event.tick > sounding[layer].pop(event.note)
    releases = player.reset((1, 1), bar=40, drums=True)
    assert {layer: {event.note for event in events} for layer, events in releases.items()} == {
        layer: set(notes) for layer, notes in sounding.items()
    }


def test_the_model_is_fed_whole_notes_in_training_order() -> None:
    recording = RecordingEngine()
    bars = play(BandPerformer(recording, (2, 0)), range(12))
    begin, drums, *events = recording.heard
    assert (begin, drums) == (BAND_START, BAND_DRUMS)
    notes = decode(events)
    assert len(events) // 3 == len(notes) == sum(len(strikes(bars, layer)) for layer in LAYERS)
    order = [(note.start, (INSTRUMENTS.index("drums") - note.instrument) % 12) for note in notes]
    for (start, _), (later, _) in pairwise(order):
        assert start <= later
    assert len({(note.start, note.instrument, note.note) for note in notes}) == len(notes)


def test_pitches_are_in_the_scale_or_chord_and_in_the_range_of_their_layer() -> None:
    bars = play(BandPerformer(engine(), (3, 0)), range(30))
    for layer, low, high in (("keys", 36, 96), ("bass", 28, 55), ("lead", 55, 91)):
        pitches = [event.note for event in strikes(bars, layer)]
        assert pitches
        assert all(low <= pitch <= high and pitch % 12 in C_MAJOR for pitch in pitches)
    assert {event.note for event in strikes(bars, "drums")} <= {*PADS.values()}


def test_layers_that_the_plan_leaves_out_are_composed_but_not_heard() -> None:
    """The model hears the whole band, so its next notes do not depend on which layers are heard."""
    whole, partly = BandPerformer(engine(), (4, 0)), BandPerformer(engine(), (4, 0))
    everything = play(whole, range(8))
    heard = [frozenset(), frozenset({"keys"}), frozenset({"keys", "drums"}), ALL]
    for bar, layers in enumerate([*heard, *heard]):
        (played,) = play(partly, range(bar, bar + 1), layers)
        for layer in LAYERS:
            expected = strikes(everything[bar : bar + 1], layer) if layer in layers else []
            assert strikes([played], layer) == expected


def test_a_narrow_harmony_does_not_move_notes_from_one_layer_to_another() -> None:
    """Drums have no pitch, and would take over if hardly any pitch is allowed."""

    def share(scale: frozenset[int]) -> float:
        player = BandPerformer(engine(), (10, 0))
        plans = [replace(plan(bar), chords=(NO_CHORD,) * 4) for bar in range(60)]
        bars = [player.play(bar_plan, scale, Request(density=1.0), Sampling()) for bar_plan in plans]
        counts = {layer: len(strikes(bars, layer)) for layer in LAYERS}
        return counts["drums"] / sum(counts.values())

    assert share(frozenset({0})) == pytest.approx(share(frozenset(range(12))), abs=0.03)


def test_bass_and_lead_play_one_note_at_a_time() -> None:
    bars = play(BandPerformer(engine(), (5, 0)), range(30))
    for layer in ("bass", "lead"):
        sounding = 0
        for event in (event for bar in bars for event in bar[layer]):
            sounding += 1 if event.velocity else -1
            assert 0 <= sounding <= 1


@pytest.mark.parametrize("model", ["rwkv6", "transformer"])
def test_a_restored_performer_continues_as_if_it_had_never_stopped(model: str) -> None:
    opened = engine()
    if model == "transformer":
        opened = open_engine(band_checkpoint(TransformerSpec(1, 32, BAND_SIZE, context=16)))
    player, other = BandPerformer(opened, (6, 0)), BandPerformer(opened, (7, 0))
    play(player, range(3))
    other.restore(player.save())
    assert play(other, range(3, 9)) == play(player, range(3, 9))
    again = BandPerformer(opened, (6, 0))
    assert play(again, range(3)) == play(BandPerformer(opened, (6, 0)), range(3))


def test_a_state_of_another_model_is_refused() -> None:
    saved = BandPerformer(engine(), (0, 0)).save()
    with pytest.raises(ModelError, match="another model"):
        BandPerformer(open_engine(checkpoint("band", width=128)), (0, 0)).restore(saved)


def test_a_higher_density_gives_more_notes_in_that_layer() -> None:
    def count(layer: str, request: Request) -> int:
        return len(strikes(play(BandPerformer(engine(), (8, 0)), range(20), request=request), layer))

    base = Request(density=0.5)
    assert count("keys", replace(base, density=0.9)) > 1.5 * count("keys", replace(base, density=0.1))
    assert count("drums", replace(base, drums_density=0.9)) > 1.5 * count("drums", replace(base, drums_density=0.1))
    assert count("lead", replace(base, lead_density=0.9)) > count("lead", replace(base, lead_density=0.1))


def test_penalties_count_the_pitches_of_a_band_and_not_its_drums() -> None:
    player = BandPerformer(engine(), (9, 0))
    bars = play(player, range(4))
    counted = set(np.flatnonzero(player.save().counts[:128]).tolist())
    assert counted
    assert counted <= {event.note for layer in ("keys", "bass", "lead") for event in strikes(bars, layer)}
