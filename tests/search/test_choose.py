import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.search.choose import next_to_verify

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
