"""The front of a run."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.objectives import Constraint, Objective
from hwnas.report.front import pareto_front
from hwnas.search.records import Trial
from hwnas.search.strategies import front

OBJECTIVE = Objective("accuracy")


def trials(rows, **more):
    return [
        Trial(number, more.get("names", {}).get(number, f"a{number}"), "complete", metrics)
        for number, metrics in enumerate({"latency_ms": ms, "accuracy": acc} for ms, acc in rows)
    ]


def found(trials, objective=OBJECTIVE, costs=("latency_ms",)):
    return [trial.number for trial in front(trials, objective, costs)]


def test_by_rising_cost_without_the_dominated():
    assert found(trials([(5, 0.9), (2, 0.7), (3, 0.7), (1, 0.5), (6, 0.8)])) == [3, 1, 0]


def test_constraints_hold_on_the_front():
    within = Objective("accuracy", (Constraint("latency_ms", 4),))
    assert found(trials([(5, 0.9), (2, 0.7)]), within) == [1]


def test_what_is_undefined_is_left_out_and_an_architecture_counts_once():
    known = trials([(5, math.nan), (2, 0.7), (2, 0.7)], names={2: "a1"})
    known.append(Trial(3, "a3", "failed", {"latency_ms": 1.0}))
    assert found(known) == [1]
    assert found([]) == []


def test_three_objectives():
    rows = [(1, 9, 0.5), (9, 1, 0.5), (5, 5, 0.5), (5, 6, 0.5), (9, 9, 0.9)]
    known = [
        Trial(i, f"a{i}", "complete", {"latency_ms": a, "params": b, "accuracy": c})
        for i, (a, b, c) in enumerate(rows)
    ]
    assert found(known, costs=("latency_ms", "params")) == [0, 2, 1, 4]


def test_costs_are_needed():
    with pytest.raises(ValueError, match="at least one cost"):
        front([], OBJECTIVE, [])


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30))
def test_of_two_numbers_it_is_the_reports(rows):
    reports = pareto_front([row[0] for row in rows], [row[1] for row in rows]).tolist()
    assert sorted(found(trials(rows))) == sorted(reports)
