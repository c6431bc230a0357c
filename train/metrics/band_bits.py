"""Bits per event of each layer of a band, by a model of all layers and by a model of only this layer.

An event is three tokens: a time, a length with a loudness, and an instrument with a pitch. The last one is split into
the instrument, which a model of one layer knows, and the pitch given the instrument.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from radio.compose.band_table import LAYER_OF, LAYERS
from radio.music.band_events import INSTRUMENTS, decode, encode
from radio.music.parts import BAND
from radio.music.vocab import BAND_PITCHES, BAND_START
from train.data import binidx
from train.data.binidx import Tokens
from train.data.vocabulary import RowTable, known_tokens
from train.loop.batches import validation_batches
from train.loop.module import TrainingModule
from train.loop.stored_run import load_module, stored_run

KINDS: Final = ("time", "length", "instrument", "pitch")
"""The properties that the bits of an event are divided among."""

_LANES: Final = 8
_PITCHES: Final = 128

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LayerBits:
    """The number of measured events of a layer, and the bits per event of each of `KINDS`."""

    events: int
    kinds: Mapping[str, float]

    @property
    def bits(self) -> float:
        """Bits per event."""
        return sum(self.kinds.values())


def of_layer(piece: Tokens, layer: str) -> Tokens | None:
    """Return the events of one layer of a piece; None if it has none."""
    notes = [note for note in decode(piece.tolist()) if LAYER_OF[INSTRUMENTS[note.instrument]] == layer]
    return np.array(encode(notes), np.uint16) if notes else None


def bits_by_layer(module: TrainingModule, pieces: Sequence[Tokens]) -> dict[str, LayerBits]:
    """Measure a model of the part `band` on pieces, in long lanes with carried state."""
    table = RowTable(BAND, known_tokens(BAND))
    rows, nats = _nats(module, pieces, table)
    ids = np.array(table.tokens)[rows]
    layers = np.array([LAYERS.index(LAYER_OF[instrument]) for instrument in INSTRUMENTS])
    sums: dict[str, LayerBits] = {}
    # The first two tokens of a lane may belong to an event whose beginning was not measured.
    lane, place = np.nonzero((ids >= BAND_PITCHES) & (ids < BAND_START) & (np.arange(ids.shape[1]) >= 2))
    of_event = layers[(ids[lane, place] - BAND_PITCHES) // _PITCHES]
    spent = np.stack([nats[0, lane, place - 2], nats[0, lane, place - 1], nats[1, lane, place], nats[2, lane, place]])
    for number, layer in enumerate(LAYERS):
        own = spent[:, of_event == number]
        if own.size:
            sums[layer] = LayerBits(own.shape[1], dict(zip(KINDS, own.mean(axis=1) / np.log(2), strict=True)))
    return sums


def _nats(module: TrainingModule, pieces: Sequence[Tokens], table: RowTable) -> tuple[npt.NDArray[np.int64], Numbers]:
    """Return the rows of all lanes, and the nats of each: total, of the instrument, and of the pitch given that."""
    batches = validation_batches(pieces, table, lanes=_LANES, window=module.recipe.window)
    state = module.model.zero_state(len(batches[0].fresh))
    rows, nats = [], []
    with torch.inference_mode():
        for batch in batches:
            logits, state = module.model(batch.rows[:, :-1], state)
            targets = batch.rows[:, 1:]
            rows.append(targets.numpy())
            nats.append(_split(logits.double(), targets, table).numpy())
    return np.concatenate(rows, axis=1), np.concatenate(nats, axis=2)


def _split(logits: Tensor, targets: Tensor, table: RowTable) -> Tensor:
    """Return the nats of targets: total and, for a pitch, of its instrument and of the pitch given the instrument."""
    first, last = table.tokens.index(BAND_PITCHES), table.tokens.index(BAND_PITCHES) + _PITCHES * len(INSTRUMENTS)
    whole = torch.logsumexp(logits, -1)
    score = logits.gather(-1, targets[..., None])[..., 0]
    by_instrument = torch.logsumexp(logits[..., first:last].reshape(*targets.shape, len(INSTRUMENTS), _PITCHES), -1)
    instruments = ((targets - first) // _PITCHES).clamp(0, len(INSTRUMENTS) - 1)
    own = by_instrument.gather(-1, instruments[..., None])[..., 0]
    return torch.stack([whole - score, whole - own, own - score])


def pieces_of(run: Path, corpus: Path | None) -> list[Tokens]:
    """Return all pieces of a corpus that no run was trained on, or the validation pieces of the run's own."""
    if corpus is None:
        return binidx.read(Path(stored_run(run / "last.ckpt").recipe.corpus) / "validation")
    return [piece for split in ("train", "validation") for piece in binidx.read(corpus / split)]


def measured(
    joint: Path, separate: Mapping[str, Path], pieces: Sequence[Tokens]
) -> tuple[dict[str, LayerBits], dict[str, LayerBits]]:
    """Measure the run of a model of all layers, and a run for each layer, on the same pieces.

    Returns:
        The bits of the first model by layer, and those of the others.
    """
    alone: dict[str, LayerBits] = {}
    for layer, run in separate.items():
        own = [part for piece in pieces if (part := of_layer(piece, layer)) is not None]
        alone |= bits_by_layer(load_module(run / "last.ckpt", BAND), own)
    return bits_by_layer(load_module(joint / "last.ckpt", BAND), pieces), alone


def bits_table(joint: Mapping[str, LayerBits], separate: Mapping[str, LayerBits]) -> str:
    """Return both as Markdown: a line for each layer, and one for all events together."""
    lines = [
        "| bits per event | events | separate | joint | time | length | instrument | pitch |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    counted = {layer: bits.events for layer, bits in joint.items() if layer in separate}
    for layer in counted:
        one, both = separate[layer], joint[layer]
        kinds = " | ".join(f"{one.kinds[kind]:.2f} → {both.kinds[kind]:.2f}" for kind in KINDS)
        lines.append(f"| {layer} | {both.events:,} | {one.bits:.3f} | {both.bits:.3f} | {kinds} |")
    total = sum(counted.values())
    means = [sum(counted[layer] * side[layer].bits for layer in counted) / total for side in (separate, joint)]
    lines.append(f"| all | {total:,} | {means[0]:.3f} | {means[1]:.3f} | | | | |")
    return "\n".join(lines)
