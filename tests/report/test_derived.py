import math

import numpy as np
import pytest

from hwnas.report import derived
from hwnas.search.records import MetricInfo, Trial

from .runs import METRICS, record


def trial(number: int, status: str = "complete", reason: str = "", **metrics: float) -> Trial:
    return Trial(number, f"a{number}", status, metrics, reason)


@pytest.mark.parametrize(
    ("bounds", "metrics", "name"),
    [
        ({"params": 1e6, "latency_ms": 5}, {}, "latency_ms"),
        ({"params": 1e6, "flops": 1e8}, {"latency_ms": 1}, "params"),
        ({}, {"latency_ms": 1, "flops": 2}, "latency_ms"),
        ({}, {"params": 1, "flops": 2}, "flops"),
        ({}, {"params": 1}, "params"),
        ({}, {"other": 1}, None),
    ],
)
def test_cost_axis(bounds: dict, metrics: dict, name: str | None) -> None:
    drawn = derived.cost_axis(
        record(1, bounds=bounds, trials=[trial(0, **metrics)], candidates=[], winner=None)
    )
    assert (drawn.metric.name if drawn else None) == name


def test_states() -> None:
    bounds = {"latency_ms": 5.0}
    assert derived.state(trial(0, latency_ms=5.0), bounds) == "feasible"
    assert derived.state(trial(0, latency_ms=5.1), bounds) == "infeasible"
    assert derived.state(trial(0, latency_ms=math.nan), bounds) == "infeasible"
    assert derived.state(trial(0, naswot=1.0), bounds) == "feasible"
    assert derived.state(trial(0, "failed", latency_ms=1.0), bounds) == "failed"


def test_best_so_far_ignores_infeasible_trials_and_nan() -> None:
    found = [
        trial(0, "failed"),
        trial(1, naswot=3),
        trial(2, naswot=9, params=1e9),
        trial(3, naswot=math.nan),
    ]
    run = record(1, trials=[*found, trial(4, naswot=5)], candidates=[], winner=None)
    best = derived.best_so_far(derived.cloud(run))
    np.testing.assert_array_equal(best, [np.nan, 3, 3, 3, 5])


def test_what_is_maximised_is_maximised_whatever_the_metrics_direction() -> None:
    metrics = {**METRICS, "loss": MetricInfo("loss", "", False)}
    found = [trial(0, loss=3, latency_ms=1), trial(1, loss=2, latency_ms=2), trial(2, loss=4, latency_ms=3)]
    run = record(1, maximize="loss", metrics=metrics, trials=found, candidates=[], winner=None)
    points = derived.cloud(run)
    assert derived.best_so_far(points).tolist() == [3, 3, 4]
    assert derived.front(points).tolist() == [0, 2]


def test_counts_hold_every_trial() -> None:
    run = record(301)
    edges, groups = derived.counts(derived.cloud(run))
    assert len(edges) <= 42
    assert sum(number.sum() for number in groups.values()) == 301


def test_rejections_are_grouped() -> None:
    found = [trial(i, "infeasible", f"latency_ms {i} > 5", latency_ms=6.0 + i) for i in range(3)]
    found += [trial(3, "failed", "naswot: no ReLU"), trial(4, naswot=1.0)]
    run = record(1, trials=found, candidates=[], winner=None)
    assert derived.rejections(run) == [("over budget: latency", 3), ("failed: naswot: no ReLU", 1)]


def test_shares() -> None:
    np.testing.assert_allclose(derived.shares([1.0, None, 3.0]), [0.25, np.nan, 0.75])
    assert np.isnan(derived.shares([0.0])).all()
    assert len(derived.shares([])) == 0
