"""What a comparison of strategies says: a headline, a table, remarks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwnas.objectives.shortfall import bounds_text
from hwnas.report.text import UNKNOWN, percent
from hwnas.search.comparison import Entry, StrategyComparison

REFERENCE = "evolution"
CHECKPOINTS = (10, 30, 50, 100)
SHARES = (0.1, 0.25, 0.5, 1)
ENOUGH = 100
"""Repeats from which on an entry may be named in a headline."""
_LARGEST_WITH_ALL_DIGITS = 1e6
MEANING = (
    "The best value within the bounds against the number of networks trained: median of the repeats, shaded "
    "from the lower to the upper quartile. None is counted twice, and one that is trained for a part counts "
    "that part. Other libraries' samplers are dashed."
)
SECONDS_MEANING = (
    "the best value within the bounds after so many simulated seconds of training: median of the repeats, "
    "and in brackets the quartiles; a training that would end after the budget is not begun"
)


@dataclass(frozen=True)
class Target:
    """What the others are measured by: the median that one of them has in the end."""

    label: str
    value: float


def target(comparison: StrategyComparison) -> Target:
    """Of regularised evolution; of the first entry where it takes no part."""
    entries = comparison.entries
    chosen = next((one for one in entries if one.label == REFERENCE), entries[0])
    return Target(chosen.label, float(chosen.quantile(0.5)[-1]))


def checkpoints(comparison: StrategyComparison) -> list[int]:
    """The numbers of trained networks that the table shows."""
    return [*(n for n in CHECKPOINTS if n < comparison.queries), comparison.queries]


def number(value: float) -> str:
    """Five digits, or a dash for NaN."""
    return UNKNOWN if math.isnan(value) else f"{value:.5g}"


def ranked(comparison: StrategyComparison) -> list[Entry]:
    """The entries, the best first: by the number of trained networks to the target, then by the medians."""
    goal = target(comparison).value
    marks = checkpoints(comparison)

    def key(entry: Entry) -> tuple[float, ...]:
        medians = np.nan_to_num(entry.quantile(0.5), nan=-np.inf)
        return (entry.queries_to(goal) or math.inf, *(-float(medians[n - 1]) for n in marks))

    return sorted(comparison.entries, key=key)


def heads(comparison: StrategyComparison) -> list[str]:
    """Of the table's columns."""
    marks = checkpoints(comparison)
    return [
        "strategy",
        *(f"at {n}" for n in marks),
        f"to {number(target(comparison).value)}",
        "mean",
        "regret",
        "optimum",
        "trained",
        "infeasible",
        "µs",
        "repeats",
    ]


def rows(comparison: StrategyComparison) -> list[list[str]]:
    """A row for each entry, the best first."""
    goal, marks = target(comparison).value, checkpoints(comparison)
    found = []
    for entry in ranked(comparison):
        medians = entry.quantile(0.5)
        found.append(
            [
                entry.label,
                *(number(float(medians[n - 1])) for n in marks),
                str(entry.queries_to(goal) or UNKNOWN),
                _spread(entry.best[:, -1]),
                number(comparison.optimum - float(medians[_middle(marks) - 1])),
                percent(entry.found(comparison.optimum, _later(marks))),
                f"{np.median(entry.trained):.0f}",
                percent(entry.infeasible),
                f"{1e6 * entry.step_seconds:.0f}",
                str(len(entry.best)),
            ]
        )
    return found


def tables(comparison: StrategyComparison) -> list[tuple[list[str], list[list[str]]]]:
    """The table in two parts that fit a terminal: heads and rows of what is found, and of how."""
    top, body = heads(comparison), rows(comparison)
    parts = (
        list(range(len(checkpoints(comparison)) + 2)),
        [0, *range(len(checkpoints(comparison)) + 2, len(top))],
    )
    found = [([top[i] for i in part], [[row[i] for i in part] for row in body]) for part in parts]
    return [*found, seconds_table(comparison)] if math.isfinite(comparison.budget_s) else found


def second_marks(comparison: StrategyComparison) -> list[float]:
    """The simulated seconds that tables show: parts of the budget; none without one."""
    budget_s = comparison.budget_s
    return [share * budget_s for share in SHARES] if math.isfinite(budget_s) else []


