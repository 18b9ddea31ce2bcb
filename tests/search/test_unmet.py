"""Why a run has no answer: the nearest network, or the metric that is undefined."""

import pytest

from hwnas import search
from hwnas.objectives import MetricError
from hwnas.spaces import MobileNetV2, NASBench201
from tests.search.runs import run
from tests.search.toy import Cost, Value


def test_a_bound_that_nothing_meets_names_the_nearest(tmp_path):
    with pytest.raises(search.NothingFeasibleError) as caught:
        run(tmp_path / "run", subject_to=["cost <= 0.5"])
    trials = search.load(tmp_path / "run").record.trials
    nearest = min(trials, key=lambda trial: trial.metrics["cost"])
    assert str(caught.value) == (
        f"none of {len(trials)} trials satisfies cost <= 0.5; the nearest, {nearest.architecture}, has "
        f"cost {nearest.metrics['cost']:g} ({100 * (nearest.metrics['cost'] / 0.5 - 1):,.1f} % too much)"
    )


def test_a_run_that_found_nothing_says_so_again(tmp_path):
    bound = {"maximize": "macs", "metrics": {}, "runtime": "tinyengine", "budget": 3, "strategy": "random"}
    space = MobileNetV2(resolution=32, classes=10, width=0.25)
    with pytest.raises(search.NothingFeasibleError) as caught:
        run(
            tmp_path / "run",
            space=space,
            subject_to=["peak_sram_bytes <= 1kB"],
            strategy_settings={},
            **bound,
        )
    with pytest.raises(search.NothingFeasibleError) as again:
        search.load(tmp_path / "run").best()
    facts = str(caught.value).partition("; the nearest, ")[2]
    assert "has peak_sram_bytes " in facts and " kB (" in facts
    assert str(again.value) == f"no architecture satisfies peak_sram_bytes <= 1.0 kB; the nearest, {facts}"


def test_a_run_that_was_interrupted_is_not_called_infeasible(tmp_path):
    run(tmp_path / "run")
    (tmp_path / "run" / "outcome.json").unlink()
    with pytest.raises(
        search.NothingFeasibleError, match="run has no verified network yet; repeat its search"
    ):
        search.load(tmp_path / "run").best()


def test_a_metric_that_is_undefined_everywhere_is_named_with_its_reason(tmp_path):
    lacking = {
        "metrics": {},
        "maximize": "macs",
        "runtime": "tinyengine",
        "budget": 12,
        "space": NASBench201(channels=4, cells=1),
    }
    for folder, bounds in (
        ("a", ["peak_sram_bytes <= 320kB"]),
        ("b", ["params <= 1", "peak_sram_bytes <= 9kB"]),
    ):
        with pytest.raises(search.NothingFeasibleError) as caught:
            run(tmp_path / folder, subject_to=bounds, **lacking)
        told = str(caught.value)
        assert "peak_sram_bytes is defined for none of them" in told and "operator" in told
        with pytest.raises(
            search.NothingFeasibleError, match=r"no architecture satisfies .* kB.*[:;] .*has "
        ):
            search.load(tmp_path / folder).best()
        assert ("the nearest, |" in told) == (folder == "b")
    assert "params" in told.partition("the nearest")[2]


class Undefined(Value):
    def __call__(self, architecture):
        raise MetricError("bad")


def test_a_maximised_metric_that_is_undefined_where_the_constraints_hold(tmp_path):
    with pytest.raises(
        search.NothingFeasibleError, match=r"value is defined for none of .* that satisfy cost <= 1.*: bad"
    ):
        run(tmp_path / "run", metrics={"value": Undefined(), "cost": Cost()}, subject_to=["cost <= 17"])
    with pytest.raises(
        search.NothingFeasibleError, match=r"none of (\d+) trials satisfies value <= 3.*for \1 of them: bad"
    ):
        run(
            tmp_path / "other",
            metrics={"value": Undefined(), "cost": Cost(higher_is_better=True)},
            maximize="cost",
            subject_to=["value <= 3"],
        )
