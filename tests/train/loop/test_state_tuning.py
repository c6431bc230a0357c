"""A tuned state helps a model predict music in the style of its training pieces, and nothing else is trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from radio.errors import ModelError, SettingsError
from radio.model import tuned_state
from radio.model.engines.selection import open_engine
from radio.model.spec.baselines import GruSpec
from radio.model.spec.rwkv import Rwkv7Spec
from radio.model.weights import checkpoint as checkpoints
from radio.model.weights.checkpoint import Checkpoint
from radio.music.vocab import START, beat_token, note_token, style_token
from tests.model.models import checkpoint, older_tokens, random_checkpoint
from train.cli.main import main
from train.data.passages import NamedPiece, read_pieces, without
from train.data.vocabulary import RowTable
from train.loop.state_tuning import StateTuning, network_of, tune
from train.metrics.passage_bits import bits_of_passages

QUICK = StateTuning(steps=25, bars=2, passages=4, rate=1.0)
MODELS = [checkpoint("piano"), random_checkpoint(Rwkv7Spec(2, 64, len(older_tokens("piano"))))]


def piece(*tokens: int) -> NamedPiece:
    return NamedPiece("made", np.array(tokens, np.uint16))


def bits(model: Checkpoint, corpus: Path, state: tuned_state.State) -> float:
    held_out = [passage for held in read_pieces(corpus / "validation.jsonl") for passage in held.passages(QUICK.bars)]
    return bits_of_passages(open_engine(model), held_out, RowTable(model.part, model.tokens), state)


@pytest.mark.parametrize("model", MODELS, ids=["rwkv6", "rwkv7"])
def test_a_tuned_state_saves_bits_on_held_out_pieces(model: Checkpoint, corpus: Path) -> None:
    wkv = tune(model, read_pieces(corpus / "train.jsonl"), QUICK)
    zeros = open_engine(model).zero_state()
    state = tuned_state.begin_with(wkv, tuned_state.require_tunable(model.spec))
    assert bits(model, corpus, state) < bits(model, corpus, zeros) - 0.1


def test_the_same_seed_tunes_the_same_state(corpus: Path) -> None:
    pieces = read_pieces(corpus / "train.jsonl")
    how = StateTuning(steps=3, bars=2, passages=2)
    assert tune(MODELS[0], pieces, how).tobytes() == tune(MODELS[0], pieces, how).tobytes()


def test_the_weights_of_the_model_are_not_trained() -> None:
    assert not any(parameter.requires_grad for parameter in network_of(MODELS[0]).parameters())


def test_the_bits_of_a_batch_equal_those_of_its_passages_one_by_one(corpus: Path) -> None:
    """Shorter passages end earlier in a batch, and padding does not count."""
    model = checkpoint("piano")
    table, engine = RowTable(model.part, model.tokens), open_engine(model, "numpy")
    (held, *_) = read_pieces(corpus / "validation.jsonl")
    passages = [held.bars(0, 1), held.bars(0, 3), held.bars(1, 2)]
    nats, count = 0.0, 0
    for passage in passages:
        state, (row, *rest) = engine.zero_state(), table.rows(passage).tolist()
        for target in rest:
            logits, state = engine.step([row], state)
            if not table.forced[target]:
                nats -= float(torch.log_softmax(torch.from_numpy(logits), 0)[target])
                count += 1
            row = target
    expected = nats / count / np.log(2)
    assert bits_of_passages(engine, passages, table, engine.zero_state()) == pytest.approx(expected, rel=1e-5)


def test_passages_start_like_pieces_and_omit_the_ends_of_earlier_notes() -> None:
    bar = beat_token(1)
    made = piece(START, bar, note_token(60, 5), note_token(64, 5), note_token(64, 0), bar, note_token(60, 0), bar)
    assert made.bars(0, 1).tolist() == [START, bar, note_token(60, 5), note_token(64, 5), note_token(64, 0)]
    assert made.bars(1, 5).tolist() == [START, bar, bar]
    assert [passage.tolist() for passage in made.passages(2)][1] == [START, bar]


def test_controls_can_be_left_out() -> None:
    jazz, strike = style_token("jazz"), note_token(38, 5)
    made = piece(START, beat_token(1), jazz, 2243, strike)
    assert without(made, "styles").tokens.tolist() == [START, beat_token(1), 2243, strike]
    assert without(made, "controls").tokens.tolist() == [START, beat_token(1), strike]


def test_other_architectures_and_names_are_refused(corpus: Path) -> None:
    pieces = read_pieces(corpus / "train.jsonl")
    with pytest.raises(ModelError, match="only states of RWKV can be tuned, not of GRU"):
        tune(random_checkpoint(GruSpec(1, 64, 300)), pieces, QUICK)
    with pytest.raises(SettingsError, match="there is no such piece with a name like missing\\*"):
        read_pieces(corpus / "train.jsonl", ["missing*"])
    with pytest.raises(SettingsError, match="there is no such piece in the style jazz"):
        read_pieces(corpus / "train.jsonl", styles=["jazz"])


def test_the_command_writes_a_state_for_the_model(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, out = tmp_path / "piano.safetensors", tmp_path / "state.safetensors"
    checkpoints.write(model, MODELS[0], "int8")
    words = ["tune-state", str(model), str(corpus), str(out), "--steps", "2", "--bars", "2", "--pieces", "1"]
    assert main(words) == 0
    assert tuned_state.read(out, checkpoints.read(model)).memory.any()
    assert "bits per sampled token: " in capsys.readouterr().out
    assert main([*words[:3], "state.bin"]) == 1
    assert "must end in .safetensors" in capsys.readouterr().err
    for split in ("train", "validation"):
        lines = (corpus / f"{split}.jsonl").read_text().replace('"piano"', '"drums"')
        (tmp_path / f"{split}.jsonl").write_text(lines)
    assert main([*words[:2], str(tmp_path), str(out)]) == 1
    assert "this is a drums corpus, not a piano corpus" in capsys.readouterr().err
