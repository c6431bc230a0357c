"""Distances of two sets of embeddings: the Fréchet distance, and a classifier that tries to tell the sets apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from radio.errors import ModelError

FOLDS: Final = 5
"""Parts of the data that a classifier is tested on in turn; the fewest windows of a set."""
FEWEST: Final = 2
"""The fewest windows for a Fréchet distance."""
_PENALTY: Final = 1.0
"""L2 penalty of the classifier on standardized embeddings; the sum over windows counts once."""
_STEPS: Final = 12

Array = npt.NDArray[np.float64]
Embeddings = npt.NDArray[np.float32]


def frechet(first: Embeddings, second: Embeddings) -> float:
    """Return the Fréchet distance of normal distributions fitted to two sets, (windows, dimensions) each.

    It falls with the number of windows, so only distances of sets of similar size compare.

    Raises:
        ModelError: A set has fewer than two windows.

    Source: Dowson and Landau, "The Fréchet distance between multivariate normal distributions" (Journal of Multivariate
    Analysis 12, 1982); for audio, Kilgour et al., "Fréchet audio distance" (Interspeech 2019).
    """
    for embeddings in (first, second):
        if len(embeddings) < FEWEST:
            raise ModelError("a Fréchet distance needs two windows of three seconds on both sides")
    mean1, mean2 = (embeddings.mean(axis=0, dtype=np.float64) for embeddings in (first, second))
    covariance1, covariance2 = (np.cov(embeddings.astype(np.float64), rowvar=False) for embeddings in (first, second))
    # The trace of the root of C1·C2 is that of the root of √C1·C2·√C1, which is symmetric.
    values, vectors = np.linalg.eigh(covariance1)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ covariance2 @ root), 0)).sum()
    difference = mean1 - mean2
    return float(difference @ difference + np.trace(covariance1) + np.trace(covariance2) - 2 * cross)


def separability(first: Sequence[Embeddings], second: Sequence[Embeddings]) -> float:
    """Return the balanced accuracy with which a classifier tells windows of two sets apart: 0.5 is chance, 1 always.

    A logistic regression is fitted to four fifths and tested on the rest, in turn. Windows of a file stay together
    where a set has five files or more; fewer are split into stretches of time.

    Args:
        first: embeddings of each file of a set, (windows, dimensions).
        second: the same of the other set.

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
    """Return the fold of each window: by files where there are enough of them, else by stretches of time."""
    lengths = [len(file) for file in files]
    if sum(lengths) < FOLDS:
        raise ModelError("a classifier needs five windows of three seconds on both sides")
    if len(files) >= FOLDS:
        return np.repeat(np.arange(len(files)) % FOLDS, lengths)
    windows = np.arange(sum(lengths))
    return windows * FOLDS // len(windows)


def _fit(data: Array, labels: Array) -> Array:
    """Return the weights of a logistic regression, the bias last, by Newton's method; both classes weigh the same."""
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
