"""NAS-Bench-201, CIFAR-10: what evolution reaches with 300 trained networks, with 30."""

import csv
from dataclasses import dataclass

import numpy as np
import pytest

from hwnas.cost import count
from hwnas.objectives import Objective
from hwnas.search.screen import Screen
from hwnas.search.strategies import BANANAS, BRPNAS, BayesianOptimization, RegularizedEvolution
from hwnas.spaces import NASBench201
from tests.search.strategies.told import searched

SPACE = NASBench201()
ACCURACY = Objective("accuracy")
REPEATS = 15


@dataclass(frozen=True, eq=False)
class Recorded:
    name: str
    values: dict
    unit: str = ""
    higher_is_better: bool = True
    expensive: bool = False

    def __call__(self, architecture):
        return self.values[architecture.encoding]


@pytest.fixture(scope="module")
def proxies():
    counts = {architecture.encoding: count(architecture.network).live for architecture in SPACE}
    return {
        name: Recorded(name, {encoding: float(getattr(one, field)) for encoding, one in counts.items()})
        for name, field in (("live_params", "params"), ("live_activations", "activations"))
    }


@pytest.fixture
def accuracy(nasbench201_csv):
    with nasbench201_csv.open() as file:
        return {
            SPACE.parse(row["arch"]).encoding: float(row["test_accuracy"]) for row in csv.DictReader(file)
        }


def curves(make, accuracy, trials, metrics=None, *, repeats=REPEATS):
    def told(proposal):
        return {"accuracy": accuracy[proposal.architecture.encoding]}

    screen = Screen(ACCURACY, metrics or {})
    runs = [searched(make(seed), told, trials=trials, screen=screen) for seed in range(repeats)]
    return np.maximum.accumulate([[values["accuracy"] for _, values in run] for run in runs], axis=1)


@pytest.mark.parametrize("kind", [BayesianOptimization, BANANAS, BRPNAS])
def test_with_counts_as_proxies_the_optimum_comes_within_60_networks(kind, accuracy, proxies):
    found = curves(
        lambda seed: kind(SPACE, ACCURACY, proxies=list(proxies), seed=seed),
        accuracy,
        60,
        proxies,
        repeats=3,
    )
    assert (found[:, -1] == max(accuracy.values())).mean() >= 0.5


def test_bayesian_with_30_networks_is_as_good_as_evolution_with_300(accuracy, proxies):
    evolution = curves(lambda seed: RegularizedEvolution(SPACE, ACCURACY, seed=seed), accuracy, 300)
    guided = curves(
        lambda seed: BayesianOptimization(SPACE, ACCURACY, proxies=list(proxies), seed=seed),
        accuracy,
        30,
        proxies,
    )
    assert np.median(guided[:, -1]) >= np.median(evolution[:, -1])
