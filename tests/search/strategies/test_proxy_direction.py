"""The direction of a proxy is the same for every strategy, in a run and on recorded results."""

from dataclasses import dataclass

import numpy as np
import pytest

from hwnas.cost import count
from hwnas.network import Builder
from hwnas.objectives import Constraint, Objective
from hwnas.search import run
from hwnas.search.comparison.contestants import contestants
from hwnas.search.comparison.recorded import counted, recorded_space
from hwnas.search.comparison.simulate import simulate
from hwnas.search.metrics import CountMetric, merit
from hwnas.search.screen import Screen
from hwnas.search.strategies import NSGA2
from hwnas.search.strategies.predictor.features import Features
from hwnas.search.strategies.proxy_fitness import proxy_fitness
from hwnas.spaces import SearchSpace
from tests.search.toy import Value

ACCURACY = Objective("accuracy")


class Widths(SearchSpace):
    """Three convolutions of up to 4 channels."""

    name = "widths"
    decisions = {f"channels{i}": (1, 2, 3, 4) for i in range(3)}

    def network(self, architecture):
        b = Builder()
        x = b.input(3, 8, 8)
        for channels in architecture.values():
            x = b.conv(x, channels)
        return b.build(b.linear(b.global_average_pool(x), 2))

    def __str__(self):
        return "tests.search.strategies.test_proxy_direction:Widths"


@dataclass(frozen=True)
class Accuracy(Value):
    """Rises with the parameters."""

    name: str = "accuracy"
    unit: str = "fraction"

    def __call__(self, architecture):
        return 1 - 1 / count(architecture.network).live.params


@pytest.mark.parametrize(
    ("metric", "sign"),
    [
        (CountMetric("live_params"), 1),
        (CountMetric("flops"), 1),
        (Value("synflow", higher_is_better=True), 1),
        (Value("latency_ms", higher_is_better=False), -1),
    ],
    ids=lambda one: getattr(one, "name", ""),
)
def test_merit(metric, sign):
    assert merit(metric, 7.0) == sign * 7.0


def test_more_of_a_count_is_fitter_and_its_bound_still_comes_first():
    objective = Objective("accuracy", (Constraint("live_params", 50.0),))
    screen = Screen(objective, {"live_params": CountMetric("live_params")})
    few, many, too_many = (
        proxy_fitness(objective, {"live_params": value}, "live_params", screen)
        for value in (10.0, 50.0, 60.0)
    )
    assert too_many < few < many


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_surrogates_and_searches_agree_on_what_is_promising(higher_is_better):
    architectures = Widths().sample(20, seed=0)
    for metric in (CountMetric("params"), Value("proxy", higher_is_better=higher_is_better)):
        screen = Screen(ACCURACY, {metric.name: metric})
        promise = Features.of(Widths(), [metric], architectures)(architectures).promise
        scores = [
            proxy_fitness(ACCURACY, {metric.name: metric(one)}, metric.name, screen).score
            for one in architectures
        ]
        assert np.corrcoef(promise, np.argsort(np.argsort(scores)))[0, 1] > 0.9


def test_a_count_that_is_a_score_in_a_comparison_is_a_cost_of_nsga2_too(recorded):
    NSGA2(Widths(), ACCURACY, costs=["live_params"]).check(recorded.metrics)


SEARCHES = {
    "move": {"move_by": "live_params", "population": 4, "tournament": 2},
    "area": {"warm_up": 20, "warm_up_by": "live_params", "population": 4},
    "evolution": {"warm_up": 20, "warm_up_by": "live_params", "population": 4},
    "random_warm_up": {"warm_up": 20, "warm_up_by": "live_params"},
    "naswot": {"samples": 20, "score_by": "live_params"},
    "reinforce": {"warm_up": 20, "warm_up_by": "live_params", "learning_rate": 0.3},
    "chamnet": {"predict_by": "live_params", "population": 8, "generations": 3},
    "bananas": {"proxies": "live_params", "initial": 4},
}
BUDGET = 6


@pytest.fixture(scope="module")
def recorded():
    return recorded_space(Widths(), ACCURACY, {"accuracy": Accuracy(), **counted(["live_params"])})


@pytest.mark.parametrize(("strategy", "settings"), SEARCHES.items(), ids=list(SEARCHES))
def test_a_run_and_a_simulation_by_a_count_find_the_same_and_it_is_large(
    strategy, settings, recorded, tmp_path
):
    found = run(
        Widths(),
        maximize="accuracy",
        metrics={"accuracy": Accuracy()},
        strategy=strategy,
        strategy_settings=settings,
        budget=BUDGET,
        seed=1,
        folder=tmp_path,
        candidates=1,
    )
    text = ",".join(f"{name}={value}" for name, value in settings.items())
    (contestant,) = contestants([f"{strategy}:{text}"])
    simulated = simulate(recorded, ACCURACY, contestant, queries=BUDGET, seed=1)
    assert Widths().parse(found.best().architecture).encoding == simulated.answer
    everything = sorted(Accuracy()(one) for one in Widths())
    assert found.best().metrics["accuracy"] >= everything[-8]
