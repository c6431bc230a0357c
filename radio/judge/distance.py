"""Distances between two sets of embeddings: the Fréchet distance, and a classifier that tries to tell them apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from radio.errors import ModelError

FOLDS: Final = 5
"""Folds of the cross-validation of a classifier; the fewest windows in a set."""
FEWEST: Final = 2
"""The fewest windows for a Fréchet distance."""
_PENALTY: Final = 1.0
"""L2 penalty of the classifier on standardized embeddings, relative to the loss summed over windows."""
_STEPS: Final = 12

Array = npt.NDArray[np.float64]
Embeddings = npt.NDArray[np.float32]


def frechet(first: Embeddings, second: Embeddings) -> float:
    """Return the Fréchet distance between normal distributions fitted to two sets, (windows, dimensions) each.

    It falls with the number of windows, so only distances between sets of similar sizes are comparable.

    Raises:
        ModelError: A set has fewer than two windows.

    Source: Dowson and Landau, "The Fréchet distance between multivariate normal distributions" (Journal of Multivariate
    Analysis 12, 1982); for audio, Kilgour et al., "Fréchet audio distance" (Interspeech 2019).
    """
    for embeddings in (first, second):
        if len(embeddings) < FEWEST:
            raise ModelError("a Fréchet distance needs at least two windows of three seconds in both sets")
    mean1, mean2 = (embeddings.mean(axis=0, dtype=np.float64) for embeddings in (first, second))
    covariance1, covariance2 = (np.cov(embeddings.astype(np.float64), rowvar=False) for embeddings in (first, second))
    # The trace of the root of C1·C2 is that of the root of √C1·C2·√C1, which is symmetric.
    values, vectors = np.linalg.eigh(covariance1)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ covariance2 @ root), 0)).sum()
    difference = mean1 - mean2
    return float(difference @ difference + np.trace(covariance1) + np.trace(covariance2) - 2 * cross)


def separability(first: Sequence[Embeddings], second: Sequence[Embeddings]) -> float:
    """Return the balanced accuracy of a classifier that tells windows of two sets apart: 0.5 is chance, 1 is perfect.

    A logistic regression is fitted to four fifths of the windows and tested on the rest, five times. If a set has five
    files or more, all windows of a file are in the same fifth. Otherwise the set is split by time.

    Args:
        first: embeddings of each file of a set, (windows, dimensions).
        second: the same for the other set.

    Raises:
        ModelError: A set has fewer than five windows.

    Source: Lopez-Paz and Oquab, "Revisiting classifier two-sample tests" (ICLR 2017).
    """
    data = np.concatenate([*first, *second]).astype(np.float64)
    folds = np.concatenate((_folds(first), _folds(second)))
    labels = np.repeat((0.0, 1.0), [sum(map(len, first)), sum(map(len, second))])
    correct = np.zeros(len(data), bool)
    for fold in range(FOLDS):
        test = folds == fold
        mean, deviation = data[~test].mean(axis=0), data[~test].std(axis=0) + 1e-9
        weights = _fit((data[~test] - mean) / deviation, labels[~test])
        guesses = _with_bias((data[test] - mean) / deviation) @ weights > 0
        correct[test] = guesses == labels[test]
    return float((correct[labels == 0].mean() + correct[labels == 1].mean()) / 2)


def _folds(files: Sequence[Embeddings]) -> npt.NDArray[np.int_]:
    """Return the fold of each window: by file if there are enough files, else by time."""
    lengths = [len(file) for file in files]
    if sum(lengths) < FOLDS:
        raise ModelError("a classifier needs at least five windows of three seconds in both sets")
    if len(files) >= FOLDS:
        return np.repeat(np.arange(len(files)) % FOLDS, lengths)
    windows = np.arange(sum(lengths))
    return windows * FOLDS // len(windows)


def _fit(data: Array, labels: Array) -> Array:
    """Return the weights of a logistic regression with equally weighted classes, the bias last, by Newton's method."""
    x = _with_bias(data)
    share = labels.mean()
    balance = np.where(labels == 1, 0.5 / share, 0.5 / (1 - share))
    penalty = np.full(x.shape[1], _PENALTY)
    penalty[-1] = 1e-6
    weights = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        probability = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        gradient = x.T @ (balance * (probability - labels)) + penalty * weights
        curvature = (x * (balance * probability * (1 - probability))[:, None]).T @ x + np.diag(penalty)
        weights -= np.linalg.solve(curvature, gradient)
    return weights


def _with_bias(data: Array) -> Array:
    return np.hstack((data, np.ones((len(data), 1))))
