"""Strategies in real runs: a folder that was left in the middle ends as one that was not."""

from dataclasses import dataclass

import pytest

import hwnas.search.strategies  # noqa: F401  (registers them)
from hwnas.search import load, run
from tests.search.toy import Cost, Toy, Value


@dataclass(frozen=True)
class Proxy(Value):
    name: str = "proxy"
    expensive: bool = True


RUNS = {
    "area": {"warm_up": 40, "warm_up_by": "proxy"},
    "naswot": {"samples": 40, "score_by": "proxy"},
    "random_warm_up": {"warm_up": 40, "warm_up_by": "proxy"},
    "move": {"move_by": "proxy", "population": 8, "tournament": 3},
    "local_search": {},
    "nsga2": {"population": 12},
    "chamnet": {"predict_by": "proxy", "population": 10, "generations": 5},
}


@pytest.mark.parametrize(("strategy", "settings"), RUNS.items(), ids=list(RUNS))
def test_a_run_that_is_left_and_resumed_equals_one_that_is_not(strategy, settings, tmp_path):
    def searched(folder, budget):
        run(
            Toy(),
            maximize="value",
            subject_to=["cost <= 10"],
            metrics={"value": Value(), "cost": Cost(), "proxy": Proxy()},
            strategy=strategy,
            strategy_settings=settings,
            budget=budget,
            seed=3,
            folder=folder,
            candidates=1,
        )
        trials = load(folder, Toy()).record.trials
        return [(trial.architecture, trial.status, dict(trial.metrics)) for trial in trials]

    whole = searched(tmp_path / "whole", 60)
    left = searched(tmp_path / "left", 7)
    assert left == whole[: len(left)]
    assert len(left) < len(whole) or strategy == "naswot"  # which evaluates one network
    assert searched(tmp_path / "left", 60) == whole
    feasible = [
        metrics["value"] for _, status, metrics in whole if status == "complete" and "value" in metrics
    ]
    assert load(tmp_path / "left", Toy()).record.candidates[0].predicted["value"] == max(feasible)
