from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest

from hwnas.objectives import Constraint, Objective
from hwnas.search.evaluate import Evaluator
from hwnas.search.loop import run_loop
from hwnas.search.store import CorruptRunError, TrialStore
from hwnas.search.strategies.evolution import RegularizedEvolution
from hwnas.search.strategies.random_search import RandomSearch
from tests.search.toy import Buggy, Cost, Toy, Value

SPACE = Toy()
OBJECTIVE = Objective("value", (Constraint("cost", 10.0),))


def evolution(seed=0, **settings):
    return RegularizedEvolution(
        SPACE, OBJECTIVE, seed=seed, **{"population": 10, "tournament": 4, **settings}
    )


def run(tmp_path, strategy, *, budget=60, name="trials", executor=None, metric=None):
    evaluator = Evaluator(SPACE, OBJECTIVE, {"value": metric or Value(), "cost": Cost()})
    store = TrialStore(tmp_path / name)
    try:
        return run_loop(strategy, evaluator, store, budget=budget, executor=executor)
    finally:
        store.close()


def essence(trials):
    return [(t.number, t.architecture, t.status, dict(t.metrics), t.reason) for t in trials]


@pytest.mark.parametrize("make", [evolution, lambda: RandomSearch(SPACE, OBJECTIVE, seed=3)])
def test_the_number_of_workers_does_not_matter(tmp_path, make):
    alone = run(tmp_path, make(), name="alone")
    with ThreadPoolExecutor(5) as threads:
        with_threads = run(tmp_path, make(), name="threads", executor=threads)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        with_processes = run(tmp_path, make(), name="processes", executor=processes)
    assert essence(alone) == essence(with_threads) == essence(with_processes)


def test_seeds_differ(tmp_path):
    assert essence(run(tmp_path, evolution(0), name="a")) != essence(run(tmp_path, evolution(1), name="b"))


@pytest.mark.parametrize("stop", [0, 1, 7, 8, 9, 33, 59])
def test_resumed_equals_uninterrupted(tmp_path, stop):
    whole = run(tmp_path, evolution(), name="whole")
    if stop:
        run(tmp_path, evolution(), budget=stop, name="parts")
    assert essence(run(tmp_path, evolution(), name="parts")) == essence(whole)


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


def test_a_bug_is_not_a_result(tmp_path):
    with pytest.raises(IndexError):
        run(tmp_path, RandomSearch(SPACE, OBJECTIVE), metric=Buggy())


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
