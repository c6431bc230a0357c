"""Training of the runs of a comparison: first a search for the learning rate, then the run.

It would be unfair to train one architecture with the learning rate of another. So the rate of each recipe is doubled,
or else halved, as long as short runs improve. The report lists the rates tried.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from radio.errors import ModelError, SettingsError
from train.data import binidx
from train.data.shared_trunk import SHARED
from train.data.vocabulary import RowTable, known_tokens
from train.loop.checkpointing import LAST
from train.loop.fit import fit
from train.loop.module import DivergedError
from train.loop.recipe import Recipe, load
from train.loop.stored_run import load_module, stored_run
from train.metrics.evaluate import model_figures

PROBE_TOKENS = 300_000
"""Maximum number of tokens to try a rate on; never more than a quarter of the run."""
_RATES = "rates.json"


def recipes(folder: Path) -> dict[str, Recipe]:
    """Read the recipes of a folder, by the names of their files.

    Raises:
        SettingsError: There are none, or they differ in settings other than architecture, layers, width and rate.
    """
    by_name = {path.stem: load(path) for path in sorted(folder.glob("*.yaml"))}
    if not by_name:
        raise SettingsError(f"{folder}: there are no recipes (*.yaml) to compare")
    if shared := [name for name, recipe in by_name.items() if recipe.part == SHARED]:
        raise SettingsError(
            f"{folder}: {', '.join(shared)}: compare models of one part; `train evaluate` measures trunks"
        )
    first = next(iter(by_name.values()))
    differ = [
        name
        for name, recipe in by_name.items()
        if first
        != replace(recipe, architecture=first.architecture, layers=first.layers, width=first.width, rate=first.rate)
    ]
    if differ:
        raise SettingsError(f"{folder}: {', '.join(differ)}: only architecture, layers, width and rate may differ")
    return by_name


def train(recipe: Recipe, run: Path) -> None:
    """Train `run` with `recipe` at the best rate; do nothing if it is finished.

    Raises:
        SettingsError: The run was started with another number of tokens.
    """
    if (run / LAST).exists() and (tokens := stored_run(run / LAST).recipe.tokens) != recipe.tokens:
        raise SettingsError(
            f"{run}: it was started with {tokens:,} tokens, not {recipe.tokens:,}; use a new folder of runs"
        )
    if is_finished(run):
        return
    bits = rates_tried(run)

    def probe(rate: float) -> float:
        if rate not in bits:
            bits[rate] = _probe(recipe, rate, run / f"rate-{rate:g}")
            (run / _RATES).write_text(json.dumps(bits, indent=2) + "\n")
        return bits[rate]

    run.mkdir(parents=True, exist_ok=True)
    fit(replace(recipe, rate=best_rate(probe, recipe.rate)), run)


def is_finished(run: Path) -> bool:
    """Return True if a run has reached the end of its recipe. Raises ModelError if its checkpoint cannot be read."""
    if not (run / LAST).exists():
        return False
    stored = stored_run(run / LAST)
    return stored.next_step >= stored.recipe.steps


def best_rate(bits: Callable[[float], float], start: float) -> float:
    """Search `start` · 2ⁿ for the rate with the fewest `bits`: upward, or else downward, until they rise."""
    best = start
    for factor in (2.0, 0.5):
        while bits(best * factor) < bits(best):
            best *= factor
        if best != start:
            break
    return best


def rates_tried(run: Path) -> dict[float, float]:
    """Return the validation bits of the short runs, by rate."""
    path = run / _RATES
    try:
        return {float(rate): float(bits) for rate, bits in json.loads(path.read_text()).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: not a list of rates ({error})") from error


def shorten(recipe: Recipe, tokens: int) -> Recipe:
    """Return `recipe` with fewer tokens: a warm-up of at most a fifth of the steps, and five validations."""
    short = replace(recipe, tokens=tokens)
    return replace(short, warmup=min(recipe.warmup, short.steps // 5), validate_every=max(1, short.steps // 5))


def _probe(recipe: Recipe, rate: float, run: Path) -> float:
    """Return the validation bits after a short run at `rate`; infinity if it diverges."""
    short = shorten(replace(recipe, rate=rate), min(PROBE_TOKENS, recipe.tokens // 4))
    try:
        module = load_module(fit(replace(short, validate_every=short.steps + 1), run))
    except DivergedError:
        return math.inf
    table = RowTable(recipe.played, known_tokens(recipe.played))
    bits = float(model_figures(module, binidx.read(Path(recipe.corpus) / "validation"), table)["bits"])  # type: ignore[arg-type]
    return math.inf if math.isnan(bits) else bits
