"""Comparisons: the same for any number of workers; quantiles by hand, answers within the bounds."""

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.executors import process_pool
from hwnas.objectives import Objective
from hwnas.oracles import oracle
from hwnas.search.comparison import Contestant, Entry, compare, contestants, recorded_space
from hwnas.search.comparison.simulate import simulate
from hwnas.search.strategies.random_search import RandomSearch
from hwnas.spaces import NASBench201
from tests.search.comparison.tables import BOUNDED, FREE, METRICS, RANDOM, accuracy, cost, recorded

NAN = math.nan


def entry(best, seconds=None):
    best = np.array(best, dtype=float)
    seconds = np.full(best.shape, NAN) if seconds is None else np.array(seconds, dtype=float)
    trained = np.full(len(best), best.shape[1])
    return Entry("one", False, best, seconds, trained, 0.0, [None] * len(best), 0.0)


def test_a_search_without_a_feasible_network_is_the_worst():
    one = entry([[NAN, 1, 3], [NAN, NAN, 2], [4, 4, 4], [NAN, 2, 5], [NAN, NAN, 1]])
    np.testing.assert_array_equal(one.quantile(0.5), [NAN, 1, 3])
    np.testing.assert_array_equal(one.quantile(0.75), [NAN, 2, 4])
    np.testing.assert_array_equal(one.quantile(0.25), [NAN, NAN, 2])
    assert [one.queries_to(value) for value in (1, 2, 3, 3.1)] == [2, 3, 3, None]
    assert (one.found(4, 3), one.found(4, 1)) == (2 / 5, 1 / 5)


def test_the_median_of_simulated_seconds():
    one = entry([[1, 1], [1, 1], [1, 1]], [[5, 9], [6, NAN], [7, 30]])
    assert one.median_seconds.tolist() == [6, 30]
    assert np.isnan(entry([[1, 1]]).median_seconds).all()


def test_the_standard_error_of_the_median():
    spread = np.random.default_rng(1).normal(size=(400, 1))
    assert entry(spread).median_error(1) == pytest.approx(1.2533 / 20, rel=0.2)  # sqrt(pi / 2) / sqrt(n)
    assert entry([[1.0], [1.0]]).median_error(1) == 0
    assert math.isnan(entry([[NAN], [NAN], [1.0]]).median_error(1)) and math.isnan(
        entry([[1.0]]).median_error(1)
    )


def test_a_search_that_has_the_optimum_ends_and_its_curve_is_the_same():
    (one,) = compare(recorded(), FREE, [RANDOM], repeats=20, queries=64).entries
    whole = [simulate(recorded(), FREE, RANDOM, queries=64, seed=seed) for seed in range(20)]
    np.testing.assert_array_equal(one.best, [search.best for search in whole])
    assert one.trained.tolist() == [np.argmax(best) + 1 for best in one.best]


def test_answers_keep_the_bounds_and_have_the_best_value():
    (one,) = compare(recorded(BOUNDED), BOUNDED, [RANDOM], repeats=20, queries=5).entries
    assert one.infeasible > 0 and all(cost(*answer) <= 6 for answer in one.answers)
    assert one.best[:, -1].tolist() == [accuracy(*answer) for answer in one.answers]


def test_the_same_whatever_the_number_of_workers():
    warmed = {"population": 8, "tournament": 4, "warm_up": 20, "warm_up_by": "proxy"}
    taking_part = [
        *contestants(["random", "evolution:population=8,tournament=4"]),
        Contestant("evolution + proxy", "evolution", warmed, ("proxy",)),
    ]

    def result(executor):
        found = compare(
            recorded(BOUNDED), BOUNDED, taking_part, repeats=25, queries=12, seed=3, executor=executor
        )
        return [(one.label, one.best.tolist(), one.infeasible, one.answers) for one in found.entries]

    alone = result(None)
    with process_pool(2) as executor:
        assert result(executor) == alone
    assert [label for label, *_ in alone] == [
        "random",
        "evolution:population=8,tournament=4",
        "evolution + proxy",
    ]


