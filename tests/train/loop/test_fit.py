from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from radio.errors import ModelError, SettingsError
from radio.model.engines.numpy_rwkv6 import NumpyRwkv6Engine
from radio.model.spec.rwkv import Rwkv6Spec
from radio.model.weights import checkpoint
from radio.music.parts import DRUMS
from tests.model.models import older_tokens, random_checkpoint, random_network
from tests.train.corpora import groove
from tests.train.runs import assert_same, weights
from train.cli.main import main
from train.data import shared_trunk
from train.data.vocabulary import RowTable, known_tokens
from train.export import model_card as card_file
from train.export.checkpoint import export
from train.loop.fit import fit
from train.loop.logs import curve
from train.loop.module import TrainingModule
from train.loop.recipe import Recipe
from train.loop.stored_run import load_module
from train.metrics import play
from train.metrics.evaluate import evaluate, evaluate_checkpoint, model_figures, verdict
from train.prepare.corpus import prepare


def test_training_learns_the_corpus(recipe: Recipe, tmp_path: Path) -> None:
    run = tmp_path / "run"
    fit(replace(recipe, tokens=192 * 4 * 64, lanes=4, warmup=10, validate_every=48), run, progress=False)
    points = curve(run)
    assert [step for step, _ in points] == [47, 95, 143, 191]
    assert points[-1][1] < 3 < points[0][1]
    figures = evaluate(run)
    assert figures["bits"] == pytest.approx(points[-1][1], rel=0.2)
    assert 0 < float(figures["accuracy"]) < 1
    assert len(figures["ngram_bits"]) == 5


@pytest.mark.parametrize("settings", [{}, {"dropout": 0.2, "lanes": 4, "slices": 2}], ids=["plain", "dropout, slices"])
def test_a_killed_run_resumes_as_if_it_had_never_stopped(
    recipe: Recipe, tmp_path: Path, settings: dict[str, float]
) -> None:
    recipe = replace(recipe, **settings, tokens=8 * int(settings.get("lanes", 2)) * 64)
    whole = fit(recipe, tmp_path / "whole", progress=False)

    original = TrainingModule.training_step

    def dying(self: TrainingModule, batch, index):
        if batch.step == 5:
            raise RuntimeError("killed")
        return original(self, batch, index)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainingModule, "training_step", dying)
        with pytest.raises(RuntimeError, match="killed"):
            fit(recipe, tmp_path / "cut", progress=False)
    assert torch.load(tmp_path / "cut" / "last.ckpt", weights_only=True)["next_step"] == 4
    resumed = fit(recipe, tmp_path / "cut", progress=False)
    assert_same(resumed, whole)
    assert [step for step, _ in curve(tmp_path / "cut")] == [step for step, _ in curve(tmp_path / "whole")]


def test_slices_and_recomputed_blocks_do_not_change_the_result(recipe: Recipe, tmp_path: Path) -> None:
    recipe = replace(recipe, lanes=4, tokens=8 * 4 * 64)
    whole = fit(recipe, tmp_path / "whole", progress=False)
    sliced = fit(replace(recipe, slices=2, checkpoint_blocks=True), tmp_path / "sliced", progress=False)
    assert_same(sliced, whole, within=1e-5)
    assert dict(curve(tmp_path / "sliced")) == pytest.approx(dict(curve(tmp_path / "whole")), abs=1e-4)


def test_forced_tokens_have_no_loss(recipe: Recipe) -> None:
    table = RowTable(recipe.played, known_tokens(recipe.played))
    module = TrainingModule(recipe, table)
    module.model = random_network(module.model.spec)
    rows = torch.from_numpy(np.random.default_rng(0).integers(len(table.tokens), size=(1, 40)))
    from train.loop.batches import Batch

    batch = Batch(rows, torch.tensor([True]), 0)
    total, count, _ = module.losses(batch, module.model.zero_state(1))
    logits, _ = module.model(rows[:, :-1], module.model.zero_state(1))
    nats = torch.nn.functional.cross_entropy(logits[0], rows[0, 1:], reduction="none")
    forced = torch.from_numpy(table.forced)[rows[0, 1:]]
    assert forced.any()
    assert int(count) == int((~forced).sum())
    torch.testing.assert_close(total, nats[~forced].sum())


