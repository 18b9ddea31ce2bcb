"""What a search says that found nothing within the constraints: why, and what comes nearest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hwnas.objectives import Constraint, Metric, Objective
from hwnas.objectives.shortfall import bounds_text, shortfall
from hwnas.search.records import RunRecord, Trial


def unmet(trials: Sequence[Trial], objective: Objective, metrics: Mapping[str, Metric]) -> str | None:
    """Why none of `trials` is an answer: the nearest, or the metric that is undefined; None where one is."""
    if any(objective.fitness(trial.metrics).rank == 2 for trial in trials):
        return None
    units = {name: one.unit for name, one in metrics.items()}
    bounds = bounds_text(objective.constraints, units)
    within = [trial for trial in trials if objective.is_feasible(trial.metrics)]
    if within:
        of = f" that satisfy {bounds}" if bounds else ""
        return f"{objective.maximize} is defined for none of {len(within)} trials{of}: {_reason(within)}"
    said = f"none of {len(trials)} trials satisfies {bounds}"
    undefined = [one.metric for one in objective.constraints if _is_undefined(one.metric, trials, metrics)]
    failed = [trial for trial in trials if trial.status == "failed"]
    if undefined:
        said += f"; {undefined[0]} is defined for none of them: {_reason(trials)}"
    elif failed:
        said += f"; a metric is undefined for {len(failed)} of them: {_reason(failed)}"
    return said + _nearest(trials, objective, units)


def unanswered(record: RunRecord) -> str:
    """Why a recorded run without a winner has none: the candidate or the trial that came nearest."""
    constraints = tuple(Constraint(name, bound) for name, bound in record.bounds.items())
    units = {name: _unit(name) for name in record.bounds}
    units |= {name: info.unit for name, info in record.metrics.items()}
    bounds = bounds_text(constraints, units) or "what was asked"
    if record.candidates:
        closest = record.candidates[0]
        facts = [f"has {shortfall(constraints, units, closest.compared)}"] if constraints else []
        facts += [closest.reason] if closest.reason else []
        return (
            f"no candidate satisfies {bounds} by measurement; the nearest, {closest.architecture}"
            f"{', ' if facts else ''}{': '.join(facts)}"
        )
    objective = Objective(record.maximize, constraints)
    if any(objective.fitness(trial.metrics).rank == 2 for trial in record.trials):
        return f"{record.title} has no verified network yet; repeat its search to go on"
    fact = _nearest(record.trials, objective, units) or f": {_reason(record.trials)}"
    return f"no architecture satisfies {bounds}{fact}"


def _nearest(trials: Sequence[Trial], objective: Objective, units: Mapping[str, str]) -> str:
    """The end of a sentence on the trial that exceeds the bounds the least; empty where none is known to."""
    beyond = [trial for trial in trials if objective.violation(trial.metrics) > 0]
    if not beyond:
        return ""
    nearest = min(beyond, key=lambda trial: objective.violation(trial.metrics))
    facts = shortfall(objective.constraints, units, nearest.metrics)
    return f"; the nearest, {nearest.architecture}, has {facts}"


def _unit(name: str) -> str:
    """Of a metric by the ending of its name; a search that found nothing leaves no other record of it."""
    return {"bytes": "bytes", "ms": "ms", "mj": "mJ"}.get(name.rpartition("_")[2], "")


def _is_undefined(name: str, trials: Sequence[Trial], metrics: Mapping[str, Metric]) -> bool:
    """Whether a cheap metric, which every trial asks for, has no value in any of them."""
    return not metrics[name].expensive and not any(name in trial.metrics for trial in trials)


def _reason(trials: Sequence[Trial]) -> str:
    return next((trial.reason for trial in trials if trial.reason), "no reason given")
