from __future__ import annotations

import math
import statistics
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from radio.errors import ModelError, SettingsError
from radio.model.spec.architectures import ARCHITECTURES
from train.compare import training
from train.compare.training import best_rate, is_finished, rates_tried, recipes
from train.data.vocabulary import known_tokens
from train.loop.module import DivergedError
from train.loop.recipe import Recipe
from train.networks.architectures import size_spec

SHIPPED = Path("configs/compare")


def test_all_architectures_are_compared_at_the_same_size() -> None:
    by_name = recipes(SHIPPED)
    # experts have more parameters than the others; configs/experts compares them by the parameters used per token
    assert set(by_name) == set(ARCHITECTURES) - {"rwkv6-experts"}
    assert all(name == recipe.architecture for name, recipe in by_name.items())
    sizes = []
    for recipe in by_name.values():
        vocabulary = len(known_tokens(recipe.played))
        spec = size_spec(
            recipe.architecture, layers=recipe.layers, width=recipe.width, vocabulary=vocabulary, dropout=0
        )
        sizes.append(spec.parameters)
    assert min(sizes) > 1e6
    assert max(sizes) < 2e6
    assert all(abs(size / statistics.median(sizes) - 1) < 0.11 for size in sizes)


def test_recipes_may_differ_only_in_their_models(tmp_path: Path) -> None:
    text = (SHIPPED / "gru.yaml").read_text()
    (tmp_path / "a.yaml").write_text(text)
    (tmp_path / "b.yaml").write_text(text.replace("louder: 0", "louder: 1").replace("gru", "lstm"))
    with pytest.raises(SettingsError, match="b: only architecture, layers, width and rate may differ"):
        recipes(tmp_path)
    with pytest.raises(SettingsError, match="there are no recipes"):
        recipes(tmp_path / "none")


@pytest.mark.parametrize(("optimum", "tried"), [(0.1, 0.1), (0.4, 0.4), (0.025, 0.025)])
def test_the_search_for_the_rate_follows_the_better_direction(optimum: float, tried: float) -> None:
    assert best_rate(lambda rate: abs(math.log(rate / optimum)), 0.1) == pytest.approx(tried)


def test_a_rate_that_diverges_is_not_the_best() -> None:
    assert best_rate(lambda rate: math.inf if rate > 0.1 else 3 - rate, 0.1) == 0.1


@pytest.fixture
def recipe() -> Recipe:
    return replace(recipes(SHIPPED)["gru"], tokens=4096 * 5)


def test_a_rate_is_tried_only_once(recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped comparison continues where it was."""
    probed: list[float] = []
    fitted: list[Recipe] = []

    def probe(_: Recipe, rate: float, run: Path) -> float:
        if len(probed) == 2:
            raise KeyboardInterrupt
        assert run == tmp_path / f"rate-{rate:g}"
        probed.append(rate)
        return abs(rate - 6e-3)

    monkeypatch.setattr(training, "_probe", probe)
    monkeypatch.setattr(training, "fit", lambda recipe, _: fitted.append(recipe))
    with pytest.raises(KeyboardInterrupt):
        training.train(recipe, tmp_path)
    assert not fitted
    monkeypatch.setattr(training, "_probe", lambda _, rate, __: probed.append(rate) or abs(rate - 6e-3))
    training.train(recipe, tmp_path)
    assert sorted(probed) == [3e-3, 6e-3, 1.2e-2]
    assert fitted == [replace(recipe, rate=6e-3)]
    assert sorted(rates_tried(tmp_path)) == [3e-3, 6e-3, 1.2e-2]
    assert not is_finished(tmp_path)


def test_a_short_run_that_diverges_counts_as_the_worst(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverge(recipe: Recipe, run: Path) -> Path:
        raise DivergedError("the loss of step 3 is not finite")

    monkeypatch.setattr(training, "fit", diverge)
    assert training._probe(recipe, 1.0, tmp_path) == math.inf


def test_a_run_of_another_length_is_not_taken_for_the_recipes(recipe: Recipe, tmp_path: Path) -> None:
    state = {"recipe": recipe.as_dict(), "state_dict": {}, "next_step": recipe.steps, "tokens_before": 0}
    torch.save(state, tmp_path / "last.ckpt")
    training.train(recipe, tmp_path)  # is finished
    with pytest.raises(SettingsError, match="it was started with 20,480 tokens, not 40,960"):
        training.train(replace(recipe, tokens=2 * recipe.tokens), tmp_path)


def test_a_damaged_list_of_rates_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "rates.json").write_text("[1, 2]")
    with pytest.raises(ModelError, match=r"rates\.json: not a list of rates"):
        rates_tried(tmp_path)
