"""Bits and accuracy per sampled token on the validation split, of runs, exported models and n-grams."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from radio.errors import SettingsError
from radio.model.engines.base import Engine, State
from radio.model.engines.selection import open_engine
from radio.model.spec.architectures import ARCHITECTURES
from radio.model.weights import checkpoint
from radio.music.parts import CHORDS, Part
from radio.music.vocab import ROOT_BASE, is_control, style_token
from radio.settings.engines import AUTO
from radio.types import JsonValue
from train.data import binidx
from train.data.shared_trunk import require_part
from train.data.vocabulary import Rows, RowTable, known_tokens, without_attributes
from train.loop.batches import KEYS, validation_batches
from train.loop.logs import curve
from train.loop.module import TrainingModule
from train.loop.recipe import Recipe
from train.loop.stored_run import load_module
from train.metrics.ngram import NGram

LANES = 8
WINDOW = 256
"""The window for a model whose card has no recipe."""

_CLEARLY = 0.02
"""Difference in bits per token for one model to count as better than another."""


def evaluate(
    run: Path,
    corpus: Path | None = None,
    *,
    stored: str = "last.ckpt",
    attributes: bool = False,
    part: Part | None = None,
) -> dict[str, JsonValue]:
    """Measure a run's checkpoint on the validation split.

    Args:
        corpus: A prepared corpus other than the recipe's own.
        attributes: Feed the pieces' attributes as well.
        part: The part of a shared trunk to measure.

    Returns:
        `bits` and `accuracy` per sampled token, the number of these `tokens`, `ngram_bits` of back-off n-grams for n
        from 1 to 5, `steps` of training, and `curve`, the (step, validation bits) of the training log; for chords also
        `tokens_per_chord`. The n-grams are counted on the same training pieces, pitched parts in all twelve keys.
    """
    module = load_module(run / stored, part)
    folder = corpus or Path(module.recipe.corpus)
    table = RowTable(module.recipe.played, known_tokens(module.recipe.played))
    require_part(folder, table.part)
    training = [_fed(piece, attributes) for piece in binidx.read(folder / "train")]
    validation = [_fed(piece, attributes) for piece in _validation(folder)]
    figures = model_figures(module, validation, table)
    keys = KEYS if table.is_pitched else range(1)
    counted = NGram((table.rows(piece, semitones=key) for key in keys for piece in training), len(table.tokens))
    held_out = [table.rows(piece) for piece in validation]
    figures["ngram_bits"] = [counted.bits(held_out, ~table.forced, order) for order in range(1, counted.order + 1)]
    if table.part is CHORDS:
        figures["tokens_per_chord"] = _tokens_per_chord(held_out, table)
    figures["steps"] = module.next_step
    figures["curve"] = [[step, bits] for step, bits in curve(run)]
    return figures


def verdict(figures: Mapping[str, JsonValue]) -> str:
    """Return a sentence that compares a model with the best n-gram."""
    bits, ngrams = figures["bits"], figures["ngram_bits"]
    if not isinstance(bits, float) or not isinstance(ngrams, list):
        raise TypeError("the figures are those of `evaluate`")
    counted = [float(value) for value in ngrams if isinstance(value, float)]
    best = min(counted)
    beside = f"{bits:.3f} bits per token, the best n-gram (n = {counted.index(best) + 1}) {best:.3f}"
    if bits < best - _CLEARLY:
        return f"The model has learned more than the n-gram: it needs {beside}."
    if bits > best + _CLEARLY:
        return f"The model has learned less than the n-gram: it needs {beside}. Train longer, or on more music."
    return f"The model has learned about as much as the n-gram: it needs {beside}. Train longer, or on more music."


def _validation(corpus: Path) -> list[binidx.Tokens]:
    pieces = binidx.read(corpus / "validation")
    if not pieces:
        raise SettingsError(f"{corpus}: there are no validation pieces to measure on")
    return pieces


def _fed(piece: binidx.Tokens, attributes: bool) -> binidx.Tokens:
    return piece if attributes else without_attributes(piece)


def _tokens_per_chord(pieces: Sequence[Rows], table: RowTable) -> float:
    """Return the sampled tokens per chord. Times bits per token, this gives bits per chord, including rhythm."""
    roots = [row for row, token in enumerate(table.tokens) if ROOT_BASE <= token < ROOT_BASE + 12]
    chords = sum(int(np.isin(piece, roots).sum()) for piece in pieces)
    return sum(int((~table.forced[piece[1:]]).sum()) for piece in pieces) / chords


def model_figures(module: TrainingModule, validation: list[binidx.Tokens], table: RowTable) -> dict[str, JsonValue]:
    """Measure bits and accuracy per sampled token over `validation`, in long lanes with carried state."""
    nats = hits = count = 0.0
    batches = validation_batches(validation, table, lanes=LANES, window=module.recipe.window)
    state = module.model.zero_state(len(batches[0].fresh))
    with torch.inference_mode():
        for batch in batches:
            logits, state = module.model(batch.rows[:, :-1], state)
            targets = batch.rows[:, 1:]
            sampled = torch.from_numpy(~table.forced)[targets]
            losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
            nats += float((losses * sampled.flatten()).sum())
            hits += float(((logits.argmax(-1) == targets) & sampled).sum())
            count += float(sampled.sum())
    return {"bits": nats / count / math.log(2), "accuracy": hits / count, "tokens": int(count)}


def engine_figures(
    engine: Engine, validation: list[binidx.Tokens], table: RowTable, *, window: int
) -> dict[str, JsonValue]:
    """Measure the same as `model_figures`, token by token, with an engine of the radio."""
    nats = hits = count = 0.0
    batches = validation_batches(validation, table, lanes=LANES, window=window)
    states: Sequence[State] = [engine.zero_state()] * len(batches[0].fresh)
    lanes = np.arange(len(states))
    for batch in batches:
        rows = batch.rows.numpy()
        for inputs, targets in zip(rows.T[:-1].tolist(), rows.T[1:], strict=True):
            logits, states = engine.step_batch(inputs, states)
            peaks = logits.max(axis=1)
            losses = np.log(np.exp(logits - peaks[:, None]).sum(axis=1)) + peaks - logits[lanes, targets]
            sampled = ~table.forced[targets]
            nats += float(losses[sampled].sum())
            hits += float((logits.argmax(axis=1) == targets)[sampled].sum())
            count += float(sampled.sum())
    return {"bits": nats / count / math.log(2), "accuracy": hits / count, "tokens": int(count)}


def evaluate_checkpoint(
    path: Path, corpus: Path, *, engine: str = AUTO, styles: Sequence[str] = (), attributes: bool = False
) -> dict[str, JsonValue]:
    """Measure an exported model on the validation split of a prepared corpus.

    The lanes have the window of the model's training, so the same tokens count.

    Args:
        engine: The name of an engine.
        styles: Drum styles to measure; all if empty.
        attributes: Feed the pieces' attributes as well.

    Raises:
        SettingsError: The corpus is of another part, or has no validation piece of these styles.
    """
    stored = checkpoint.read(path)
    require_part(corpus, stored.part)
    validation = [_fed(piece, attributes) for piece in _validation(corpus)]
    if styles:
        tokens = [style_token(name) for name in styles]
        validation = [piece for piece in validation if np.isin(tokens, piece).any()]
        if not validation:
            raise SettingsError(f"{corpus}: there is no validation piece in the style {' or '.join(styles)}")
    table = RowTable(stored.part, stored.tokens)
    validation = [_without_unknown_controls(piece, stored) for piece in validation]
    recipe = stored.card.get("recipe")
    window = recipe["window"] if isinstance(recipe, dict) else None
    return engine_figures(
        open_engine(stored, engine),
        validation,
        table,
        window=window if isinstance(window, int) else WINDOW,
    )


def _without_unknown_controls(piece: binidx.Tokens, stored: checkpoint.Checkpoint) -> binidx.Tokens:
    """Return a piece without the controls that an older model was not trained with. They have no loss."""
    known = [token in stored.tokens or not is_control(token) for token in piece.tolist()]
    return piece[known]


def plot_curve(figures: dict[str, JsonValue], recipe: Recipe, out: Path) -> None:
    """Plot validation bits over training tokens, with the 5-gram and the best n-gram as lines."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    points = np.array(figures["curve"], dtype=float).reshape(-1, 2)
    tokens_per_step = recipe.lanes * recipe.window
    figure, axes = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
    axes.plot(points[:, 0] * tokens_per_step / 1e6, points[:, 1], label=ARCHITECTURES[recipe.architecture].title)
    ngrams = np.array(figures["ngram_bits"], dtype=float)
    best = int(ngrams.argmin())
    axes.axhline(ngrams[4], color="grey", linestyle="--", label="back-off 5-gram")
    axes.axhline(ngrams[best], color="grey", linestyle=":", label=f"best n-gram ({best + 1})")
    axes.set(
        xlabel="million tokens trained",
        ylabel="bits per sampled token, validation",
        title=f"{recipe.part}, {Path(recipe.corpus).name}",
    )
    axes.legend()
    figure.savefig(out, dpi=110)
    plt.close(figure)
