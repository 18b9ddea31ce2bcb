"""The answer of a run in one sentence."""

from __future__ import annotations

import math

from hwnas.report.derived import ACCURACY, FEASIBLE, LATENCY, answer, best_trial, known, state
from hwnas.report.derived import metric_info as info
from hwnas.report.text import described, label, percent, quantity
from hwnas.search.records import Candidate, RunRecord


def headline(record: RunRecord) -> str:
    """One sentence: what was found, or plainly that nothing was and what comes nearest."""
    candidate = answer(record)
    if not record.trials and candidate is None:
        return "No trial has been recorded yet."
    if candidate is None:
        return _unverified(record)
    if record.winner is None:
        return f"No candidate satisfies {_budgets(record)}: the nearest {_facts(record, candidate)}."
    return f"The best network {_facts(record, candidate)}."


def device_name(record: RunRecord) -> str:
    """The device in a few words, empty where the record does not name it."""
    device = record.environment.get("device", record.config.get("device"))
    return described(device) if device else ""


def _facts(record: RunRecord, candidate: Candidate) -> str:
    names = [LATENCY] if not math.isnan(known(candidate, LATENCY)) or LATENCY in record.bounds else []
    names += [name for name in record.bounds if name != LATENCY]
    parts = [
        _latency(record, candidate) if name == LATENCY else _cost(record, candidate, name) for name in names
    ]
    start = "" if names[:1] == [LATENCY] else "has "
    return start + "; ".join([*parts, _quality(record, candidate)])


def _latency(record: RunRecord, candidate: Candidate) -> str:
    value, metric = known(candidate, LATENCY), info(record, LATENCY)
    place = f" on {device_name(record)}" if device_name(record) else ""
    if math.isnan(value):
        return f"has no known latency{place}, {_against(record, LATENCY, value)}"
    if LATENCY in candidate.measured:
        statistic = record.environment.get("statistic", "p10")
        said = f"runs in {quantity(value, metric)} ({statistic}){place}"
    else:
        predicted = f"{quantity(value, metric)}{_at_most(record, candidate)}"
        said = f"is predicted to run in {predicted}{place}, not measured"
    return f"{said}, {_against(record, LATENCY, value)}".removesuffix(", ")


def _at_most(record: RunRecord, candidate: Candidate) -> str:
    found = candidate.intervals.get(LATENCY)
    if found is None:
        return ""
    return f" (with {100 * found.level:g} % probability below {quantity(found.upper, info(record, LATENCY))})"


def _cost(record: RunRecord, candidate: Candidate, name: str) -> str:
    value = known(candidate, name)
    return f"{label(name)} {quantity(value, info(record, name))}, {_against(record, name, value)}"


def _against(record: RunRecord, name: str, value: float) -> str:
    if name not in record.bounds:
        return ""
    bound = record.bounds[name]
    said = quantity(bound, info(record, name))
    if math.isnan(value):
        return f"against the budget of {said}"
    if value > bound:
        return f"{percent(value / bound - 1)} over the budget of {said}"
    return f"under the budget of {said}" if value < bound else f"exactly the budget of {said}"


def _quality(record: RunRecord, candidate: Candidate) -> str:
    if ACCURACY in candidate.measured:
        return f"test accuracy {quantity(candidate.measured[ACCURACY], info(record, ACCURACY))}"
    score = quantity(known(candidate, record.maximize), info(record, record.maximize))
    return f"{label(record.maximize)} {score}, not trained"


def _unverified(record: RunRecord) -> str:
    feasible = sum(state(trial, record.bounds) == FEASIBLE for trial in record.trials)
    if not feasible:
        return f"None of {trials_of(len(record.trials))} satisfies {_budgets(record)}."
    found = best_trial(record)
    score = None if found is None else found.metrics[record.maximize]
    best = quantity(score, info(record, record.maximize))
    return (
        f"No network has been verified yet: {feasible} of {trials_of(len(record.trials))} "
        f"feasible by the search's estimates, best {label(record.maximize)} {best}."
    )


def trials_of(number: int) -> str:
    """`1 trial`, `300 trials`."""
    return "1 trial" if number == 1 else f"{number:,} trials"


def _budgets(record: RunRecord) -> str:
    said = [f"{label(name)} ≤ {quantity(bound, info(record, name))}" for name, bound in record.bounds.items()]
    return "the budget of " + " and ".join(said) if said else "the constraints"


def trainings_of(number: float, metric: str) -> str:
    """`accuracy of 84 networks`, `accuracy of 12.3 networks` where some were trained for a part only."""
    networks = f"{number:,.1f}".removesuffix(".0")
    return f"{metric} of {networks} network{'' if networks == '1' else 's'}"
