"""Strategies on the same recorded results, the same objective and the same seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

import numpy as np

from hwnas.executors import InlineExecutor, in_order
from hwnas.objectives import Objective
from hwnas.search.comparison.contestants import Contestant
from hwnas.search.comparison.journal import SearchJournal, key_of
from hwnas.search.comparison.recorded import SECONDS, Floats, RecordedSpace
from hwnas.search.comparison.simulate import Search, simulate

_LARGEST_CHUNK = 10
_CHUNKS = 50
MOST_REPEATS = 100_000
QUERIES = 300
RESAMPLES = 1000

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, eq=False)
class Entry:
    """All searches of one contestant.

    Attributes:
        label: what it is called.
        is_peer: whether it is another library's.
        best: `[repeats, queries]`: the best value within the constraints so far; NaN while there is none.
        seconds: `[repeats, queries]`: simulated seconds of training; NaN where they are not recorded.
        trained: `[repeats]`: what was trained until the search ended, in full trainings.
        infeasible: share of its proposals that break a constraint.
        answers: the encoding of the best network of each repeat that keeps the constraints; None where it
            found none.
        step_seconds: processor time of one `ask` and `tell`, mean of all.
    """

    label: str
    is_peer: bool
    best: Floats
    seconds: Floats
    trained: Floats
    infeasible: float
    answers: Sequence[tuple[int, ...] | None]
    step_seconds: float

    def quantile(self, share: float) -> Floats:
        """`[queries]`: that quantile of the repeats, one without a feasible network being the worst."""
        return _quantile(self.best, share)

    @property
    def median_seconds(self) -> Floats:
        """`[queries]`: the median of the simulated seconds."""
        return _quantile(np.where(np.isnan(self.seconds), np.inf, self.seconds), 0.5)

    def within(self, seconds: float) -> Floats:
        """`[repeats]`: the best value after so many simulated seconds; NaN where nothing was trained yet."""
        done = (self.seconds <= seconds).sum(axis=1)
        return np.where(done > 0, self.best[np.arange(len(done)), np.maximum(done, 1) - 1], math.nan)

    def quantile_within(self, share: float, seconds: float) -> float:
        """As `quantile`, after so many simulated seconds."""
        return float(_quantile(self.within(seconds)[:, None], share)[0])

    def found(self, optimum: float, queries: int) -> float:
        """Share of the repeats that had the optimum after so many networks trained."""
        return float(np.mean(self.best[:, queries - 1] >= optimum))

    def median_error(self, queries: int) -> float:
        """Standard error of the median after so many networks, by `RESAMPLES` resamplings; NaN of one."""
        last = self.best[:, queries - 1]
        if len(last) < 2:
            return math.nan
        drawn = np.random.default_rng(0).choice(last, (len(last), RESAMPLES))
        medians = _quantile(drawn, 0.5)
        return float(medians.std()) if np.isfinite(medians).all() else math.nan

    def queries_to(self, value: float) -> int | None:
        """The number of networks trained after which the median reaches a value; None where it does not."""
        reached = np.nonzero(self.quantile(0.5) >= value)[0]
        return int(reached[0]) + 1 if len(reached) else None


@dataclass(frozen=True, eq=False)
class StrategyComparison:
    """The outcome.

    Attributes:
        objective: of all.
        units: of the metrics, by name.
        space: as text.
        architectures: number of architectures in the space.
        feasible: how many of them keep the constraints.
        optimum: the best value among these.
        queries: full trainings that each search could spend.
        budget_s: simulated seconds of training that each search had; infinite where only networks count.
        repeats: searches of each contestant.
        seed: of the first; the others follow by one.
        entries: in the order of the contestants.
        left_out: why contestants took no part, by label.
    """

    objective: Objective
    units: Mapping[str, str]
    space: str
    architectures: int
    feasible: int
    optimum: float
    queries: int
    budget_s: float
    repeats: int
    seed: int
    entries: Sequence[Entry]
    left_out: Mapping[str, str]


def compare(
    recorded: RecordedSpace,
    objective: Objective,
    contestants: Sequence[Contestant],
    *,
    repeats: int = 500,
    queries: int | None = None,
    budget_s: float = math.inf,
    seed: int = 0,
    executor: Executor | None = None,
    journal: SearchJournal | None = None,
    progress: Progress | None = None,
) -> StrategyComparison:
    """Let each contestant search `repeats` times; the same result whatever the executor.

    A search ends where it has found the optimum: that saves most of the time of those that soon do.
    A contestant that refuses the space, the objective or what is recorded is left out, with its reason.
    Searches that the journal has are not done again, and those that are done are added to it.

    Args:
        recorded: also the metric `SECONDS` where there is a budget of seconds.
        objective: of all.
        contestants: who takes part.
        repeats: searches of each.
        queries: full trainings that a search may spend; by default 300, or as many as `budget_s` allows.
        budget_s: simulated seconds of training that a search may take.
        seed: of the first search; the others follow by one.
        executor: where to search; here by default.
        journal: of searches that were done before.
        progress: called with (done, total, label).

    Raises:
        ValueError: numbers out of range, nothing keeps the constraints, or every contestant is left out.
    """
    if not 1 <= repeats <= MOST_REPEATS:
        raise ValueError(f"repeats must be from 1 to {MOST_REPEATS:,}, not {repeats}")
    feasible = int(recorded.feasible(objective).sum())
    optimum = recorded.optimum(objective)
    most = QUERIES if math.isinf(budget_s) else _allowed(recorded, objective, budget_s)
    if queries is None:
        queries = most
    elif math.isfinite(budget_s):
        queries = min(queries, most)
    if not 1 <= queries <= feasible:
        raise ValueError(
            f"queries must be from 1 to {feasible:,}, the number of architectures within the constraints, "
            f"not {queries}"
        )
    taking_part, left_out = _sorted_out(recorded, objective, contestants)
    kept = journal or SearchJournal(None)
    keys = {one.label: key_of(recorded, objective, one, queries, budget_s) for one in taking_part}
    seeds = range(seed, seed + repeats)
    chunk = max(1, min(_LARGEST_CHUNK, repeats // _CHUNKS))
    calls = [
        (recorded, objective, one, queries, budget_s, optimum, missing)
        for start in range(0, repeats, chunk)
        for one in taking_part
        if (missing := [s for s in seeds[start : start + chunk] if kept.find(keys[one.label], s) is None])
    ]
    outcomes = in_order(executor or InlineExecutor(), _searches, calls)
    for done, (call, found) in enumerate(zip(calls, outcomes, strict=True), start=1):
        label = call[2].label
        kept.add(keys[label], label, found)
        if progress is not None:
            progress(done, len(calls), label)
    return StrategyComparison(
        objective,
        {name: one.unit for name, one in recorded.metrics.items()},
        str(recorded.space),
        int(recorded.is_architecture.sum()),
        feasible,
        optimum,
        queries,
        budget_s,
        repeats,
        seed,
        [_entry(one, kept.of(keys[one.label], seeds)) for one in taking_part],
        left_out,
    )


def _sorted_out(
    recorded: RecordedSpace, objective: Objective, contestants: Sequence[Contestant]
) -> tuple[list[Contestant], dict[str, str]]:
    """Those that can take part, and why the others cannot."""
    reasons = {one.label: one.refusal(recorded, objective) for one in contestants}
    left_out = {label: reason for label, reason in reasons.items() if reason is not None}
    taking_part = [one for one in contestants if one.label not in left_out]
    if not taking_part:
        said = "; ".join(f"{label}: {reason}" for label, reason in left_out.items())
        raise ValueError(f"no strategy can take part: {said}")
    return taking_part, left_out


def _allowed(recorded: RecordedSpace, objective: Objective, budget_s: float) -> int:
    """The most networks that a search can train in so many simulated seconds."""
    if SECONDS not in recorded.metrics:
        raise ValueError(f"a budget of {budget_s:g} s needs the recorded metric {SECONDS}")
    most = recorded.most_within(objective, SECONDS, budget_s)
    if not most:
        least = recorded.metrics[SECONDS].values[recorded.feasible(objective)].min()
        raise ValueError(f"no network is trained within {budget_s:g} s; the quickest takes {least:g} s")
    return most


def _searches(
    recorded: RecordedSpace,
    objective: Objective,
    contestant: Contestant,
    queries: int,
    budget_s: float,
    optimum: float,
    seeds: Sequence[int],
) -> dict[int, Search]:
    search = partial(simulate, recorded, objective, contestant, queries=queries, budget_s=budget_s)
    return {seed: search(seed=seed, goal=optimum) for seed in seeds}


def _entry(contestant: Contestant, searches: Sequence[Search]) -> Entry:
    return Entry(
        contestant.label,
        contestant.is_peer,
        np.array([one.best for one in searches]),
        np.array([one.seconds for one in searches]),
        np.array([one.trained for one in searches], dtype=np.float64),
        sum(one.infeasible for one in searches) / max(1, sum(one.proposals for one in searches)),
        [one.answer for one in searches],
        sum(one.own_seconds for one in searches) / max(1, sum(one.steps for one in searches)),
    )


def _quantile(values: Floats, share: float) -> Floats:
    """`[repeats, queries]` to `[queries]`; NaN counts as the least."""
    known = np.where(np.isnan(values), -np.inf, values)
    found: Floats = np.quantile(known, share, axis=0, method="nearest")
    return np.where(np.isfinite(found), found, math.nan)