def test_windows_with_carried_state_equal_one_long_window(recipe: Recipe) -> None:
    model = random_network(TrainingModule(recipe, RowTable(recipe.played, known_tokens(recipe.played))).model.spec)
    rows = torch.randint(0, 500, (2, 100), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        whole, _ = model(rows, model.zero_state(2))
        first, state = model(rows[:, :37], model.zero_state(2))
        second, _ = model(rows[:, 37:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole, rtol=1e-4, atol=1e-4)


def test_an_exported_model_predicts_the_same_as_the_trained_one(recipe: Recipe, tmp_path: Path) -> None:
    fit(recipe, tmp_path / "run", progress=False)
    out = tmp_path / "piano.safetensors"
    export(tmp_path / "run" / "last.ckpt", out, {"bits": 1.5}, "fp32")
    back = checkpoint.read(out)
    assert back.card["tokens_trained"] == recipe.tokens
    assert back.card["validation"] == {"bits": 1.5}
    assert back.card["recipe"] == recipe.as_dict() | {"corpus": Path(recipe.corpus).name}
    model = load_module(tmp_path / "run" / "last.ckpt").model
    rows = [1, 5, 9, 200, 7]
    with torch.inference_mode():
        expected, _ = model(torch.tensor([rows]), model.zero_state(1))
    engine = NumpyRwkv6Engine(back)
    logits, _ = engine.step(rows, engine.zero_state())
    np.testing.assert_allclose(logits, expected[0, -1].numpy(), atol=1e-4, rtol=1e-4)
    # it is also measured, step by step as in the radio
    trained, on_air = evaluate(tmp_path / "run"), evaluate_checkpoint(out, Path(recipe.corpus))
    assert on_air["tokens"] == trained["tokens"]
    assert on_air["bits"] == pytest.approx(trained["bits"], rel=1e-3)
    # and a new run can start from it
    started = fit(replace(recipe, tokens=1), tmp_path / "second", initial=out, progress=False)
    assert load_module(started).tokens_before == recipe.tokens
    assert weights(started).keys() == weights(tmp_path / "run" / "last.ckpt").keys()
    export(started, tmp_path / "second.safetensors", {}, "fp32")
    card = checkpoint.read(tmp_path / "second.safetensors").card
    assert card["tokens_trained"] == recipe.tokens + recipe.lanes * recipe.window
    with pytest.raises(ModelError, match="its shape"):
        fit(replace(recipe, layers=1), tmp_path / "third", initial=out, progress=False)


def test_a_run_can_start_from_a_model_that_knows_fewer_tokens(recipe: Recipe, tmp_path: Path) -> None:
    older = random_checkpoint(Rwkv6Spec(2, 64, len(older_tokens("piano"))))
    card_file.write(tmp_path / "older.safetensors", older, "fp32")
    slow = replace(recipe, tokens=1, rate=1e-9)
    started = load_module(fit(slow, tmp_path / "run", initial=tmp_path / "older.safetensors", progress=False))
    rows = {token: row for row, token in enumerate(known_tokens(recipe.played))}
    new = started.model.emb.weight.detach().numpy()
    for row, token in enumerate(older.tokens):
        np.testing.assert_allclose(new[rows[token]], older.weights["emb.weight"][row], atol=1e-4)
    assert np.isfinite(new).all()
    assert np.abs(new[rows[2336]]).max() > 0, "a new token starts as the mean of all controls"


def test_a_run_continues_only_with_its_own_recipe(recipe: Recipe, tmp_path: Path) -> None:
    run = tmp_path / "run"
    fit(replace(recipe, tokens=1), run, progress=False)
    resolved = (run / "recipe.yaml").read_text()
    with pytest.raises(SettingsError, match="width: 64 in the run, 128 in the recipe"):
        fit(replace(recipe, width=128), run, progress=False)
    with pytest.raises(SettingsError, match="new weights need a new folder"):
        fit(recipe, run, initial=tmp_path / "any.safetensors", progress=False)
    assert (run / "recipe.yaml").read_text() == resolved
    (run / "last.ckpt").write_bytes((run / "last.ckpt").read_bytes()[:2000])
    with pytest.raises(ModelError, match="truncated"):
        fit(recipe, run, progress=False)


def test_a_missing_corpus_is_an_error(recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="train prepare"):
        fit(replace(recipe, corpus=str(tmp_path)), tmp_path / "run", progress=False)


def test_a_corpus_of_another_part_is_an_error(recipe: Recipe) -> None:
    with pytest.raises(SettingsError, match="this is a piano corpus, not a drums corpus"):
        shared_trunk.read("drums", Path(recipe.corpus))
    with pytest.raises(SettingsError, match="this is a piano corpus, not a drums corpus"):
        evaluate_checkpoint(Path("radio/checkpoints/drums.safetensors"), Path(recipe.corpus))
    with pytest.raises(SettingsError, match=r"validation\.jsonl: this is a piano corpus, not a drums corpus"):
        play.corpus(Path(recipe.corpus) / "validation.jsonl", DRUMS)


def test_a_file_that_is_not_a_checkpoint_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    path.write_bytes(b"noise")
    with pytest.raises(ModelError, match=r"last\.ckpt: not a checkpoint"):
        load_module(path)


def test_drum_models_are_trained_and_evaluated_by_style(tmp_path: Path, recipe: Recipe) -> None:
    prepare("groove", groove(tmp_path / "in"), tmp_path / "groove")
    run = tmp_path / "run"
    fit(replace(recipe, part="drums", corpus=str(tmp_path / "groove"), validate_every=8), run, progress=False)
    module = load_module(run / "last.ckpt")
    from train.data import binidx

    table = RowTable(module.recipe.played, known_tokens(module.recipe.played))
    assert float(model_figures(module, binidx.read(tmp_path / "groove" / "train"), table)["bits"]) < 12  # type: ignore[arg-type]
    out = tmp_path / "drums.safetensors"
    export(run / "last.ckpt", out, {}, "int8")
    whole = evaluate_checkpoint(out, tmp_path / "groove")
    assert evaluate_checkpoint(out, tmp_path / "groove", styles=["rock"]) == whole, "the only fill to validate on"
    with pytest.raises(SettingsError, match="there is no validation piece in the style hiphop or soul"):
        evaluate_checkpoint(out, tmp_path / "groove", styles=["hiphop", "soul"])


@pytest.mark.parametrize(("step", "kept"), [(5, "holds step 4"), (0, "there is no checkpoint yet")])
def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_checkpoint(
    recipe: Recipe, tmp_path: Path, step: int, kept: str
) -> None:
    original = TrainingModule.losses

    def diverging(self: TrainingModule, batch, state):
        total, count, after = original(self, batch, state)
        return (total * float("nan") if self.training and batch.step == step else total), count, after

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainingModule, "losses", diverging)
        with pytest.raises(ModelError, match=f"the loss of step {step + 1} is not finite; .*{kept}"):
            fit(recipe, tmp_path / "run", progress=False)
    if step:
        assert all(tensor.isfinite().all() for tensor in weights(tmp_path / "run" / "last.ckpt").values())


def test_weights_that_are_not_finite_are_neither_exported_nor_evaluated(recipe: Recipe, tmp_path: Path) -> None:
    path = fit(recipe, tmp_path / "run", progress=False)
    stored = torch.load(path, weights_only=True)
    stored["state_dict"]["model.head.weight"][0, 0] = float("inf")
    torch.save(stored, path)
    with pytest.raises(ModelError, match=r"weights are not finite \(head\.weight\)"):
        export(path, tmp_path / "out.safetensors", {}, "fp32")
    assert not (tmp_path / "out.safetensors").exists()
    with pytest.raises(ModelError, match=r"weights are not finite \(head\.weight\)"):
        evaluate(tmp_path / "run")


def test_a_short_run_is_validated_at_its_end(recipe: Recipe, tmp_path: Path) -> None:
    fit(replace(recipe, validate_every=100), tmp_path / "run", progress=False)
    assert [step for step, _ in curve(tmp_path / "run")] == [7]
    assert (tmp_path / "run" / "best.ckpt").exists()


@pytest.mark.parametrize(("steps", "stored"), [(8, {"bits": 3.0, "steps": 8}), (4, {})])
def test_figures_of_an_earlier_step_are_not_exported(
    recipe: Recipe, tmp_path: Path, steps: int, stored: dict[str, object]
) -> None:
    last, out = fit(recipe, tmp_path / "run", progress=False), tmp_path / "out.safetensors"
    export(last, out, {"bits": 3.0, "steps": steps}, "fp32")
    assert checkpoint.read(out).card["validation"] == stored
    (tmp_path / "run" / "figures.json").write_text('{"bits": 3.')
    assert main(["export", str(tmp_path / "run"), str(out)]) == 1


@pytest.mark.parametrize(("bits", "words"), [(2.0, "more than"), (2.49, "about as much as"), (3.0, "less than")])
def test_a_sentence_compares_the_model_with_the_best_n_gram(bits: float, words: str) -> None:
    sentence = verdict({"bits": bits, "ngram_bits": [4.0, 3.0, 2.5, 2.6, 2.7]})
    assert sentence.startswith(f"The model has learned {words} the n-gram: it needs {bits:.3f} bits")
    assert "(n = 3) 2.500" in sentence
