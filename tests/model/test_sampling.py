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
def test_draws_follow_the_softmax_at_that_temperature(temperature: float) -> None:
    drawn = shares(LOGITS, Sampling(temperature=temperature))
    np.testing.assert_allclose(drawn, softmax(LOGITS / temperature), atol=0.03)


def test_temperature_zero_takes_the_likeliest() -> None:
    assert shares(LOGITS, Sampling(temperature=0), draws=50)[LOGITS.argmax()] == 1


@given(st.integers(1, len(TOKENS)))
def test_top_k_keeps_the_k_likeliest(k: int) -> None:
    drawn = shares(LOGITS, Sampling(top_k=k), draws=200)
    assert set(np.flatnonzero(drawn)) <= set(np.argsort(-LOGITS)[:k])


def test_top_p_keeps_the_fewest_that_reach_it_and_always_one() -> None:
    order = np.argsort(-LOGITS)
    reach = np.cumsum(softmax(LOGITS)[order])
    kept = set(order[: int(np.searchsorted(reach, 0.6)) + 1])
    assert set(np.flatnonzero(shares(LOGITS, Sampling(top_p=0.6)))) == kept
    assert shares(LOGITS, Sampling(top_p=0.0), draws=50)[LOGITS.argmax()] == 1


@given(
    st.lists(st.booleans(), min_size=len(TOKENS), max_size=len(TOKENS)).filter(any),
    st.floats(0, 2, allow_subnormal=False),
)
def test_what_is_not_allowed_is_never_drawn(allowed: list[bool], temperature: float) -> None:
    mask = np.array(allowed)
    drawer = sampler()
    for _ in range(20):
        assert mask[drawer.draw(LOGITS, mask, Sampling(temperature=temperature, top_p=0.9))]


def test_nothing_allowed_is_a_fault() -> None:
    with pytest.raises(ModelError, match="allows no token"):
        sampler().draw(LOGITS, np.zeros(len(TOKENS), bool), Sampling())


def test_a_note_played_lately_is_pushed_down_whatever_its_velocity_and_the_push_decays() -> None:
    flat = np.zeros(len(TOKENS), np.float32)
    only_60 = np.zeros(len(TOKENS), bool)
    only_60[2] = True
    penalised = Sampling(temperature=0, alpha_frequency=1.0, alpha_decay=0.5)
    drawer = sampler()
    drawer.draw(flat, only_60, penalised)
    assert drawer.counts[60] == 1
    both_60 = np.zeros(len(TOKENS), bool)
    both_60[[3, -1]] = True  # note 61, and note 60 at another velocity
    assert drawer.draw(flat, both_60, penalised) == 3
    assert drawer.counts[60] == 0.5
    waits = np.zeros(len(TOKENS), bool)
    waits[0] = True
    for _ in range(20):
        drawer.draw(flat, waits, penalised)
    assert drawer.counts[60] < 1e-5


def test_presence_is_taken_once_frequency_per_strike() -> None:
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


def test_the_same_seed_draws_the_same() -> None:
    one, two = sampler(3), sampler(3)
    assert [one.draw(LOGITS, ALL, Sampling()) for _ in range(100)] == [
        two.draw(LOGITS, ALL, Sampling()) for _ in range(100)
    ]


def plainly(
    logits: np.ndarray, allowed: np.ndarray, sampling: Sampling, generator: np.random.Generator, penalties: np.ndarray
) -> int:
    """The definition: everything is sorted, nothing is left out beforehand."""
    scores = np.where(allowed, logits - penalties, -np.inf)
    scaled = (scores - scores.max()) / np.float32(sampling.temperature)
    order = np.argsort(-scaled, kind="stable")[: sampling.top_k or None]
    cumulative = np.exp(scaled[order].astype(np.float64)).cumsum()
    kept = int(np.searchsorted(cumulative, sampling.top_p * cumulative[-1])) + 1
    place = int(np.searchsorted(cumulative[:kept], generator.random() * cumulative[:kept][-1], side="right"))
    return int(order[min(place, kept - 1, len(order) - 1)])


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.3, 1.0, 2.0]),
    st.floats(0, 1),
    st.sampled_from([0, 1, 3, 50, 5000]),
    st.booleans(),
)
def test_the_same_seed_gives_the_token_of_the_definition(
    seed: int, temperature: float, top_p: float, top_k: int, ties: bool
) -> None:
    generator = np.random.default_rng(seed)
    tokens = tuple(note_token(note, loud) for note in range(20, 100) for loud in range(1, 11))
    drawer, other = Sampler(tokens, np.random.default_rng(seed)), np.random.default_rng(seed)
    sampling = Sampling(temperature, top_p, top_k, alpha_presence=0.4, alpha_frequency=0.2)
    for _ in range(20):
        logits = (generator.normal(0, 3, len(tokens)).round(1 if ties else 9)).astype(np.float32)
        allowed = generator.random(len(tokens)) < generator.choice([0.01, 0.3, 1.0])
        allowed[generator.integers(len(tokens))] = True
        penalties = drawer._penalties(sampling)[drawer._pitch]
        expected = plainly(logits, allowed, sampling, other, penalties)
        assert drawer.draw(logits, allowed, sampling) == expected
