"""A learned tagger of music: musicnn, a convolutional network that names genre, mood and instruments.

Its weights were trained on the Million Song Dataset and come from the package musicnn 0.1.0 (ISC license, see
`weights/LICENSE-musicnn`); `python -m train tagger` converts them.
Source: Pons and Serra, "musicnn: Pre-trained convolutional neural networks for music audio tagging" (ISMIR 2019,
late-breaking demo).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from radio.errors import ModelError
from radio.judge.spectrogram import BANDS
from radio.model.weights import tensorfile
from radio.paths import TAGGER

WINDOW: Final = 187
"""Spectrogram frames per input of the network: three seconds."""
FORMAT: Final = "radio-musicnn-1"

_TIMBRAL: Final = ("timbral1", "timbral2")
_TEMPORAL: Final = ("temporal1", "temporal2", "temporal3")

Array = npt.NDArray[np.float32]


class Judgement(NamedTuple):
    """The network's outputs for windows of audio.

    tags: probabilities, (windows, tags).
    embeddings: activations of the last hidden layer, (windows, 200).
    """

    tags: Array
    embeddings: Array


class Tagger:
    """The network with its weights; a window takes about 0.05 s of one core.

    Args:
        weights: arrays by name, as `python -m train tagger` writes them.
        names: the names of the tags.
    """

    def __init__(self, weights: Mapping[str, Array], names: tuple[str, ...]) -> None:
        self._weights = {name: np.asarray(array, np.float32) for name, array in weights.items()}
        self.names = names

    def judge(self, spectrogram: Array) -> Judgement:
        """Judge a spectrogram, (frames, 96), in windows of three seconds; a shorter remainder is ignored.

        A spectrogram shorter than a window is repeated to fill one.

        Raises:
            ModelError: The spectrogram is empty.
        """
        if not len(spectrogram):
            raise ModelError("there is no audio to judge")
        if len(spectrogram) < WINDOW:
            spectrogram = np.tile(spectrogram, (-(-WINDOW // len(spectrogram)), 1))
        windows = spectrogram[: len(spectrogram) // WINDOW * WINDOW].reshape(-1, WINDOW, BANDS)
        hidden = np.stack([self._embed(window) for window in windows])
        logits = hidden @ self._weights["tags.kernel"] + self._weights["tags.bias"]
        return Judgement(np.asarray(1 / (1 + np.exp(-logits)), np.float32), hidden)

    def _embed(self, window: Array) -> Array:
        """Return the activations of the last hidden layer for a window, (187, 96)."""
        x = window * self._weights["input.scale"] + self._weights["input.shift"]
        front = np.concatenate(
            [self._timbral(name, x) for name in _TIMBRAL] + [self._temporal(name, x) for name in _TEMPORAL], axis=1
        )
        middle1 = self._middle("middle1", front)
        middle2 = self._middle("middle2", middle1) + middle1
        middle3 = self._middle("middle3", middle2) + middle2
        features = np.concatenate((front, middle1, middle2, middle3), axis=1)
        pooled = np.stack((features.max(axis=0), features.mean(axis=0)), axis=1).reshape(-1)
        return self._layer("hidden", self._normalize("pool", pooled))

    def _timbral(self, name: str, x: Array) -> Array:
        """Convolve time and frequency, and take the maximum over frequency: (187, 96) to (187, filters)."""
        kernel = self._weights[f"{name}.kernel"]
        height, width, filters = kernel.shape
        padded = np.pad(x, ((height // 2, height // 2), (0, 0)))
        patches = np.lib.stride_tricks.sliding_window_view(padded, (height, width))
        return self._pool(name, patches.reshape(-1, height * width) @ kernel.reshape(-1, filters))

    def _temporal(self, name: str, x: Array) -> Array:
        """Convolve time in each band, and take the maximum over the bands: (187, 96) to (187, filters)."""
        kernel = self._weights[f"{name}.kernel"]
        length, filters = kernel.shape
        padded = np.pad(x, (((length - 1) // 2, length // 2), (0, 0)))
        patches = np.lib.stride_tricks.sliding_window_view(padded, length, axis=0)
        return self._pool(name, patches.reshape(-1, length) @ kernel.reshape(-1, filters))

    def _pool(self, name: str, y: Array) -> Array:
        """Return the maximum over frequency of a layer, from its sums of products, (187 · places, filters).

        The bias, the rectifier and the normalization are monotonic, so the maximum is taken before them, or the
        minimum where the normalization's scale is negative.
        """
        places = y.reshape(WINDOW, -1, y.shape[1])
        scale = self._weights[f"{name}.scale"]
        extreme = np.where(scale > 0, places.max(axis=1), places.min(axis=1))
        return self._normalize(name, np.maximum(extreme + self._weights[f"{name}.bias"], 0))

    def _middle(self, name: str, x: Array) -> Array:
        """Convolve seven frames of all channels: (187, channels) to (187, filters)."""
        kernel = self._weights[f"{name}.kernel"]
        height, _, filters = kernel.shape
        padded = np.pad(x, ((height // 2, height // 2), (0, 0)))
        patches = np.lib.stride_tricks.sliding_window_view(padded, height, axis=0).swapaxes(1, 2)
        return self._rectified(name, patches.reshape(WINDOW, -1) @ kernel.reshape(-1, filters))

    def _layer(self, name: str, x: Array) -> Array:
        return self._rectified(name, x @ self._weights[f"{name}.kernel"])

    def _rectified(self, name: str, y: Array) -> Array:
        return self._normalize(name, np.maximum(y + self._weights[f"{name}.bias"], 0))

    def _normalize(self, name: str, x: Array) -> Array:
        return np.asarray(x * self._weights[f"{name}.scale"] + self._weights[f"{name}.shift"], np.float32)


def load(path: Path = TAGGER) -> Tagger:
    """Read the tagger's weights.

    Raises:
        ModelError: The file is missing or is not a tagger.
    """
    tensors, metadata = tensorfile.read(path)
    if metadata.get("format") != FORMAT:
        raise ModelError(f"{path}: not a tagger (format {metadata.get('format')!r}); use a {FORMAT} file")
    weights = {name: np.asarray(array, np.float32) for name, array in tensors.items()}
    return Tagger(weights, tuple(json.loads(metadata["tags"])))
