from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from radio.errors import SettingsError
from train.loop.recipe import Recipe, load
from train.loop.schedule import CURVES

PLAIN = Recipe("piano", "data/any", layers=2, width=64, tokens=100 * 16 * 256, warmup=10)


@pytest.mark.parametrize("path", sorted(Path("configs").glob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_recipe_is_read(path: Path) -> None:
    recipe = load(path)
    rates = [recipe.rate_at(step) for step in range(recipe.steps)]
    assert rates[0] < max(rates) <= 1.0
    assert rates[-1] == pytest.approx(recipe.end_share)


@pytest.mark.parametrize("schedule", CURVES)
def test_a_rate_rises_once_and_falls_once(schedule: str) -> None:
    recipe = replace(PLAIN, schedule=schedule, end_share=0.1)
    rates = [recipe.rate_at(step) for step in range(recipe.steps)]
    assert rates[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert all(later <= earlier for earlier, later in pairwise(rates[9:]))
    assert rates[-1] == pytest.approx(0.1)
    assert recipe.rate_at(recipe.steps + 50) == pytest.approx(0.1)


def test_the_curves_differ_where_they_should() -> None:
    halfway = {schedule: replace(PLAIN, schedule=schedule, end_share=0.01).rate_at(55) for schedule in CURVES}
    assert halfway["wsd"] == 1.0
    assert halfway["linear"] == pytest.approx(0.5, abs=0.02)
    assert halfway["cosine"] == pytest.approx(0.5, abs=0.02)
    assert halfway["exponential"] == pytest.approx(0.1, abs=0.01)


def test_the_thesis_recipe_is_the_thesis() -> None:
    recipe = load(Path("configs/thesis.yaml"))
    assert (recipe.architecture, recipe.layers, recipe.width, recipe.window) == ("rwkv6", 20, 512, 512)
    assert (recipe.rate, recipe.warmup, recipe.beta1, recipe.beta2, recipe.eps) == (6e-4, 10, 0.9, 0.99, 1e-8)
    assert recipe.rate * recipe.rate_at(recipe.steps - 1) == pytest.approx(6e-5)
    assert (recipe.weight_decay, recipe.precision) == (0.001, "bf16-mixed")


def test_a_recipe_with_mistakes_names_them_all(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("part: piano\ncorpus: data\nlayers: two\nwidth: 64\nlane: 3\ncheckpoint_blocks: 1\n")
    with pytest.raises(SettingsError) as caught:
        load(path)
    problems = "\n".join(caught.value.problems)
    assert "there is no setting 'lane'. Did you mean 'lanes'?" in problems
    assert "'tokens' is missing" in problems
    assert "layers: 'two' is not int" in problems
    assert "checkpoint_blocks: 1 is not bool" in problems
    path.write_text("part: tuba\ncorpus: data\nlayers: 2\nwidth: 64\ntokens: 5\n")
    with pytest.raises(SettingsError, match="'tuba' is not one of piano, drums"):
        load(path)


def test_a_rate_may_be_written_as_people_write_it(tmp_path: Path) -> None:
    path = tmp_path / "plain.yaml"
    path.write_text("part: piano\ncorpus: data\nlayers: 2\nwidth: 64\ntokens: 5_000\nrate: 3e-4\n")
    assert load(path).rate == 3e-4
    path.write_text("part: piano\ncorpus: data\nlayers: 2\nwidth: 64\ntokens: 5_000\nrate: fast\n")
    with pytest.raises(SettingsError, match="rate: 'fast' is not float"):
        load(path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"schedule": "cosin"}, "schedule: 'cosin' is not one of .*Did you mean 'cosine'"),
        ({"schedule": "exponential", "end_share": 0.0}, "end_share: .* never gets to 0"),
        ({"end_share": 1.5}, "end_share: 1.5 must lie between 0 and 1"),
        ({"beta2": 1.0}, "beta2: 1.0 must be at least 0 and below 1"),
        ({"eps": 0.0}, "eps: 0.0 must be above 0"),
        ({"weight_decay": -0.1}, "weight_decay: -0.1 is below 0"),
        ({"slices": 5}, "slices: 16 lanes cannot be worked through in 5 equal parts"),
        ({"precision": "bf16-true"}, "precision: 'bf16-true' is not"),
    ],
)
def test_what_cannot_be_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        replace(PLAIN, **settings)
