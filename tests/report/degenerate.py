"""Records in which something is missing, by name."""

import math
from dataclasses import replace

from hwnas.search.records import BlockShare, Candidate, RunRecord, Trial

from .runs import record

_BARE = {"config": {}, "environment": {}, "predictor_error": {}}
_NONE = {"candidates": [], "winner": None}
_UNTRAINED = [replace(c, measured={"latency_ms": c.measured["latency_ms"]}) for c in record(60).candidates]


def _only(*trials: Trial) -> RunRecord:
    return record(1, trials=list(trials), **_NONE)


def _blocks(*blocks: BlockShare) -> RunRecord:
    return record(20, candidates=[Candidate("a", {}, {}, True, None, blocks)], winner=0)


CASES = {
    "nothing": RunRecord("", "naswot", {}, {}, [], [], None),
    "no trials": record(20, trials=[]),
    "no candidates": record(20, **_NONE),
    "no winner": record(60, winner=None),
    "bare": record(20, metrics={}, **_BARE),
    "one trial": record(1, **_NONE),
    "one failed trial": _only(Trial(0, "a", "failed", {}, "it broke\nhere")),
    "one infeasible trial": _only(Trial(0, "a", "infeasible", {"latency_ms": 9.0})),
    "all NaN": _only(
        *[Trial(i, "a", "complete", {"latency_ms": math.nan, "naswot": math.nan}) for i in range(3)]
    ),
    "infinite": _only(
        *[Trial(i, "a", "complete", {"latency_ms": math.inf, "naswot": -math.inf}) for i in range(3)]
    ),
    "no latency": record(
        60, bounds={"params": 2e6}, trials=[Trial(0, "a", "complete", {"naswot": 1, "params": 1e6})]
    ),
    "no bounds": record(60, bounds={}),
    "no cost": _only(Trial(0, "a", "complete", {"naswot": 1.0})),
    "untrained": record(60, candidates=_UNTRAINED, winner=0),
    "not a number measured": record(
        9, candidates=[Candidate("a", {"latency_ms": 0.0}, {"latency_ms": math.nan}, False)]
    ),
    "predicted 0": record(
        9, candidates=[Candidate("a", {"latency_ms": 0.0}, {"latency_ms": 0.0}, False)], winner=None
    ),
    "wide scores": _only(
        *[Trial(i, "a", "complete", {"latency_ms": i + 1.0, "naswot": 10.0**i}) for i in range(20)]
    ),
    "huge": _only(
        *[Trial(i, "a", "complete", {"latency_ms": i * 1e308, "naswot": (i - 1) * 1e308}) for i in range(2)]
    ),
    "huge beside small": _only(
        *[Trial(i, "a", "complete", {"latency_ms": 1.0 + i, "naswot": [1.0, 1e308][i]}) for i in range(2)]
    ),
    "huge bound and candidate": record(
        9,
        bounds={"latency_ms": 1e308},
        candidates=[Candidate("a", {"latency_ms": 1e308, "naswot": -1e308}, {}, True)],
        winner=0,
    ),
    "zero block": _blocks(BlockShare("a", "", (), 0, 0, None)),
    "unmeasured blocks": _blocks(
        BlockShare("a", "Conv", (1, 2), 5, 5, None), BlockShare("a", "Conv", (), 7, 5, None)
    ),
    "many blocks": _blocks(*[BlockShare(f"b{i}" * 30, "Conv+" * 30, (1,), i, i, i / 9) for i in range(90)]),
    "formulas": record(20, title="$x^", metrics={}, maximize="$\\frac", bounds={"$_{": 3.0}),
}
