"""Values that cannot be compared make a trial fail, whoever gave them."""

import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.objectives import Constraint, Objective
from hwnas.search.evaluate import Evaluator
from tests.search.toy import Toy

SPACE = Toy()
OBJECTIVE = Objective("value", (Constraint("cost", 10.0),))
ARCHITECTURE = SPACE.from_encoding((0,) * 6)


@dataclass(frozen=True)
class Given:
    """A metric that always gives the same."""

    name: str
    value: float
    unit: str = ""
    higher_is_better: bool = True
    expensive: bool = False

    def __call__(self, architecture):
        return self.value


def outcome(value=1.0, cost=1.0):
    metrics = {"value": Given("value", value), "cost": Given("cost", cost)}
    return Evaluator(SPACE, OBJECTIVE, metrics)(ARCHITECTURE, "value")


@pytest.mark.parametrize("wrong", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("name", ["value", "cost"])
def test_a_value_that_is_not_finite_fails(name, wrong):
    found = outcome(**{name: wrong})
    assert (found.status, found.reason) == ("failed", f"{name} must be a finite number, not {wrong}")
    assert name not in found.metrics


def test_a_negative_cost_fails_and_a_negative_value_does_not():
    found = outcome(cost=-1.0)
    assert found.status == "failed"
    assert found.reason == "cost has an upper bound, so it must be at least 0, not -1"
    assert outcome(value=-1.0).status == "complete"


@given(st.floats(), st.floats())
def test_whatever_is_complete_is_finite_and_keeps_the_bound(value, cost):
    found = outcome(value, cost)
    if found.status == "complete":
        assert math.isfinite(value) and 0 <= cost <= 10
    else:
        assert found.reason


def test_the_objective_is_evaluated_only_where_it_is_asked_for_and_the_bounds_are_kept():
    metrics = {"value": Given("value", 1.0), "cost": Given("cost", 1.0), "proxy": Given("proxy", 2.0)}
    evaluator = Evaluator(SPACE, OBJECTIVE, metrics)
    assert set(evaluator(ARCHITECTURE, "proxy").metrics) == {"cost", "proxy"}
    over = Evaluator(SPACE, OBJECTIVE, {**metrics, "cost": Given("cost", 11.0)})
    assert set(over(ARCHITECTURE, "value").metrics) == {"cost", "proxy"}
