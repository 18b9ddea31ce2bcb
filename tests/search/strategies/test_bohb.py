"""BOHB: which results its model knows, and that what it proposes is better than chance."""

import numpy as np
import pytest

from hwnas.objectives import Objective
from hwnas.search import run
from hwnas.search.fidelity import split
from hwnas.search.strategies import BOHB
from tests.search.strategies.told import BOUNDED, SUM, best, metrics_of, searched, toy_screen
from tests.search.toy import Toy, Value


def partial_sum(proposal):
    """The toy's value times the part of the training."""
    name, part = split(proposal.maximize)
    assert name == "value"
    return {"cost": 1.0, proposal.maximize: part * sum(proposal.architecture.encoding)}


def mean_drawn(done, part):
    """The mean of the sums of those first trained for this part."""
    return np.mean([sum(p.architecture.encoding) for p, _ in done if p.fidelity == part])


@pytest.mark.parametrize("ahead", [1, 8])
def test_with_full_trainings_alone_it_is_a_model_based_search(ahead):
    done = searched(BOHB(Toy(), SUM, rungs=1, seed=0), trials=150, ahead=ahead)
    assert {p.maximize for p, _ in done} == {"value"}
    assert len({p.architecture for p, _ in done}) == 150
    assert sum(best(done)) >= 22


def test_a_third_is_random_and_the_rest_better_than_random():
    done = searched(BOHB(Toy(), SUM, rungs=1, seed=1), trials=200)
    sums = np.array([sum(p.architecture.encoding) for p, _ in done[50:]])
    assert 0.15 < (sums <= 12).mean() < 0.4
    assert np.median(sums) > 14


def test_the_model_learns_from_the_longest_part_with_enough_results():
    strategy = BOHB(Toy(), SUM, eta=3, rungs=2, seed=2)
    for part, count in ((1 / 3, 9), (1.0, 8)):
        strategy._results[part] = [(part, one) for one in Toy().sample(count, seed=0)]
    assert strategy._informative() is strategy._results[1 / 3]
    strategy._results[1.0].append((1.0, Toy().sample(1, seed=1)[0]))
    assert strategy._informative() is strategy._results[1.0]


def test_brackets_begin_with_ever_better_networks():
    done = searched(BOHB(Toy(), SUM, seed=0), partial_sum, trials=200, ahead=4)
    parts = sorted({p.fidelity for p, _ in done})
    assert parts == pytest.approx([1 / 9, 1 / 3, 1], abs=1e-5)
    assert mean_drawn(done[100:], parts[0]) > mean_drawn(done[:30], parts[0]) + 3


def test_a_screened_bound_is_kept_by_the_model_too():
    done = searched(BOHB(Toy(), BOUNDED, rungs=1, seed=0), metrics_of, trials=80, screen=toy_screen())
    assert all(values["cost"] <= 10 for _, values in done)


def test_a_run_is_resumed_as_if_it_had_not_been_left(tmp_path):
    def trials(folder, budget):
        found = run(
            Toy(),
            maximize="value",
            metrics={"value": Value()},
            strategy="bohb",
            strategy_settings={"rungs": 1},
            budget=budget,
            seed=1,
            folder=folder,
            candidates=1,
        )
        return [(trial.architecture, dict(trial.metrics)) for trial in found.record.trials]

    whole = trials(tmp_path / "whole", 30)
    trials(tmp_path / "left", 17)
    assert trials(tmp_path / "left", 30) == whole


def test_settings_that_do_not_fit():
    with pytest.raises(ValueError, match="eta must be at least 2"):
        BOHB(Toy(), Objective("value"), eta=1)
