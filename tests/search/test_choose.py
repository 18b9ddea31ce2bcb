import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.search.choose import next_to_verify, verify_in_turn

NONE = np.zeros(0)
MERITS, PROBABILITIES = np.array([91.0, 93.0, 95.0, 95.0]), np.array([0.9, 0.6, 0.1, 0.1])


def chosen(merits, probabilities, best=None, most=1):
    return next_to_verify(np.array(merits, dtype=float), np.array(probabilities, dtype=float), best, most)


def test_the_largest_product_of_improvement_and_probability():
    assert chosen([91, 93, 95], [0.9, 0.6, 0.1], best=90) == [1]  # 0.9, 1.8, 0.5
    assert chosen([91, 93, 95], [0.9, 0.6, 0.1], best=92.5) == [1]  # -, 0.3, 0.25
    assert chosen([91, 93, 95], [0.9, 0.6, 0.1], best=93) == [2]


def test_nothing_is_measured_that_cannot_improve():
    assert chosen([91, 93], [1, 1], best=93) == []
    assert chosen([91, 95], [1, 0], best=93) == []
    assert chosen([91, math.nan], [0.5, 1], best=92) == []
    assert next_to_verify(NONE, NONE, None) == []


def test_without_anything_verified_a_likely_candidate_comes_first():
    assert chosen([60, 90, 95], [1, 0.95, 0.1]) == [1]
    assert chosen([90], [0.3]) == [0]
    assert chosen([90, 90], [0.3, 0.7]) == [1]
    assert chosen([90, math.nan], [0, 1]) == []
    assert chosen([-5e12, -5e12], [0.3, 0.7], most=3) == [1, 0]
    assert chosen([0, 0], [0.3, 0.7]) == [1]


def test_of_several_each_adds_to_those_before_it():
    # after 93 with 0.6, 91 improves by 0.9 * 0.4 * 1 = 0.36 and 95 by 0.1 * (0.6 * 2 + 0.4 * 5) = 0.32
    assert chosen(MERITS, PROBABILITIES, best=90, most=2) == [1, 0]
    assert chosen([93, 93, 92], [0.9, 0.9, 0.99], best=90, most=3) == [0, 1, 2]
    assert chosen([93, 92, 95], [1, 1, 0.1], best=90, most=3) == [0, 2]  # 92 adds nothing


@given(
    st.lists(st.tuples(st.integers(0, 100), st.floats(0, 1)), min_size=1, max_size=20),
    st.integers(0, 100),
    st.sampled_from([0.25, 4.0, 1024.0]),
    st.integers(1, 4),
)
def test_the_choice_does_not_depend_on_the_unit_of_the_merit(candidates, best, scale, most):
    merits, probabilities = np.array(candidates, dtype=float).T
    found = next_to_verify(merits, probabilities, best, most)
    assert next_to_verify(merits * scale, probabilities, best * scale, most) == found
    assert next_to_verify(merits * scale, probabilities, None) == next_to_verify(merits, probabilities, None)
    assert len(set(found)) == len(found) <= most and all(merits[i] > best for i in found)
    assert found[:1] == next_to_verify(merits, probabilities, best)


def test_probabilities_are_probabilities():
    with pytest.raises(ValueError, match="from 0 to 1"):
        chosen([1], [1.5])
    with pytest.raises(ValueError, match="from 0 to 1"):
        chosen([1], [math.nan])


class Device:
    """Says which of the candidates keep their budget, and in which rounds it was asked."""

    def __init__(self, good):
        self.good, self.rounds = good, []

    def __call__(self, positions):
        self.rounds.append(positions)
        return [i in self.good for i in positions]


def test_the_first_few_are_verified_together_and_the_others_one_by_one():
    device = Device({3})
    merits = np.arange(90.0, 100.0)
    assert verify_in_turn(merits, np.full(10, 0.5), 5, device) == [9, 8, 7, 6, 5]
    assert device.rounds == [[9, 8], [7], [6], [5]]


def test_outcomes_decide_what_is_verified_next():
    device = Device({1})
    assert verify_in_turn(MERITS, PROBABILITIES, 4, device, best=90) == [1, 0, 2, 3]
    assert device.rounds == [[1, 0], [2], [3]]
    every = Device({0, 1, 2, 3})
    assert verify_in_turn(MERITS, np.ones(4), 4, every) == [2]
    assert verify_in_turn(MERITS, np.ones(4), 4, every, best=95) == []


@pytest.mark.parametrize("most", [1, 2, 3, 10])
def test_never_more_than_asked_for(most):
    assert len(verify_in_turn(np.arange(50.0), np.full(50, 0.5), most, Device(set()))) == most
