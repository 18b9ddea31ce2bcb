"""The rules of a simulated search: what counts as a query, what is told, when it ends."""

import math

import numpy as np
import pytest

from hwnas.search.comparison import Contestant, simulate
from hwnas.search.comparison.simulate import MOST_WITHOUT_TRAINING
from hwnas.search.strategy import Proposal, Strategy
from tests.search.comparison.tables import BOUNDED, FREE, METRICS, RANDOM, Small, accuracy, cost, recorded


class Listed(Strategy):
    """Asks for the encodings of a list, by the metrics beside them, and keeps what it is told."""

    def __init__(self, space, objective, *, order, log, seed=0):
        super().__init__(space, objective, seed=seed)
        self.waiting, self.log = list(order), log

    def ask(self):
        if not self.waiting:
            return None
        encoding, maximize = self.waiting.pop(0)
        return Proposal(self.space.from_encoding(encoding), maximize)

    def tell(self, proposal, metrics):
        self.log.append((proposal.architecture.encoding, dict(metrics)))


class Stuck(Strategy):
    """Asks for the same again and again."""

    def ask(self):
        return Proposal(self.space.from_encoding((0, 0, 0)), self.objective.maximize)

    def tell(self, proposal, metrics):
        pass


def listed(order, objective=BOUNDED, queries=5, proxies=()):
    log = []
    contestant = Contestant("listed", Listed, {"order": order, "log": log}, proxies)
    return simulate(recorded(objective), objective, contestant, queries=queries, seed=0), log


def test_infeasible_and_known_networks_are_no_queries():
    good, better, over = (0, 0, 0), (3, 0, 1), (3, 3, 3)
    done, log = listed([(e, "accuracy") for e in (over, good, over, good, better, good)])
    assert [encoding for encoding, _ in log] == [over, good, over, good, better, good]
    assert log[0][1] == {"cost": cost(*over)}
    assert log[1][1] == log[3][1] == {"cost": cost(*good), "accuracy": accuracy(*good)}
    assert (done.trained, done.proposals, done.infeasible, done.steps) == (2, 6, 2, 6)
    assert done.answer == better
    np.testing.assert_array_equal(done.best, [accuracy(*good)] + [accuracy(*better)] * 4)
    np.testing.assert_array_equal(done.seconds, [10, 23, math.nan, math.nan, math.nan])


@pytest.mark.parametrize(("budget_s", "trained"), [(33, 2), (34, 3), (9, 0), (math.inf, 3)])
def test_a_training_that_would_end_after_the_budget_is_not_begun(budget_s, trained):
    order = [((0, 0, 0), "accuracy"), ((3, 0, 1), "accuracy"), ((1, 0, 1), "accuracy")]  # 10, 13 and 11 s
    contestant = Contestant("listed", Listed, {"order": order, "log": []})
    done = simulate(recorded(), FREE, contestant, queries=5, seed=0, budget_s=budget_s)
    assert done.trained == trained
    assert np.isfinite(done.seconds).sum() == trained
    assert done.answer == ((3, 0, 1) if trained > 1 else None)


def test_the_best_does_not_fall():
    done, _ = listed([((3, 0, 1), "accuracy"), ((0, 0, 0), "accuracy")], queries=2)
    assert done.best.tolist() == [accuracy(3, 0, 1)] * 2


def test_proxies_cost_nothing_and_are_told_where_they_are_defined():
    done, log = listed([((1, 1, 1), "proxy"), ((0, 1, 1), "proxy"), ((3, 3, 3), "proxy")])
    assert log[0][1] == {"cost": cost(1, 1, 1), "proxy": accuracy(1, 1, 1)}
    assert log[1][1] == {"cost": cost(0, 1, 1)}
    assert log[2][1] == {"cost": cost(3, 3, 3), "proxy": accuracy(3, 3, 3)}
    assert (done.trained, done.answer, done.steps) == (0, None, 3)
    assert np.isnan(done.best).all()


def test_what_is_not_recorded_is_refused():
    with pytest.raises(ValueError, match="asks for naswot, which is not recorded; recorded: accuracy, cost"):
        listed([((0, 0, 0), "naswot")])
    with pytest.raises(ValueError, match=r"asks for accuracy@0.5, and only whole trainings"):
        listed([((0, 0, 0), "accuracy@0.5")])


def test_a_strategy_that_trains_nothing_new_is_given_up():
    done = simulate(recorded(), FREE, Contestant("stuck", Stuck), queries=3, seed=0)
    assert (done.trained, done.proposals) == (1, MOST_WITHOUT_TRAINING + 1)
    assert done.best.tolist() == [accuracy(0, 0, 0)] * 3


def test_seconds_are_unknown_where_they_are_not_recorded():
    without = {name: one for name, one in METRICS.items() if name != "seconds"}
    done = simulate(recorded(metrics=without), FREE, RANDOM, queries=3, seed=0)
    assert np.isnan(done.seconds).all() and done.trained == 3


@pytest.mark.parametrize("objective", [FREE, BOUNDED])
def test_random_search_over_everything_finds_the_optimum(objective):
    found = recorded(objective)
    most = int(found.feasible(objective).sum())
    done = simulate(found, objective, RANDOM, queries=most, seed=0)
    assert (done.trained, done.best[-1]) == (most, found.optimum(objective))
    assert METRICS["accuracy"](Small().from_encoding(done.answer)) == done.best[-1]
