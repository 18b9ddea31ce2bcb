import math

from hypothesis import given
from hypothesis import strategies as st

from hwnas.objectives import Constraint, Objective

OBJECTIVE = Objective("accuracy", (Constraint("latency_ms", 5.0), Constraint("params", 1e6)))


def fitness(accuracy, latency, params=1.0):
    return OBJECTIVE.fitness({"accuracy": accuracy, "latency_ms": latency, "params": params})


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 5), st.floats(5.01, 100))
def test_any_feasible_beats_any_infeasible(good, bad, fast, slow):
    assert fitness(bad, fast) > fitness(good, slow)


@given(st.floats(0, 1), st.floats(0, 1))
def test_feasible_ones_are_ordered_by_the_metric(a, b):
    assert (fitness(a, 1) > fitness(b, 1)) == (a > b)


@given(st.floats(5.1, 50), st.floats(5.1, 50))
def test_infeasible_ones_are_ordered_by_violation(a, b):
    assert (fitness(0.9, a) > fitness(0.1, b)) == (a < b)


def test_undefined_comes_last():
    assert fitness(math.nan, 1) < fitness(0.1, 1000)
    assert OBJECTIVE.fitness({}) < fitness(0.1, 1000)


def test_a_missing_constraint_metric_is_not_feasible():
    assert not OBJECTIVE.is_feasible({"accuracy": 1.0, "latency_ms": 1.0})


def test_partial_metrics_of_an_infeasible_trial_show_the_violation():
    assert OBJECTIVE.fitness({"latency_ms": 10.0}).rank == 1


def test_another_metric_to_maximise():
    metrics = {"latency_ms": 1.0, "params": 1.0, "naswot": 7.0}
    assert OBJECTIVE.fitness(metrics, "naswot").score == 7.0
