from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest

from hwnas.objectives import Constraint, MetricError, Objective
from hwnas.search.evaluate import Evaluator
from hwnas.search.loop import MOST_IDLE, run_loop
from hwnas.search.screen import Screen
from hwnas.search.spending import full_trainings
from hwnas.search.store import CorruptRunError, TrialStore
from hwnas.search.strategies.evolution import RegularizedEvolution
from hwnas.search.strategies.random_search import RandomSearch
from tests.search.toy import Cost, Toy, Value

SPACE = Toy()
OBJECTIVE = Objective("value", (Constraint("cost", 10.0),))


class Two(Toy):
    decisions = {"d0": (0, 1)}


def evolution(seed=0, **settings):
    return RegularizedEvolution(
        SPACE, OBJECTIVE, seed=seed, **{"population": 10, "tournament": 4, **settings}
    )


def run(tmp_path, strategy, *, budget=60, ahead=1, name="trials", executor=None, metric=None, cost=None):
    metrics = {"value": metric or Value(), "cost": cost or Cost()}
    evaluator = Evaluator(SPACE, OBJECTIVE, metrics, strategy.trains_infeasible)
    store = TrialStore(tmp_path / name)
    try:
        return run_loop(strategy, evaluator, store, budget=budget, ahead=ahead, executor=executor)
    finally:
        store.close()


def essence(trials):
    return [(t.number, t.architecture, t.status, dict(t.metrics), t.reason) for t in trials]


@pytest.mark.parametrize("make", [evolution, lambda: RandomSearch(SPACE, OBJECTIVE, seed=3)])
def test_the_number_of_workers_does_not_matter(tmp_path, make):
    alone = run(tmp_path, make(), ahead=5, name="alone")
    with ThreadPoolExecutor(5) as threads:
        with_threads = run(tmp_path, make(), ahead=5, name="threads", executor=threads)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        with_processes = run(tmp_path, make(), ahead=5, name="processes", executor=processes)
    assert essence(alone) == essence(with_threads) == essence(with_processes)


def test_seeds_differ(tmp_path):
    assert essence(run(tmp_path, evolution(0), name="a")) != essence(run(tmp_path, evolution(1), name="b"))


@pytest.mark.parametrize("ahead", [1, 8])
@pytest.mark.parametrize("stop", [1, 7, 8, 9, 33, 59])
def test_resumed_equals_uninterrupted(tmp_path, stop, ahead):
    whole = run(tmp_path, evolution(), ahead=ahead, name="whole")
    run(tmp_path, evolution(), budget=stop, ahead=ahead, name="parts")
    assert essence(run(tmp_path, evolution(), ahead=ahead, name="parts")) == essence(whole)


def test_with_more_under_way_a_strategy_knows_less(tmp_path):
    one = run(tmp_path, evolution(), name="one")
    eight = run(tmp_path, evolution(), ahead=8, name="eight")
    assert essence(one)[:10] == essence(eight)[:10] and essence(one) != essence(eight)


@pytest.mark.parametrize("ahead", [1, 3, 8])
def test_a_budget_is_of_networks_evaluated_and_no_more_is_begun(tmp_path, ahead):
    log = tmp_path / "log"
    with ThreadPoolExecutor(8) as threads:
        trials = run(tmp_path, evolution(), ahead=ahead, metric=Value(log=str(log)), executor=threads)
    assert (
        len(log.read_text().splitlines())
        == len({t.architecture for t in trials if "value" in t.metrics})
        == 60
    )
    assert full_trainings(trials, "value") == 60 < len(trials)


def test_a_metric_of_a_bound_that_is_undefined_costs_nothing(tmp_path):
    class Undefined(Cost):
        def __call__(self, architecture):
            if architecture.encoding[0] == 0:
                raise MetricError("no cost")
            return super().__call__(architecture)

    log = tmp_path / "log"
    trials = run(
        tmp_path, RandomSearch(SPACE, OBJECTIVE, seed=3), metric=Value(log=str(log)), cost=Undefined()
    )
    assert any(t.reason == "no cost" and not t.lost for t in trials)
    assert len(log.read_text().splitlines()) == 60


def test_a_training_beyond_a_bound_that_fails_has_failed_and_costs(tmp_path):
    strategy = RandomSearch(SPACE, OBJECTIVE, seed=3)
    strategy.trains_infeasible = True
    trials = run(tmp_path, strategy, metric=Value(undefined_at=12))
    failed = [t for t in trials if t.status == "failed"]
    assert any(t.metrics["cost"] > 10 for t in failed) and all(t.lost for t in failed)
    assert len({t.architecture for t in trials}) == 60


