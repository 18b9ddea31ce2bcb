import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.latency.predictors.calibration import Calibration
from hwnas.search.choose import next_to_verify, probability_within

NONE = np.zeros(0)


def chosen(merits, probabilities, best=None):
    return next_to_verify(np.array(merits, dtype=float), np.array(probabilities, dtype=float), best)


def test_the_largest_product_of_improvement_and_probability():
    assert chosen([91, 93, 95], [0.9, 0.6, 0.1], best=90) == 1  # 0.9, 1.8, 0.5
    assert chosen([91, 93, 95], [0.9, 0.6, 0.1], best=92.5) == 1  # -, 0.3, 0.25
    assert chosen([91, 93, 95], [0.9, 0.6, 0.1], best=93) == 2


def test_nothing_is_measured_that_cannot_improve():
    assert chosen([91, 93], [1, 1], best=93) is None
    assert chosen([91, 95], [1, 0], best=93) is None
    assert chosen([91, math.nan], [0.5, 1], best=92) is None
    assert next_to_verify(NONE, NONE, None) is None


def test_without_anything_verified_a_likely_candidate_comes_first():
    assert chosen([60, 90, 95], [1, 0.95, 0.1]) == 1
    assert chosen([90], [0.3]) == 0
    assert chosen([90, 90], [0.3, 0.7]) == 1
    assert chosen([90, math.nan], [0, 1]) is None


@given(
    st.lists(st.tuples(st.integers(0, 100), st.floats(0, 1)), min_size=1, max_size=20),
    st.integers(0, 100),
    st.sampled_from([0.25, 4.0, 1024.0]),
)
def test_the_choice_does_not_depend_on_the_unit_of_the_merit(candidates, best, scale):
    merits, probabilities = np.array(candidates, dtype=float).T
    found = next_to_verify(merits, probabilities, best)
    assert next_to_verify(merits * scale, probabilities, best * scale) == found
    assert next_to_verify(merits * scale, probabilities, None) == next_to_verify(merits, probabilities, None)
    assert found is None or merits[found] > best


def test_probabilities_are_probabilities():
    with pytest.raises(ValueError, match="from 0 to 1"):
        chosen([1], [1.5])
    with pytest.raises(ValueError, match="from 0 to 1"):
        chosen([1], [math.nan])


@pytest.mark.parametrize("calibration", [Calibration((), 6.0), Calibration((-1.5, -0.2, 0.1, 0.4, 1.1))])
def test_the_bound_that_a_posterior_states_is_kept_with_its_probability(calibration):
    predicted, std = np.array([2.0, 5.0]), np.array([0.1, 0.03])
    assert probability_within(2.0, predicted[:1], std[:1], calibration) == pytest.approx(0.5)
    if calibration.freedom is not None:
        upper = predicted * (1 + calibration.upper(0.9) * std)
        for index in range(2):
            found = probability_within(upper[index], predicted[index:][:1], std[index:][:1], calibration)
            assert found == pytest.approx(0.9)


def test_scores_widen_the_distribution():
    narrow, wide = Calibration((-0.1, 0.0, 0.1)), Calibration((-1.0, 0.0, 1.0))
    one, std = np.ones(1), np.full(1, 0.1)
    assert probability_within(1.1, one, std, narrow) > probability_within(1.1, one, std, wide) > 0.5
    expected = 0.5 + 0.5 * (1.5 / math.sqrt(1.5**2 + 2))  # t of 2 degrees of freedom in closed form
    spread = math.sqrt(2 / 3)
    found = probability_within(1 + 0.1 * spread * 1.5, one, std, wide)
    assert found == pytest.approx(expected)
