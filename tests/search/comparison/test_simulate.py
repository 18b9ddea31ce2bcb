"""The rules of a simulated search: what counts as a query, what is told, when it ends."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.search.comparison import Contestant, simulate
from hwnas.search.loop import MOST_IDLE
from hwnas.search.strategy import Proposal, Strategy
from tests.search.comparison.tables import (
    BOUNDED,
    FREE,
    METRICS,
    PARTS,
    RANDOM,
    Small,
    accuracy,
    cost,
    recorded,
)


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


class TrainsAll(Listed):
    trains_infeasible = True


class Stuck(Strategy):
    """Asks for the same again and again."""

    def ask(self):
        return Proposal(self.space.from_encoding((0, 0, 0)), self.objective.maximize)

    def tell(self, proposal, metrics):
        pass


def listed(order, objective=BOUNDED, queries=5, proxies=(), kind=Listed, metrics=METRICS):
    log = []
    contestant = Contestant("listed", kind, {"order": order, "log": log}, proxies)
    found = recorded(objective, metrics=metrics)
    return simulate(found, objective, contestant, queries=queries, seed=0), log


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
    with pytest.raises(ValueError, match=r"asks for accuracy@0.5, which is not recorded"):
        listed([((0, 0, 0), "accuracy@0.5")])
    with pytest.raises(ValueError, match=r"asks for accuracy@0.111111, which is not recorded"):
        simulate(recorded(), FREE, Contestant("hyperband", "hyperband"), queries=1, seed=0)


def test_the_value_of_an_infeasible_network_is_told_and_counted_and_is_never_the_answer():
    good, over = (0, 0, 0), (3, 2, 1)
    done, log = listed([(e, "accuracy") for e in (over, good, over)], kind=TrainsAll, queries=3)
    assert log[0][1] == {"cost": cost(*over), "accuracy": accuracy(*over)}
    assert (done.trained, done.infeasible, done.answer) == (2, 2, good)
    np.testing.assert_array_equal(done.best, [math.nan, accuracy(*good), accuracy(*good)])


def test_a_part_of_a_training_counts_that_part_and_is_no_answer():
    some, other, last = (3, 0, 1), (1, 1, 1), (0, 0, 0)
    order = [(some, "accuracy@0.333333"), (other, "accuracy@0.333333"), (some, "accuracy@0.333333")]
    order += [(last, "accuracy@0.333333"), (other, "accuracy"), (some, "accuracy"), (last, "accuracy")]
    done, log = listed(order, queries=3, metrics=PARTS)
    assert log[0][1] == {"cost": cost(*some), "accuracy@0.333333": accuracy(*some) - 1 + 1 / 3}
    np.testing.assert_array_equal(done.best, [math.nan, accuracy(*other), accuracy(*some)])
    np.testing.assert_allclose(done.seconds, [(13 + 11 + 10) / 3, 34 / 3 + 11, 34 / 3 + 24], rtol=1e-5)
    assert done.trained == pytest.approx(3, abs=1e-5)
    assert len(log) == 6  # all three are spent


def test_a_training_that_the_budget_has_no_room_for_is_not_begun():
    order = [((3, 0, 1), "accuracy@0.333333"), ((0, 0, 0), "accuracy"), ((1, 1, 1), "accuracy@0.333333")]
    done, log = listed(order, queries=1, metrics=PARTS)
    assert done.trained == pytest.approx(1 / 3) and done.answer is None
    assert log[-1] == ((0, 0, 0), {"cost": cost(0, 0, 0)}) and len(log) == 2


@pytest.mark.parametrize("strategy", ["successive_halving", "hyperband"])
@given(seed=st.integers(0, 99))
def test_strategies_of_parts_spend_no_more_than_all_others(strategy, seed):
    found = simulate(recorded(metrics=PARTS), FREE, Contestant(strategy, strategy), queries=12, seed=seed)
    assert 11 < found.trained < 12.01
    assert np.isnan(found.best[0]) and np.isfinite(found.best[-1])
    assert (np.diff(found.seconds) > 0).all()


def test_a_strategy_that_trains_nothing_new_is_given_up():
    done = simulate(recorded(), FREE, Contestant("stuck", Stuck), queries=3, seed=0)
    assert (done.trained, done.proposals) == (1, MOST_IDLE + 1)
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