def test_a_cheap_metric_that_raises_now_and_then_ends_no_search(tmp_path):
    class Raising(Cost):
        def __call__(self, architecture):
            if architecture.encoding[:2] == (0, 0):
                raise RuntimeError("no such network")
            return super().__call__(architecture)

    strategy = evolution()
    strategy.screen = Screen(OBJECTIVE, {"value": Value(), "cost": Raising()})
    assert full_trainings(run(tmp_path, strategy, cost=Raising()), "value") == 60


def test_a_space_without_anything_new_left_ends_the_search(tmp_path):
    trials = run(tmp_path, RandomSearch(Two(), OBJECTIVE), budget=100)
    assert full_trainings(trials, "value") == 2 and len(trials) < MOST_IDLE + 50


def test_what_breaks_a_bound_is_evaluated_for_strategies_that_learn_from_it(tmp_path):
    strategy = RandomSearch(SPACE, OBJECTIVE, seed=3)
    strategy.trains_infeasible = True
    trials = run(tmp_path, strategy)
    infeasible = [t for t in trials if t.status == "infeasible"]
    assert infeasible and all("value" in t.metrics and "cost" in t.reason for t in infeasible)
    assert full_trainings(trials, "value") == 60 == len({t.architecture for t in trials})


def test_recorded_trials_are_not_run_again(tmp_path):
    log = tmp_path / "log"
    run(tmp_path, evolution(), budget=30, metric=Value(log=str(log)))
    before = log.read_text()
    run(tmp_path, evolution(), budget=30, metric=Value(log=str(log)))
    assert log.read_text() == before


def test_nothing_is_evaluated_twice(tmp_path):
    log = tmp_path / "log"
    trials = run(tmp_path, evolution(), budget=200, metric=Value(log=str(log)))
    evaluated = log.read_text().splitlines()
    assert len(evaluated) == len(set(evaluated))
    assert len({t.architecture for t in trials}) < len(trials)


def test_infeasible_architectures_never_reach_the_expensive_metric(tmp_path):
    log = tmp_path / "log"
    trials = run(tmp_path, evolution(), metric=Value(log=str(log)))
    infeasible = {t.architecture for t in trials if t.status == "infeasible"}
    assert infeasible
    assert not infeasible & set(log.read_text().splitlines())
    assert all("value" not in t.metrics for t in trials if t.status == "infeasible")


def test_an_undefined_metric_is_recorded_with_its_reason(tmp_path):
    trials = run(tmp_path, RandomSearch(SPACE, OBJECTIVE), budget=300, metric=Value(undefined_at=8))
    failed = [t for t in trials if t.status == "failed"]
    assert failed
    assert all(t.reason == "undefined at 8" and "value" not in t.metrics for t in failed)


def test_a_store_of_another_search_is_refused(tmp_path):
    run(tmp_path, evolution(seed=0), budget=10)
    with pytest.raises(CorruptRunError, match="another search"):
        run(tmp_path, evolution(seed=1), budget=20)


def test_warm_up_fills_the_population_with_the_best_scored(tmp_path):
    strategy = evolution(warm_up=40, warm_up_by="cheap")
    metrics = {"value": Value(), "cost": Cost(), "cheap": Value(name="cheap")}
    store = TrialStore(tmp_path / "trials")
    trials = run_loop(strategy, Evaluator(SPACE, OBJECTIVE, metrics), store, budget=60)
    scored, first = trials[:40], trials[40:50]
    assert all("value" not in t.metrics for t in scored)
    assert len({t.architecture for t in first}) == 10
    best_first = sorted(scored, key=lambda t: OBJECTIVE.fitness(t.metrics, "cheap"), reverse=True)
    assert [t.architecture for t in first] == list(dict.fromkeys(t.architecture for t in best_first))[:10]


def test_evolution_finds_what_random_search_does_not(tmp_path):
    for seed in range(3):
        evolved = run(tmp_path, evolution(seed), budget=800, name=f"e{seed}")
        drawn = run(tmp_path, RandomSearch(SPACE, OBJECTIVE, seed=seed), budget=800, name=f"r{seed}")
        assert max(t.metrics.get("value", 0) for t in evolved) == pytest.approx(18.03)
        assert max(t.metrics.get("value", 0) for t in drawn) < 18.03