def seconds_table(comparison: StrategyComparison) -> tuple[list[str], list[list[str]]]:
    """Heads and rows: the median after simulated seconds, and the quartiles; the mean in the end."""
    marks = second_marks(comparison)
    body = []
    for entry in ranked(comparison):
        cells = []
        for seconds in marks:
            low, median, high = (number(entry.quantile_within(share, seconds)) for share in (0.25, 0.5, 0.75))
            cells.append(f"{median} ({low} to {high})")
        body.append([entry.label, *cells, _spread(entry.best[:, -1])])
    return ["strategy", *(f"in {seconds:g} s" for seconds in marks), "mean"], body


def headline(comparison: StrategyComparison) -> str:
    """Who reaches the target first, of those that searched `ENOUGH` times or, else, the most often."""
    enough = min(ENOUGH, max(len(entry.best) for entry in comparison.entries))
    best = next(entry for entry in ranked(comparison) if len(entry.best) >= enough)
    goal = target(comparison)
    reached = best.queries_to(goal.value)
    if reached is None:
        return (
            f"{goal.label} finds nothing within the bounds in half of its searches; {best.label} is the best"
        )
    what = f"{comparison.objective.maximize} {number(goal.value)}"
    networks = "1 trained network" if reached == 1 else f"{reached} trained networks"
    return (
        f"{best.label} reaches {what} with {networks} (median of {len(best.best)} searches); it is what "
        f"{goal.label} has {_end(comparison)}"
    )


def task(comparison: StrategyComparison) -> str:
    """What was searched for, and in what."""
    bounds = comparison.objective.constraints
    within = f" subject to {bounds_text(bounds, comparison.units)}" if bounds else ""
    budget = f"; {comparison.budget_s:g} simulated seconds" if math.isfinite(comparison.budget_s) else ""
    seeds = f"seeds {comparison.seed} to {comparison.seed + comparison.repeats - 1}"
    return (
        f"{comparison.objective.maximize}{within}: {comparison.feasible:,} of the "
        f"{comparison.architectures:,} architectures of {comparison.space} are feasible, the best has "
        f"{number(comparison.optimum)}{budget}; {seeds}"
    )


def legend(comparison: StrategyComparison) -> str:
    """How the table is to be read."""
    goal, marks = target(comparison), checkpoints(comparison)
    return (
        f"at {marks[0]}: median of the best {comparison.objective.maximize} after {marks[0]} trained "
        f"networks; to {number(goal.value)}: after how many the median is what {goal.label} has in the end; "
        f"mean: {_end(comparison)}, with the standard deviation; regret: the optimum less the median, after "
        f"{_middle(marks)}; optimum: share of the searches that found it within {_later(marks)}; trained: "
        "how many networks until the search ended, as it does where it has the optimum; infeasible: share of "
        "the proposals that break a bound; µs: processor time of an ask and a tell; repeats: searches"
    )


def remarks(comparison: StrategyComparison) -> list[str]:
    """Who was left out, and why."""
    return [f"left out: {label}: {reason}" for label, reason in comparison.left_out.items()]


def _end(comparison: StrategyComparison) -> str:
    budget_s = comparison.budget_s
    return f"in {budget_s:g} s" if math.isfinite(budget_s) else f"after {comparison.queries}"


def _spread(last: np.ndarray) -> str:
    """Mean and standard deviation, the parts of the largest first, whose sums cannot overflow."""
    known = last[~np.isnan(last)]
    if not len(known):
        return UNKNOWN
    largest = float(np.abs(known).max()) or 1.0
    parts = known / largest
    digits = ".3g" if largest >= _LARGEST_WITH_ALL_DIGITS else ".2f" if largest >= 10 else ".4f"
    return f"{parts.mean() * largest:{digits}} ± {parts.std() * largest:{digits}}"


def _middle(marks: Sequence[int]) -> int:
    return 50 if 50 in marks else marks[-1]


def _later(marks: Sequence[int]) -> int:
    return 100 if 100 in marks else marks[-1]
