"""Crowding distance: laws, a worked example, and pymoo's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.search.strategies.nsga2.crowding import crowding_distance

COSTS = st.integers(1, 3).flatmap(
    lambda m: st.lists(st.lists(st.integers(-50, 50), min_size=m, max_size=m), min_size=1, max_size=20)
)


def test_a_worked_example():
    costs = np.array([[0.0, 4.0], [1.0, 2.0], [3.0, 1.0], [4.0, 0.0]])
    # of the second: (3 - 0) / 4 + (4 - 1) / 4
    assert crowding_distance(costs).tolist() == [np.inf, 1.5, 1.25, np.inf]


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_are_never_crowded(n):
    assert crowding_distance(np.zeros((n, 2))).tolist() == [np.inf] * n


def test_where_all_are_equal_all_are_crowded():
    assert crowding_distance(np.ones((4, 2))).tolist() == [0.0] * 4


@given(COSTS)
def test_the_ends_of_each_objective_are_infinitely_far(costs):
    values = np.array(costs, dtype=float)
    distance = crowding_distance(values)
    assert (distance >= 0).all()
    for cost in values.T:
        if np.ptp(cost) > 0 and len(values) > 2:
            assert np.isinf(distance[cost == cost.min()]).any()
            assert np.isinf(distance[cost == cost.max()]).any()


@given(COSTS, st.floats(0.01, 100), st.floats(-100, 100))
def test_units_do_not_matter(costs, scale, shift):
    values = np.array(costs, dtype=float)
    assert crowding_distance(values * scale + shift) == pytest.approx(crowding_distance(values))


def test_distances_are_pymoos():
    metrics = pytest.importorskip(
        "pymoo.operators.survival.rank_and_crowding.metrics", reason="pymoo is a dev extra"
    )
    generator = np.random.default_rng(0)
    for objectives in (2, 3):
        costs = generator.random((40, objectives))
        theirs = metrics.calc_crowding_distance(costs) * objectives  # pymoo's is the mean
        assert crowding_distance(costs) == pytest.approx(theirs)
