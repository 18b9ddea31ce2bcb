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


ARCHITECTURES = [SPACE.from_encoding((first, 0, 0, 0, 0, 0)) for first in range(4)]
SAME_NETWORK = SPACE.from_encoding((0, 1, 0, 0, 0, 0))


def key_of(text):
    return SPACE.parse(text).network.key


def found(*trials, objective=OBJECTIVE, metrics=METRICS, verified=()):
    return prospects(trials, objective, metrics, SPACE, key_of, verified)


def numbers(given):
    return [trial.number for trial in given.trials]


def test_probabilities_are_products_over_the_constraints():
    sometimes = Objective("value", (Constraint("latency_ms", 9.0), Constraint("energy_mj", 9.0)))
    energy = PredictedMetric("energy_mj", Predictor(), 0.9)
    given = found(
        trial(0, ARCHITECTURES[0], energy_mj=12.0, predicted_energy_mj=9.0),
        objective=sometimes,
        metrics={**METRICS, "energy_mj": energy},
    )
    assert given.probabilities.tolist() == [pytest.approx(0.01)]
    assert found(trial(0, ARCHITECTURES[0])).probabilities.tolist() == [0.5]


def test_what_certainly_breaks_a_constraint_is_left_out():
    assert numbers(found(trial(0, ARCHITECTURES[0], params=101.0), trial(1, ARCHITECTURES[1]))) == [1]


def test_a_constraint_that_was_never_computed_counts_as_broken():
    """Where a first expensive metric breaks its bound, a second one is not computed any more."""
    assert numbers(found(trial(0, ARCHITECTURES[0], params=None), trial(1, ARCHITECTURES[1]))) == [1]


def test_one_trial_without_a_prediction_leaves_the_others_theirs():
    given = found(
        trial(0, ARCHITECTURES[0], predicted_latency_ms=None, latency_ms=9.0), trial(1, ARCHITECTURES[1])
    )
    assert given.probabilities.tolist() == [1.0, 0.5]


def test_trials_that_only_a_bound_rules_out_are_prospects():
    given = found(trial(0, ARCHITECTURES[0], status="infeasible", value=3.0), trial(1, ARCHITECTURES[1]))
    assert given.merits.tolist() == [3.0, 1.0]


def test_failed_trials_and_those_without_the_metric_are_none():
    given = found(
        trial(0, ARCHITECTURES[0], status="failed"),
        trial(1, ARCHITECTURES[1], value=None),
        trial(2, ARCHITECTURES[2]),
    )
    assert numbers(given) == [2]
    assert found().merits.shape == found().probabilities.shape == (0,)


def test_of_each_network_the_best_trial():
    given = found(
        trial(0, ARCHITECTURES[0]),
        trial(1, ARCHITECTURES[1]),
        trial(2, SAME_NETWORK, value=9.0),
        trial(3, ARCHITECTURES[0], value=9.0),
    )
    assert numbers(given) == [2, 1]


def test_networks_that_are_verified_are_left_out():
    given = [trial(0, ARCHITECTURES[0]), trial(1, ARCHITECTURES[1]), trial(2, SAME_NETWORK)]
    assert numbers(found(*given, verified={key_of(str(SAME_NETWORK))})) == [1]


def test_a_plain_prediction_is_certain():
    plain = {**METRICS, "latency_ms": PredictedMetric("latency_ms", Predictor())}
    given = found(
        trial(0, ARCHITECTURES[0], latency_ms=9.0, predicted_latency_ms=None),
        trial(1, ARCHITECTURES[1], latency_ms=11.0, predicted_latency_ms=None),
        metrics=plain,
    )
    assert numbers(given) == [0] and given.probabilities.tolist() == [1.0]
