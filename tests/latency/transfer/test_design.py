import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.latency.transfer.design import NOISE, choose, design
from hwnas.latency.transfer.encoder import Encoder
from hwnas.spaces import MobileNetV2

SPACE = MobileNetV2(resolution=32, classes=10, width=0.35, depths=(-1, 0), widths=(1.0,))


def mean_variance(candidates, population, chosen):
    """By the weights' posterior covariance, in full."""
    used = candidates[list(chosen)]
    covariance = np.linalg.inv(np.eye(candidates.shape[1]) + used.T @ used / NOISE)
    return float(np.einsum("nd,de,ne->n", population, covariance, population).mean())


@given(st.integers(0, 10_000), st.integers(2, 12), st.integers(1, 6))
def test_the_first_chosen_is_the_best_single_one(seed, candidates, d):
    generator = np.random.default_rng(seed)
    inputs = generator.standard_normal((candidates, d))
    population = generator.standard_normal((30, d))
    best = min(range(candidates), key=lambda i: mean_variance(inputs, population, [i]))
    first = int(choose(inputs, population, 1)[0])
    assert mean_variance(inputs, population, [first]) == pytest.approx(
        mean_variance(inputs, population, [best]), rel=1e-9
    )


@given(st.integers(0, 10_000), st.sampled_from(["I", "D"]))
def test_each_further_one_is_the_best_given_those_before(seed, criterion):
    generator = np.random.default_rng(seed)
    inputs, population = generator.standard_normal((10, 4)), generator.standard_normal((30, 4))
    chosen = choose(inputs, population, 5, criterion=criterion).tolist()
    assert len(set(chosen)) == 5
    for k in range(1, 5):
        left = [i for i in range(10) if i not in chosen[:k]]

        def merit(i, before=tuple(chosen[:k])):
            if criterion == "I":
                return -mean_variance(inputs, population, [*before, i])
            used = inputs[[*before, i]]
            return float(np.linalg.slogdet(np.eye(4) + used.T @ used / NOISE)[1])

        assert merit(chosen[k]) == pytest.approx(max(map(merit, left)), rel=1e-9)


def test_designed_networks_tell_more_than_random_ones():
    generator = np.random.default_rng(0)
    inputs = generator.standard_normal((200, 12)) * np.geomspace(1, 0.05, 12)
    designed = mean_variance(inputs, inputs, choose(inputs, inputs, 10))
    drawn = [mean_variance(inputs, inputs, generator.permutation(200)[:10]) for _ in range(50)]
    assert designed < min(drawn)


def test_two_of_four_are_the_best_pair_where_greed_finds_it():
    inputs = np.diag([1.0, 0.8, 0.6, 0.4])
    pairs = itertools.combinations(range(4), 2)
    best = min(pairs, key=lambda pair: mean_variance(inputs, inputs, pair))
    assert set(choose(inputs, inputs, 2).tolist()) == set(best)


@pytest.mark.parametrize("n", [0, 6])
def test_more_than_there_are_or_none_cannot_be_chosen(n):
    with pytest.raises(ValueError, match=f"{n} networks of 5 candidates"):
        choose(np.eye(5), np.eye(5), n)


def test_an_unknown_criterion_is_refused():
    with pytest.raises(ValueError, match="must be I or D, not 'A'"):
        choose(np.eye(5), np.eye(5), 2, criterion="A")


def test_a_design_holds_different_networks_and_is_always_the_same():
    networks = [architecture.network for architecture in SPACE.sample(60, seed=0)]
    encoder = Encoder.of(networks)
    chosen = design(encoder, networks, 12)
    assert len(set(chosen.tolist())) == 12
    assert (design(encoder, networks, 12) == chosen).all()
    assert (design(encoder, networks, 6) == chosen[:6]).all()
