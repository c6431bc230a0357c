"""The real classes of Transformers, with a tiny model with random weights that is made here.

.venv/bin/python -m pip install -e '.[musicgen]'
.venv/bin/python -m pytest tests/musicgen
"""

from __future__ import annotations

import importlib.util
import wave
from pathlib import Path

import numpy as np
import pytest

from radio.cli.exit_codes import FAILED
from radio.cli.main import main
from radio.errors import AudioError
from radio.musicgen.generating import generate
from radio.musicgen.weights import PACKAGES, weights_in

pytestmark = [
    pytest.mark.skipif(
        any(importlib.util.find_spec(name) is None for name in PACKAGES),
        reason="Transformers is not installed: pip install 'lofi-radio-daemon[musicgen]'",
    ),
    pytest.mark.slow,  # Transformers takes seconds of processor time to import
]

RATE = 16_000
CODES = 32


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a MusicGen model with 0.2 million random parameters, ten frames per second and a tokenizer of letters."""
    import torch
    from transformers import (
        EncodecConfig,
        EncodecFeatureExtractor,
        MusicgenConfig,
        MusicgenDecoderConfig,
        MusicgenForConditionalGeneration,
        MusicgenProcessor,
        T5Config,
        T5Tokenizer,
    )

    folder = tmp_path_factory.mktemp("musicgen")
    codec = EncodecConfig(
        sampling_rate=RATE,
        num_filters=4,
        hidden_size=16,
        codebook_size=CODES,
        codebook_dim=16,
        upsampling_ratios=[8, 8, 5, 5],
        num_lstm_layers=1,
        target_bandwidths=[0.1],
    )
    reader = T5Config(vocab_size=40, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
    decoder = MusicgenDecoderConfig(
        vocab_size=CODES,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        ffn_dim=32,
        num_codebooks=codec.num_quantizers,
        pad_token_id=CODES,
        bos_token_id=CODES,
    )
    torch.manual_seed(1)
    model = MusicgenForConditionalGeneration(
        MusicgenConfig(text_encoder=reader.to_dict(), audio_encoder=codec.to_dict(), decoder=decoder.to_dict())
    )
    for layer in model.audio_encoder.quantizer.layers:
        layer.codebook.embed.normal_()  # zeros before training, which would make all codes sound alike
    model.generation_config.update(
        decoder_start_token_id=CODES, pad_token_id=CODES, bos_token_id=CODES, max_length=1_500
    )
    model.save_pretrained(folder)
    letters = [
        ("<pad>", 0.0),
        ("</s>", 0.0),
        ("<unk>", 0.0),
        *((letter, -2.0) for letter in "▁abcdefghijklmnopqrstuvwxyz,"),
    ]
    tokenizer = T5Tokenizer(vocab=letters, extra_ids=0)
    MusicgenProcessor(EncodecFeatureExtractor(sampling_rate=RATE), tokenizer).save_pretrained(folder)
    return folder


def test_the_same_seed_gives_the_same_recording_of_the_requested_length(tiny: Path, tmp_path: Path) -> None:
    weights, shares = weights_in(tiny), []
    for name, seed in (("one", 1), ("same", 1), ("other", 2)):
        generate(
            "rainy night", weights, seed=seed, target=tmp_path / f"{name}.wav", on_progress=shares.append, length=5.0
        )
    with wave.open(str(tmp_path / "one.wav")) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (1, RATE, 5 * RATE)
        assert np.frombuffer(file.readframes(5 * RATE), "<i2").std() > 0
    assert (tmp_path / "one.wav").read_bytes() == (tmp_path / "same.wav").read_bytes()
    assert (tmp_path / "one.wav").read_bytes() != (tmp_path / "other.wav").read_bytes()
    assert shares[0] < 0.1
    assert max(shares) == 1.0


def test_the_output_of_a_random_model_is_refused_like_any_noise(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    via = ["--prompt", "rainy night", "--prompt-via", "musicgen", "--musicgen-weights", str(tiny)]
    assert (
        main(["render", "--station", "study", *via, "--seed", "1", "--bars", "1", str(tmp_path / "out.mid")]) == FAILED
    )
    said = capsys.readouterr().err
    (recording,) = (tmp_path / "radio" / "musicgen").glob("rainy-night-*.wav")
    assert f"radio: {recording}: " in said
    assert "Another --seed gives another recording" in said
    with wave.open(str(recording)) as file:
        assert file.getnframes() == 30 * file.getframerate()


def test_memory_is_limited(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"MusicGen ran out of memory with the weights in .*, which have 0"):
        generate("rain", weights_in(tiny), seed=1, target=tmp_path / "x.wav", on_progress=lambda _: None, memory=2**29)


def test_a_folder_without_a_tokenizer_is_a_one_line_error(tiny: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("config.json", "model.safetensors"):
        (bare / name).symlink_to(tiny / name)
    with pytest.raises(AudioError, match=r"^MusicGen: [^\n]*bare"):
        generate("rain", weights_in(bare), seed=1, target=tmp_path / "x.wav", on_progress=lambda _: None)
