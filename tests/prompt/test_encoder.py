from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from radio.prompt import encoder, meanings
from radio.prompt.concepts import CONCEPTS
from radio.prompt.grammar import read

WIDTH = 12


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A network of two layers with random weights."""
    random = np.random.default_rng(1)

    def array(*shape: int) -> np.ndarray:
        return random.normal(0, 0.3, shape).astype(np.float32)

    arrays = {
        "embeddings.word_embeddings.weight": array(4, WIDTH),
        "embeddings.position_embeddings.weight": array(8, WIDTH),
        "embeddings.token_type_embeddings.weight": array(2, WIDTH),
    }
    names = {"embeddings.LayerNorm": ()}
    for layer in range(2):
        base = f"encoder.layer.{layer}"
        names |= {f"{base}.attention.self.{part}": (WIDTH, WIDTH) for part in ("query", "key", "value")}
        names |= {f"{base}.attention.output.dense": (WIDTH, WIDTH), f"{base}.output.dense": (WIDTH, 2 * WIDTH)}
        names |= {f"{base}.intermediate.dense": (2 * WIDTH, WIDTH)}
        names |= {f"{base}.attention.output.LayerNorm": (), f"{base}.output.LayerNorm": ()}
    for name, shape in names.items():
        arrays |= {f"{name}.weight": array(*(shape or (WIDTH,))), f"{name}.bias": array(shape[0] if shape else WIDTH)}
    save_file(arrays, tmp_path / "model.safetensors")
    config = {"num_attention_heads": 3, "num_hidden_layers": 2, "layer_norm_eps": 1e-12}
    (tmp_path / "config.json").write_text(json.dumps(config))
    tokenizer = Tokenizer(WordLevel({"?": 0, "rain": 1, "and": 2, "wind": 3}, unk_token="?"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def test_a_vector_does_not_depend_on_the_other_texts_of_a_batch(folder: Path) -> None:
    network = encoder.Encoder(folder)
    texts = ["rain", "rain and wind", "wind and"]
    together = network.vectors(texts)
    assert together.shape == (3, WIDTH)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(together, np.concatenate([network.vectors([text]) for text in texts]), atol=1e-5)
    assert np.abs(together[0] - together[1]).max() > 0.01


def test_descriptions_are_of_concepts_with_facets() -> None:
    for concept in meanings.DESCRIPTIONS:
        assert meanings._facets(CONCEPTS[concept]), concept


def test_unknown_words_near_a_description_get_its_facets(monkeypatch: pytest.MonkeyPatch) -> None:
    near = {"forlorn": meanings.Meaning("sad", 0.7), "toaster": meanings.Meaning("fire", 0.4)}
    monkeypatch.setattr(meanings, "nearest", near.__getitem__)
    forlorn, toaster, rain = meanings.with_meanings(read("forlorn, toaster, rain")).phrases
    assert forlorn.facets[0].value == "sad"
    assert forlorn.note == "interpreted as sad, with a similarity of 0.70"
    assert not toaster.facets
    assert toaster.reason
    assert rain == read("forlorn, toaster, rain").phrases[2]


def test_the_network_is_all_minilm_l6_v2() -> None:
    """The cosines are from the documentation of Sentence Transformers."""
    pytest.importorskip(encoder.PACKAGE, reason="the extra text is not installed")
    texts = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
    vectors = encoder.open_encoder().vectors(texts)
    cosines = [[1, 0.666, 0.1046], [0.666, 1, 0.1411], [0.1046, 0.1411, 1]]
    np.testing.assert_allclose(vectors @ vectors.T, cosines, atol=2e-3)
    assert meanings.nearest("downpour").concept == "rain"
    assert meanings.nearest("toaster").nearness < meanings.NEAR_ENOUGH
