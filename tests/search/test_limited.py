"""What hangs, is killed, raises or gives NaN: failed with its reason, never a value."""

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from hwnas.search import run
from hwnas.search.loop import BrokenMetricError
from hwnas.search.strategies.random_search import RandomSearch
from tests.search.misbehaving import Hanging, Killing, NotANumber, RaisingAt
from tests.search.test_loop import OBJECTIVE, SPACE, essence
from tests.search.test_loop import run as run_unlimited
from tests.search.toy import Buggy, Cost, Value


def searched(tmp_path, metric, *, seconds=20.0, budget=30, executor=None, name="trials"):
    from hwnas.search.evaluate import Evaluator
    from hwnas.search.loop import run_loop
    from hwnas.search.store import TrialStore

    store = TrialStore(tmp_path / name)
    try:
        return run_loop(
            RandomSearch(SPACE, OBJECTIVE, seed=3),
            Evaluator(SPACE, OBJECTIVE, {"value": metric, "cost": Cost()}),
            store,
            budget=budget,
            executor=executor,
            trial_seconds=seconds,
        )
    finally:
        store.close()


def split(trials):
    """The feasible trials whose first decision is 0, and the others; both exist in the first 30."""
    feasible = [t for t in trials if t.metrics.get("cost", 99) <= 10]
    odd = [t for t in feasible if SPACE.parse(t.architecture).encoding[0] == 0]
    return odd, [t for t in feasible if t not in odd]


def test_a_limit_that_nothing_reaches_changes_nothing(tmp_path):
    limited = searched(tmp_path, Value(undefined_at=8), budget=60)
    free = run_unlimited(
        tmp_path, RandomSearch(SPACE, OBJECTIVE, seed=3), metric=Value(undefined_at=8), name="free"
    )
    assert essence(limited) == essence(free)


@pytest.mark.parametrize("pooled", [False, True])
def test_what_hangs_is_ended_and_has_failed_with_what_was_known(tmp_path, pooled):
    started = time.perf_counter()
    if pooled:
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            trials = searched(tmp_path, Hanging(), seconds=1.0, executor=pool, budget=30)
    else:
        trials = searched(tmp_path, Hanging(), seconds=1.0, budget=30)
    hung, others = split(trials)
    assert hung
    assert others
    for trial in hung:
        assert trial.status == "failed"
        assert trial.reason == "took longer than 1 s, the limit for a trial"
        assert set(trial.metrics) == {"cost"}
        assert trial.seconds == 0 or trial.seconds >= 1
    assert all(trial.status == "complete" and "value" in trial.metrics for trial in others)
    assert time.perf_counter() - started < 60


def test_what_is_killed_once_is_tried_again(tmp_path):
    trials = searched(tmp_path, Killing(mark=str(tmp_path / "mark")), budget=30)
    assert (tmp_path / "mark").exists()
    assert all(trial.status != "failed" for trial in trials)


def test_what_is_killed_twice_has_failed(tmp_path):
    killed, others = split(searched(tmp_path, Killing(), budget=30))
    assert killed
    assert all(t.status == "failed" and "killed (exit code -9) 2 times" in t.reason for t in killed)
    assert all("value" not in t.metrics for t in killed)
    assert all(t.status == "complete" for t in others)


@pytest.mark.parametrize("limit", [None, 20.0])
def test_nan_is_a_failure_and_no_value(tmp_path, limit):
    odd, others = split(searched(tmp_path, NotANumber(), seconds=limit, budget=30))
    assert odd
    assert all(t.status == "failed" and t.reason == "value must be a finite number, not nan" for t in odd)
    assert all("value" not in t.metrics for t in odd)
    assert all(t.status == "complete" for t in others)


@pytest.mark.parametrize("limit", [None, 20.0])
def test_what_raises_now_and_then_has_failed(tmp_path, limit):
    odd, others = split(searched(tmp_path, RaisingAt(), seconds=limit, budget=30))
    assert odd
    assert all(t.status == "failed" and "value" not in t.metrics for t in odd)
    assert all("value raised OfTwoError (misbehaving.py, line" in t.reason for t in odd)
    assert all(t.status == "complete" for t in others)


@pytest.mark.parametrize("limit", [None, 20.0])
def test_what_always_raises_stops_the_search_and_says_where(tmp_path, limit):
    with pytest.raises(
        BrokenMetricError, match=r"10 trials have failed .* value raised IndexError \(toy.py, line"
    ):
        searched(tmp_path, Buggy(), seconds=limit)


def test_when_a_bug_is_mended_the_search_goes_on(tmp_path):
    with pytest.raises(BrokenMetricError):
        searched(tmp_path, Buggy())
    mended = searched(tmp_path, Value())
    assert [t.status for t in mended if t.status != "infeasible"][:11] == ["failed"] * 10 + ["complete"]


@pytest.mark.parametrize("seconds", [0, -1.0, float("nan"), float("inf")])
def test_a_limit_out_of_range_is_refused(tmp_path, seconds):
    with pytest.raises(ValueError, match="trial_seconds must be above 0"):
        run(
            SPACE,
            maximize="value",
            metrics={"value": Value()},
            folder=tmp_path / "run",
            trial_seconds=seconds,
        )
