import math

import pytest

from hwnas.objectives import Constraint, Objective
from hwnas.search.metrics import CountMetric, PredictedMetric
from hwnas.search.prospects import prospects
from hwnas.search.records import Trial
from tests.search.toy import Toy

SPACE = Toy()
OBJECTIVE = Objective("value", (Constraint("latency_ms", 10.0), Constraint("params", 100.0)))


class Predictor:
    """A probability of a half where the bound is met, a tenth where it is not."""

    def predict(self, networks):
        return [5.0 for _ in networks]

    def probability_within(self, networks, bound):
        return [0.5 if bound >= 10 else 0.1 for _ in networks]


METRICS = {
    "latency_ms": PredictedMetric("latency_ms", Predictor(), 0.9),
    "predicted_latency_ms": PredictedMetric("predicted_latency_ms", Predictor()),
    "params": CountMetric("params"),
}


def trial(number, architecture, status="complete", **metrics):
    given = {"value": 1.0, "latency_ms": 12.0, "predicted_latency_ms": 9.0, "params": 50.0, **metrics}
    kept = {name: value for name, value in given.items() if value is not None}
    return Trial(number, str(architecture), status, kept)


ARCHITECTURES = SPACE.sample(4, seed=0)


def found(*trials):
    return prospects(trials, OBJECTIVE, METRICS, SPACE)


def test_probabilities_are_products_over_the_constraints():
    given = [trial(0, ARCHITECTURES[0]), trial(1, ARCHITECTURES[1], params=101.0)]
    assert found(*given).probabilities.tolist() == [0.5, 0.0]


def test_trials_that_only_a_bound_rules_out_are_prospects():
    given = found(trial(0, ARCHITECTURES[0], status="infeasible", value=3.0), trial(1, ARCHITECTURES[1]))
    assert given.merits.tolist() == [3.0, 1.0]
    assert given.next(set(), None) == given.trials[0]


def test_failed_trials_and_those_without_the_metric_are_none():
    given = found(
        trial(0, ARCHITECTURES[0], status="failed"),
        trial(1, ARCHITECTURES[1], value=None),
        trial(2, ARCHITECTURES[2]),
        trial(3, ARCHITECTURES[2], value=9.0),
    )
    assert [one.number for one in given.trials] == [2]


def test_the_next_is_not_one_that_was_tried_nor_one_that_cannot_improve():
    given = found(trial(0, ARCHITECTURES[0], value=3.0), trial(1, ARCHITECTURES[1], value=2.0))
    first = given.next(set(), None)
    assert first is not None and first.number == 0
    second = given.next({first.architecture}, 1.0)
    assert second is not None and second.number == 1
    assert given.next({first.architecture}, 2.0) is None
    assert given.merits.tolist() == [3.0, 2.0]


def test_a_plain_prediction_is_certain():
    plain = {**METRICS, "latency_ms": PredictedMetric("latency_ms", Predictor())}
    given = [trial(0, ARCHITECTURES[0], latency_ms=9.0, predicted_latency_ms=None)]
    assert prospects(given, OBJECTIVE, plain, SPACE).probabilities.tolist() == [1.0]
    given = [trial(0, ARCHITECTURES[0], latency_ms=11.0, predicted_latency_ms=None)]
    assert prospects(given, OBJECTIVE, plain, SPACE).probabilities == pytest.approx([0.0])
    assert not math.isnan(prospects(given, OBJECTIVE, plain, SPACE).merits[0])