def test_repeats_have_seeds_of_their_own_that_follow_each_other():
    first = compare(recorded(), FREE, [RANDOM], repeats=6, queries=5, seed=10).entries[0]
    second = compare(recorded(), FREE, [RANDOM], repeats=5, queries=5, seed=11).entries[0]
    assert first.best[1:].tolist() == second.best.tolist()
    assert len({tuple(one) for one in first.best.tolist()}) > 1


@given(st.integers(0, 99), st.floats(10, 300))
def test_no_search_spends_more_than_its_budget_and_none_stops_early(seed, budget_s):
    found = compare(recorded(), FREE, [RANDOM], repeats=2, budget_s=budget_s, seed=seed)
    (one,) = found.entries
    spent = np.nanmax(one.seconds, axis=1, initial=0)
    has_ended = (spent > budget_s - 13) | (one.best[:, -1] == found.optimum)  # the slowest takes 13 s
    assert (spent <= budget_s).all() and has_ended.all()
    assert (one.trained <= found.queries).all()
    np.testing.assert_array_equal(one.within(budget_s), one.best[:, -1])


def test_a_budget_of_seconds_that_cannot_be():
    without = {name: one for name, one in METRICS.items() if name != "seconds"}
    with pytest.raises(ValueError, match="a budget of 50 s needs the recorded metric seconds"):
        compare(recorded(metrics=without), FREE, [RANDOM], repeats=2, budget_s=50)
    with pytest.raises(ValueError, match="no network is trained within 9 s; the quickest takes 10 s"):
        compare(recorded(), FREE, [RANDOM], repeats=2, budget_s=9)
    found = compare(recorded(), FREE, [RANDOM], repeats=2, budget_s=100, queries=4)
    assert (found.queries, found.budget_s) == (4, 100)
    assert compare(recorded(), FREE, [RANDOM], repeats=2, budget_s=100).queries == 10


def test_who_is_left_out_and_why():
    found = compare(recorded(), FREE, contestants(["random", "area", "nsga2"]), repeats=2, queries=3)
    assert [one.label for one in found.entries] == ["random"]
    assert "naswot, which is not recorded" in found.left_out["area"]
    assert "costs" in found.left_out["nsga2"]
    with pytest.raises(ValueError, match="no strategy can take part: area: it asks for naswot"):
        compare(recorded(), FREE, contestants(["area"]), repeats=2, queries=3)


class Broken(RandomSearch):
    """Fails at its first result."""

    def tell(self, proposal, metrics):
        raise ValueError("a bug")


def test_a_strategy_that_fails_while_it_searches_is_not_left_out():
    with pytest.raises(ValueError, match="a bug"):
        compare(recorded(), FREE, [RANDOM, Contestant("broken", Broken)], repeats=2, queries=3)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"repeats": 0}, "repeats must be from 1"),
        ({"queries": 0}, "queries must be from 1 to 64.*, not 0"),
        ({"queries": 65}, "queries must be from 1 to 64, the number of architectures within"),
    ],
)
def test_numbers_out_of_range(settings, says):
    with pytest.raises(ValueError, match=says):
        compare(recorded(), FREE, [RANDOM], **{"repeats": 2, "queries": 3, **settings})


def test_progress_counts_up():
    seen = []
    compare(recorded(), FREE, [RANDOM], repeats=3, queries=3, progress=lambda *one: seen.append(one))
    assert seen == [(1, 3, "random"), (2, 3, "random"), (3, 3, "random")]


def test_the_best_rises_and_is_one_of_the_recorded(nasbench201_csv):
    space = NASBench201()
    objective = Objective("test_accuracy")
    found = recorded_space(
        space, objective, {"test_accuracy": oracle(nasbench201_csv, "test_accuracy", space)}
    )
    started = time.process_time()
    (one,) = compare(
        found, objective, [Contestant("evolution", "evolution")], repeats=10, queries=300
    ).entries
    assert time.process_time() - started < 60 * 10 / 500  # 500 searches within a minute
    assert (np.diff(one.best, axis=1) >= 0).all()
    assert np.isin(one.best, found.metrics["test_accuracy"].values).all()
    assert one.step_seconds < 200e-6
    assert accuracy(3, 2, 1) < one.best.min()
