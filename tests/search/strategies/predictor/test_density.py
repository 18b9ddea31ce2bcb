import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.search.strategies.predictor.density import ChoiceDensity

SIZES = np.array([2, 3, 1, 4])
EVERYTHING = np.array(list(itertools.product(*map(range, SIZES))))


@given(st.integers(1, 30), st.integers(0, 1000))
def test_is_a_density_whatever_it_is_made_of(n, seed):
    data = EVERYTHING[np.random.default_rng(seed).integers(len(EVERYTHING), size=n)]
    assert np.exp(ChoiceDensity.of(data, SIZES).log(EVERYTHING)).sum() == pytest.approx(1)


def test_is_the_kernel_of_aitchison_and_aitken():
    found = ChoiceDensity(np.array([[0, 1]]), np.array([2, 3]), np.array([0.1, 0.3]))
    expected = [0.9 * 0.7, 0.9 * 0.15, 0.1 * 0.7, 0.1 * 0.15]
    np.testing.assert_allclose(np.exp(found.log(np.array([[0, 1], [0, 2], [1, 1], [1, 0]]))), expected)


def test_draws_have_the_density_of_the_wider_kernel():
    data = np.array([[0, 0, 0, 1], [1, 2, 0, 1], [1, 2, 0, 3]])
    narrow = ChoiceDensity(data, SIZES, np.array([0.05, 0.1, 0.0, 0.2]))
    wide = ChoiceDensity(data, SIZES, np.array([0.1, 0.2, 0.0, 0.4]))
    drawn = narrow.sample(100_000, 2.0, np.random.default_rng(0))
    counts = np.array([(drawn == one).all(axis=1).mean() for one in EVERYTHING])
    np.testing.assert_allclose(counts, np.exp(wide.log(EVERYTHING)), atol=4e-3)


def test_where_all_agree_nearly_all_draws_do():
    density = ChoiceDensity.of(np.tile([1, 2, 0, 3], (20, 1)), SIZES)
    drawn = density.sample(1000, 3.0, np.random.default_rng(0))
    assert (drawn == [1, 2, 0, 3]).all(axis=1).mean() > 0.95
