from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from radio.errors import SettingsError
from train.loop.recipe import Recipe, load, reference_table
from train.loop.schedule import CURVES

PLAIN = Recipe("piano", "data/any", layers=2, width=64, tokens=100 * 16 * 256, warmup=10)


@pytest.mark.parametrize(
    "path",
    sorted(Path("configs").glob("*.yaml")) + sorted(Path("configs/experts").glob("*.yaml")),
    ids=lambda path: path.name,
)
def test_every_shipped_recipe_is_valid(path: Path) -> None:
    recipe = load(path)
    rates = [recipe.rate_at(step) for step in range(recipe.steps)]
    assert rates[0] < max(rates) <= 1.0
    assert rates[-1] == pytest.approx(recipe.end_share)


@pytest.mark.parametrize("schedule", CURVES)
def test_the_learning_rate_rises_once_and_falls_once(schedule: str) -> None:
    recipe = replace(PLAIN, schedule=schedule, end_share=0.1)
    rates = [recipe.rate_at(step) for step in range(recipe.steps)]
    assert rates[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert all(later <= earlier for earlier, later in pairwise(rates[9:]))
    assert rates[-1] == pytest.approx(0.1)
    assert recipe.rate_at(recipe.steps + 50) == pytest.approx(0.1)


def test_the_schedules_differ_halfway() -> None:
    halfway = {schedule: replace(PLAIN, schedule=schedule, end_share=0.01).rate_at(55) for schedule in CURVES}
    assert halfway["wsd"] == 1.0
    assert halfway["linear"] == pytest.approx(0.5, abs=0.02)
    assert halfway["cosine"] == pytest.approx(0.5, abs=0.02)
    assert halfway["exponential"] == pytest.approx(0.1, abs=0.01)


def test_the_thesis_recipe_has_the_settings_from_the_thesis() -> None:
    recipe = load(Path("configs/thesis.yaml"))
    assert (recipe.architecture, recipe.layers, recipe.width, recipe.window) == ("rwkv6", 20, 512, 512)
    assert (recipe.rate, recipe.warmup, recipe.beta1, recipe.beta2, recipe.eps) == (6e-4, 10, 0.9, 0.99, 1e-8)
    assert recipe.rate * recipe.rate_at(recipe.steps - 1) == pytest.approx(6e-5)
    assert (recipe.weight_decay, recipe.precision) == (0.001, "bf16-mixed")


def test_all_mistakes_of_a_recipe_are_reported_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("part: piano\ncorpus: data\nlayers: two\nwidth: 64\nlane: 3\ncheckpoint_blocks: 1\n")
    with pytest.raises(SettingsError) as caught:
        load(path)
    problems = "\n".join(caught.value.problems)
    assert f"{path}:5: there is no setting 'lane'. Did you mean 'lanes'?" in problems
    assert f"{path}:1: tokens is missing" in problems
    assert f"{path}:3: layers: 'two' is not a whole number" in problems
    assert f"{path}:6: checkpoint_blocks: 1 is not true or false" in problems
    path.write_text("part: tuba\ncorpus: data\nlayers: 2\nwidth: 64\ntokens: 5\n")
    with pytest.raises(SettingsError, match=r"bad\.yaml:1: part: 'tuba' is not one of piano, drums"):
        load(path)


def test_a_rate_may_be_written_without_a_decimal_point(tmp_path: Path) -> None:
    path = tmp_path / "plain.yaml"
    path.write_text("part: piano\ncorpus: data\nlayers: 2\nwidth: 64\ntokens: 5_000\nrate: 3e-4\n")
    assert load(path).rate == 3e-4
    path.write_text("part: piano\ncorpus: data\nlayers: 2\nwidth: 64\ntokens: 5_000\nrate: fast\n")
    with pytest.raises(SettingsError, match=r"plain\.yaml:6: rate: 'fast' is not a number"):
        load(path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"schedule": "cosin"}, "schedule: 'cosin' is not one of .*Did you mean 'cosine'"),
        ({"schedule": "exponential", "end_share": 0.0}, "end_share: .* never reaches 0"),
        ({"end_share": 1.5}, "end_share: 1.5 is not a number from 0 to 1"),
        ({"beta2": 1.0}, "beta2: 1.0 is not a number at least 0 and below 1"),
        ({"eps": 0.0}, "eps: 0.0 is not a number above 0"),
        ({"weight_decay": -0.1}, "weight_decay: -0.1 is not a number at least 0"),
        ({"slices": 5}, "slices: 5 is not a divisor of the 16 lanes"),
        ({"width": 100}, "width: 100 is not a multiple of 64, as rwkv6 needs"),
        ({"context": 64}, "context: only for architecture transformer, not rwkv6"),
        ({"precision": "bf16-true"}, "precision: 'bf16-true' is not"),
    ],
)
def test_an_invalid_value_is_an_error(settings: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        replace(PLAIN, **settings)


def test_incompatible_settings_are_reported_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "uneven.yaml"
    path.write_text("part: piano\ncorpus: data\nlayers: 2\nwidth: 64\ntokens: 5_000\nslices: 3\nlanes: 16\n")
    with pytest.raises(SettingsError, match=r"uneven\.yaml:6: slices: 3 is not a divisor of the 16 lanes"):
        load(path)


def test_the_guide_lists_every_setting_of_a_recipe() -> None:
    assert reference_table() in Path("docs/training.md").read_text(), f"update docs/training.md:\n{reference_table()}"
