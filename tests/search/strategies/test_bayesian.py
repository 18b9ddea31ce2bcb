import numpy as np
import pytest

from hwnas.search.strategies.bayesian import expected_improvement


def test_expected_improvement_is_the_mean_of_what_is_gained():
    generator = np.random.default_rng(0)
    for mean, std, best in [(0.0, 1.0, 0.5), (2.0, 0.3, 1.0), (-1.0, 0.5, 0.0)]:
        draws = generator.normal(mean, std, 400_000)
        found = expected_improvement(np.array([mean]), np.array([std]), best)[0]
        assert found == pytest.approx(np.maximum(draws - best, 0).mean(), abs=4e-3)
