"""Train what a comparison lacks: for each recipe first the rate, then the run.

An architecture that is given another's learning rate is not compared but handicapped. So each recipe's rate is doubled,
or halved, as long as a short run gets better by it; what was tried stands in the report.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from radio.errors import ModelError, SettingsError
from train.data import binidx
from train.data.vocabulary import RowTable, known_tokens
from train.loop.checkpointing import LAST
from train.loop.fit import fit
from train.loop.recipe import Recipe, load
from train.loop.stored_run import load_module, stored_run
from train.metrics.evaluate import model_figures

PROBE_TOKENS = 300_000
"""At most, and a quarter of the run at most: what each rate is tried for."""
_RATES = "rates.json"


def recipes(folder: Path) -> dict[str, Recipe]:
    """The recipes of a folder by their files' names. Raises SettingsError where there are none, or they differ.

    They must share all that is not the model: corpus, tokens, lanes, window, optimiser, seed.
    """
    found = {path.stem: load(path) for path in sorted(folder.glob("*.yaml"))}
    if not found:
        raise SettingsError(f"{folder}: holds no recipes (*.yaml) to compare")
    first = next(iter(found.values()))
    differ = [
        name
        for name, each in found.items()
        if first
        != replace(each, architecture=first.architecture, layers=first.layers, width=first.width, rate=first.rate)
    ]
    if differ:
        raise SettingsError(f"{folder}: {', '.join(differ)}: only architecture, layers, width and rate may differ")
    return found


def train(recipe: Recipe, run: Path) -> None:
    """Bring `run` to the end of `recipe`, at the best rate; nothing happens where it is there already."""
    if finished(run):
        return
    bits = rates_tried(run)

    def probe(rate: float) -> float:
        if rate not in bits:
            bits[rate] = _probe(recipe, rate, run / f"rate-{rate:g}")
            (run / _RATES).write_text(json.dumps(bits, indent=2) + "\n")
        return bits[rate]

    run.mkdir(parents=True, exist_ok=True)
    fit(replace(recipe, rate=best_rate(probe, recipe.rate)), run)


def finished(run: Path) -> bool:
    """Whether a run has come to the end of its recipe. Raises ModelError where its checkpoint cannot be read."""
    if not (run / LAST).exists():
        return False
    stored = stored_run(run / LAST)
    return stored.next_step >= stored.recipe.steps


def best_rate(bits: Callable[[float], float], start: float) -> float:
    """The rate with the least `bits` of `start` · 2ⁿ: from start on upwards, or else downwards, until it gets worse."""
    best = start
    for factor in (2.0, 0.5):
        while bits(best * factor) < bits(best):
            best *= factor
        if best != start:
            break
    return best


def rates_tried(run: Path) -> dict[float, float]:
    """Validation bits of the short runs, by rate."""
    path = run / _RATES
    try:
        return {float(rate): float(bits) for rate, bits in json.loads(path.read_text()).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: not a list of rates ({error})") from error


def shortened(recipe: Recipe, tokens: int) -> Recipe:
    """`recipe` on so many tokens: warm-up has at most a fifth of them, and validation comes five times."""
    short = replace(recipe, tokens=tokens)
    return replace(short, warmup=min(recipe.warmup, short.steps // 5), validate_every=max(1, short.steps // 5))


def _probe(recipe: Recipe, rate: float, run: Path) -> float:
    """Validation bits after a short run at `rate`."""
    short = shortened(replace(recipe, rate=rate), min(PROBE_TOKENS, recipe.tokens // 4))
    module = load_module(fit(replace(short, validate_every=short.steps + 1), run))
    table = RowTable(recipe.played, known_tokens(recipe.played))
    bits = float(model_figures(module, binidx.read(Path(recipe.corpus) / "validation"), table)["bits"])  # type: ignore[arg-type]
    return math.inf if math.isnan(bits) else bits
