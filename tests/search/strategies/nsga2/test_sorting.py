"""Fast non-dominated sorting: laws, worked examples, and pymoo's."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.objectives.pareto import non_dominated
from hwnas.search.strategies.nsga2.sorting import dominates, fast_non_dominated_sort

# few values, so that there are many ties
COSTS = st.integers(1, 4).flatmap(
    lambda m: st.lists(st.lists(st.integers(0, 4), min_size=m, max_size=m), min_size=1, max_size=25)
)
VIOLATIONS = st.lists(st.sampled_from([0.0, 0.0, 0.5, 2.0, math.inf]), min_size=25, max_size=25)


def dominates_by_definition(a, b, violation_a, violation_b):
    if violation_a == violation_b == 0:
        return all(x <= y for x, y in zip(a, b, strict=True)) and any(
            x < y for x, y in zip(a, b, strict=True)
        )
    return violation_a < violation_b


@given(COSTS, VIOLATIONS)
def test_dominance_is_debs_definition(costs, violations):
    values, violations = np.array(costs, dtype=float), np.array(violations[: len(costs)])
    found = dominates(values, violations)
    for i, a in enumerate(costs):
        for j, b in enumerate(costs):
            assert found[i, j] == dominates_by_definition(a, b, violations[i], violations[j])


@given(COSTS, VIOLATIONS)
def test_fronts_are_a_partition_each_dominated_by_the_one_before(costs, violations):
    values, violations = np.array(costs, dtype=float), np.array(violations[: len(costs)])
    fronts = fast_non_dominated_sort(values, violations)
    domination = dominates(values, violations)
    assert sorted(np.concatenate(fronts).tolist()) == list(range(len(costs)))
    for before, front in zip([None, *fronts], fronts, strict=False):
        assert not domination[np.ix_(front, front)].any()
        if before is not None:
            assert domination[np.ix_(before, front)].any(axis=0).all()


@given(COSTS, st.randoms(use_true_random=False))
def test_order_and_scale_do_not_matter(costs, random):
    values, feasible = np.array(costs, dtype=float), np.zeros(len(costs))
    shuffled = random.sample(range(len(costs)), len(costs))
    fronts = fast_non_dominated_sort(values, feasible)
    again = fast_non_dominated_sort(3 * values[shuffled] - 7, feasible)
    assert [set(f.tolist()) for f in fronts] == [{shuffled[i] for i in f} for f in again]


@given(COSTS)
def test_the_first_front_is_what_nothing_dominates(costs):
    values = np.array(costs, dtype=float)
    first = fast_non_dominated_sort(values, np.zeros(len(costs)))[0]
    assert set(first.tolist()) == set(non_dominated(values).tolist())


def test_a_worked_example():
    #   2 | a       b dominates d; c dominates e; the fronts are {a, b, c} and {d, e}
    #   1 |   b d
    #   0 |     c e
    costs = np.array([[0, 2], [1, 1], [2, 0], [2, 1], [3, 0]], dtype=float)
    fronts = [f.tolist() for f in fast_non_dominated_sort(costs, np.zeros(5))]
    assert fronts == [[0, 1, 2], [3, 4]]


def test_infeasible_ones_follow_by_violation_and_undefined_ones_come_last():
    costs = np.array([[5.0], [0.0], [1.0], [0.0], [9.0]])
    violations = np.array([0.0, math.inf, 0.2, 0.1, 0.0])
    fronts = [f.tolist() for f in fast_non_dominated_sort(costs, violations)]
    assert fronts == [[0], [4], [3], [2], [1]]


@pytest.mark.parametrize("objectives", [2, 3, 4])
def test_fronts_are_pymoos(objectives):
    nds = pytest.importorskip("pymoo.util.nds.non_dominated_sorting", reason="pymoo is a dev extra")
    generator = np.random.default_rng(objectives)
    for _ in range(20):
        costs = generator.integers(0, 12, size=(80, objectives)).astype(float)
        theirs = nds.NonDominatedSorting().do(costs)
        ours = fast_non_dominated_sort(costs, np.zeros(len(costs)))
        assert [set(f.tolist()) for f in ours] == [set(np.asarray(f).tolist()) for f in theirs]
