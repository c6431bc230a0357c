from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from radio.errors import ModelError
from radio.judge.spectrogram import BANDS, log_mel
from radio.judge.tagger import WINDOW, load
from radio.paths import CHECKPOINTS, TAGGER
from tests.judge.signals import example

OUTPUTS = json.loads(Path(__file__).with_name("musicnn_outputs.json").read_text())
"""Outputs of musicnn 0.1.0 in TensorFlow 2.21, with its spectrogram kept in float32: see docs/judging.md."""


def test_tags_and_embeddings_agree_with_the_original() -> None:
    judgement = load().judge(log_mel(example()))
    assert np.abs(judgement.tags - OUTPUTS["tags"]).max() < 1e-3
    embeddings = judgement.embeddings[:, : len(OUTPUTS["embeddings"][0])]
    assert np.abs(embeddings - OUTPUTS["embeddings"]).max() < 0.02
    assert embeddings.std() > 0.5


def test_windows_are_judged_independently() -> None:
    tagger, spectrogram = load(), log_mel(example())
    whole = tagger.judge(spectrogram)
    assert len(whole.tags) == len(spectrogram) // WINDOW
    second = tagger.judge(spectrogram[WINDOW : 2 * WINDOW])
    assert second.embeddings[0] == pytest.approx(whole.embeddings[1], abs=1e-5)


def test_short_audio_is_repeated_and_no_audio_is_refused() -> None:
    tagger, spectrogram = load(), log_mel(example())
    short = tagger.judge(spectrogram[:100])
    twice = tagger.judge(np.concatenate((spectrogram[:100], spectrogram[:100]))[:WINDOW])
    assert np.array_equal(short.tags, twice.tags)
    with pytest.raises(ModelError, match="no audio"):
        tagger.judge(np.zeros((0, BANDS), np.float32))


def test_the_weights_come_with_their_license() -> None:
    assert "Permission to use, copy, modify" in TAGGER.with_name("LICENSE-musicnn").read_text()
    assert TAGGER.stat().st_size < 2_000_000


def test_other_files_are_refused() -> None:
    with pytest.raises(ModelError, match="not a tagger"):
        load(CHECKPOINTS / "chords.safetensors")
