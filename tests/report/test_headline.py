from dataclasses import replace

import pytest

from hwnas.report.headline import headline
from hwnas.search.records import Candidate, Trial

from .runs import record

FAST = Candidate(
    "a", {"latency_ms": 3.4, "params": 1e6, "naswot": 412.3}, {"latency_ms": 3.41, "accuracy": 0.912}, True
)
SLOW = replace(FAST, measured={"latency_ms": 5.3}, satisfies=False)
UNMEASURED = replace(FAST, measured={})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"candidates": [FAST], "winner": 0, "bounds": {"latency_ms": 5}},
            "The best network runs in 3.41 ms (p10) on Acme Swift 2, under the budget of 5 ms; "
            "test accuracy 91.2 %.",
        ),
        (
            {"candidates": [SLOW], "winner": None, "bounds": {"latency_ms": 5}},
            "No candidate satisfies the budget of latency ≤ 5 ms: the nearest runs in 5.3 ms (p10) "
            "on Acme Swift 2, 6.0 % over the budget of 5 ms; naswot 412.3, not trained.",
        ),
        (
            {"candidates": [UNMEASURED], "winner": 0, "bounds": {"latency_ms": 5}, "environment": {}},
            "The best network is predicted to run in 3.4 ms, not measured, under the budget of 5 ms; "
            "naswot 412.3, not trained.",
        ),
        (
            {
                "candidates": [Candidate("a", {"params": 1e6}, {}, True)],
                "winner": 0,
                "bounds": {"params": 2e6},
            },
            "The best network has params 1.00 M, under the budget of 2.00 M; naswot –, not trained.",
        ),
        (
            {"candidates": [Candidate("a", {"naswot": 3.0}, {}, True)], "winner": 0, "bounds": {}},
            "The best network has naswot 3, not trained.",
        ),
        (
            {"trials": [Trial(0, "a", "infeasible", {"latency_ms": 9.0})], "candidates": [], "winner": None},
            "None of 1 trial satisfies the budget of latency ≤ 5 ms and params ≤ 2.00 M.",
        ),
        (
            {"trials": [Trial(0, "a", "complete", {"naswot": 7.0})], "candidates": [], "winner": None},
            "No network has been verified yet: 1 of 1 trial feasible by the search's "
            "estimates, best naswot 7.",
        ),
        ({"trials": [], "candidates": [], "winner": None}, "No trial has been recorded yet."),
    ],
)
def test_headline(changes: dict, said: str) -> None:
    assert headline(record(5, **changes)) == said


def test_a_best_value_that_no_plot_shows_is_said():
    trials = [
        Trial(i, "a", "complete", {"latency_ms": 1.0, "naswot": value})
        for i, value in enumerate([3.0, 1e308])
    ]
    assert "best naswot 1e+308" in headline(record(2, trials=trials, candidates=[], winner=None))
