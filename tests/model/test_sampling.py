from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radio.errors import ModelError
from radio.model.sampling import Sampler, Sampling
from radio.music.vocab import note_token, wait_token

TOKENS = (wait_token(5), wait_token(10), *(note_token(note, 8) for note in range(60, 68)), note_token(60, 3))
ALL = np.ones(len(TOKENS), bool)


def sampler(seed: int = 0) -> Sampler:
    return Sampler(TOKENS, np.random.default_rng(seed))


def shares(logits: np.ndarray, sampling: Sampling, *, allowed: np.ndarray = ALL, draws: int = 4000) -> np.ndarray:
    drawer = sampler()
    counts = np.zeros(len(TOKENS))
    for _ in range(draws):
        counts[drawer.draw(logits, allowed, sampling)] += 1
    return counts / draws


def softmax(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()


LOGITS = np.linspace(-1, 2, len(TOKENS)).astype(np.float32)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_follow_the_softmax_at_the_temperature(temperature: float) -> None:
    drawn = shares(LOGITS, Sampling(temperature=temperature))
    np.testing.assert_allclose(drawn, softmax(LOGITS / temperature), atol=0.03)


def test_temperature_zero_selects_the_likeliest_token() -> None:
    assert shares(LOGITS, Sampling(temperature=0), draws=50)[LOGITS.argmax()] == 1


@given(st.integers(1, len(TOKENS)))
def test_top_k_keeps_the_k_likeliest_tokens(k: int) -> None:
    drawn = shares(LOGITS, Sampling(top_k=k), draws=200)
    assert set(np.flatnonzero(drawn)) <= set(np.argsort(-LOGITS)[:k])


def test_top_p_keeps_the_fewest_tokens_that_reach_it_and_at_least_one() -> None:
    order = np.argsort(-LOGITS)
    cumulative = np.cumsum(softmax(LOGITS)[order])
    expected = set(order[: int(np.searchsorted(cumulative, 0.6)) + 1])
    assert set(np.flatnonzero(shares(LOGITS, Sampling(top_p=0.6)))) == expected
    assert shares(LOGITS, Sampling(top_p=0.0), draws=50)[LOGITS.argmax()] == 1


@given(
    st.lists(st.booleans(), min_size=len(TOKENS), max_size=len(TOKENS)).filter(any),
    st.floats(0, 2, allow_subnormal=False),
)
def test_only_allowed_tokens_are_drawn(allowed: list[bool], temperature: float) -> None:
    mask = np.array(allowed)
    drawer = sampler()
    for _ in range(20):
        assert mask[drawer.draw(LOGITS, mask, Sampling(temperature=temperature, top_p=0.9))]


def test_a_draw_with_no_allowed_token_is_an_error() -> None:
    with pytest.raises(ModelError, match="allows no token"):
        sampler().draw(LOGITS, np.zeros(len(TOKENS), bool), Sampling())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, -20_000])
def test_scores_that_are_not_finite_or_far_too_large_are_an_error(value: float) -> None:
    sampler = Sampler([wait_token(10), wait_token(20)], np.random.default_rng(1))
    logits = np.array([0.0, value], np.float32)
    with pytest.raises(ModelError, match="not finite or far too large"):
        sampler.draw(logits, np.array([True, True]), Sampling())
    assert sampler.draw(logits, np.array([True, False]), Sampling()) == 0


def test_the_penalty_on_a_recent_note_ignores_velocity_and_decays() -> None:
    flat = np.zeros(len(TOKENS), np.float32)
    only_60 = np.zeros(len(TOKENS), bool)
    only_60[2] = True
    penalized = Sampling(temperature=0, alpha_frequency=1.0, alpha_decay=0.5)
    drawer = sampler()
    drawer.draw(flat, only_60, penalized)
    assert drawer.counts[60] == 1
    both_60 = np.zeros(len(TOKENS), bool)
    both_60[[3, -1]] = True  # note 61, and note 60 at another velocity
    assert drawer.draw(flat, both_60, penalized) == 3
    assert drawer.counts[60] == 0.5
    waits = np.zeros(len(TOKENS), bool)
    waits[0] = True
    for _ in range(20):
        drawer.draw(flat, waits, penalized)
    assert drawer.counts[60] < 1e-5


def test_presence_is_subtracted_once_and_frequency_per_strike() -> None:
    strike = np.zeros(len(TOKENS), bool)
    strike[2] = True
    for strikes in (1, 3):
        drawer = sampler()
        for _ in range(strikes):
            drawer.draw(np.zeros(len(TOKENS), np.float32), strike, Sampling(alpha_decay=1.0))
        presence = drawer._penalties(Sampling(alpha_presence=0.7))[drawer._pitch]
        frequency = drawer._penalties(Sampling(alpha_frequency=0.7))[drawer._pitch]
        assert presence[2] == pytest.approx(0.7)
        assert frequency[2] == pytest.approx(0.7 * strikes)
        assert presence[0] == frequency[0] == presence[3] == 0


def test_the_same_seed_draws_the_same_tokens() -> None:
    one, two = sampler(3), sampler(3)
    assert [one.draw(LOGITS, ALL, Sampling()) for _ in range(100)] == [
        two.draw(LOGITS, ALL, Sampling()) for _ in range(100)
    ]


def draw_reference(
    logits: np.ndarray, allowed: np.ndarray, sampling: Sampling, generator: np.random.Generator, penalties: np.ndarray
) -> int:
    """Draw a token by the definition of sampling, which sorts all tokens."""
    scores = np.where(allowed, logits - penalties, -np.inf)
    scaled = (scores - scores.max()) / np.float32(sampling.temperature)
    order = np.argsort(-scaled, kind="stable")[: sampling.top_k or None]
    cumulative = np.exp(scaled[order].astype(np.float64)).cumsum()
    keep = int(np.searchsorted(cumulative, sampling.top_p * cumulative[-1])) + 1
    index = int(np.searchsorted(cumulative[:keep], generator.random() * cumulative[:keep][-1], side="right"))
    return int(order[min(index, keep - 1, len(order) - 1)])


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.3, 1.0, 2.0]),
    st.floats(0, 1),
    st.sampled_from([0, 1, 3, 50, 5000]),
    st.booleans(),
)
def test_the_sampler_agrees_with_the_reference(
    seed: int, temperature: float, top_p: float, top_k: int, ties: bool
) -> None:
    generator = np.random.default_rng(seed)
    tokens = tuple(note_token(note, loud) for note in range(20, 100) for loud in range(1, 11))
    drawer, reference_generator = Sampler(tokens, np.random.default_rng(seed)), np.random.default_rng(seed)
    sampling = Sampling(temperature, top_p, top_k, alpha_presence=0.4, alpha_frequency=0.2)
    for _ in range(20):
        logits = (generator.normal(0, 3, len(tokens)).round(1 if ties else 9)).astype(np.float32)
        allowed = generator.random(len(tokens)) < generator.choice([0.01, 0.3, 1.0])
        allowed[generator.integers(len(tokens))] = True
        penalties = drawer._penalties(sampling)[drawer._pitch]
        expected = draw_reference(logits, allowed, sampling, reference_generator, penalties)
        assert drawer.draw(logits, allowed, sampling) == expected
