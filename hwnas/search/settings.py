"""The settings of a search: from what a person wrote to metrics, an objective, a strategy, a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from inspect import signature
from typing import Any

from hwnas.objectives import Constraint, Metric, Objective
from hwnas.search.loop import AHEAD
from hwnas.search.metrics import PredictedMetric, metric, predicted_metrics
from hwnas.search.strategy import STRATEGIES, Strategy
from hwnas.spaces import SearchSpace


def resolve_metrics(
    maximize: str,
    subject_to: Sequence[str | Constraint],
    given: Mapping[str, Any],
    warm_up_by: str | None,
    *,
    data: str | None,
    seed: int,
    confidence: float | None = None,
    runtime: str | None = None,
) -> dict[str, Metric]:
    """All metrics of a search by name: those `given`, and the counts and proxies that it needs beside.

    A calibrated predictor becomes two, see `predicted_metrics`.

    Raises:
        ValueError: a metric is unknown, or what is given for it is none.
    """
    constrained = [c.metric if isinstance(c, Constraint) else Constraint.metric_in(c) for c in subject_to]
    names = dict.fromkeys([maximize, *constrained, *([warm_up_by] if warm_up_by else []), *given])
    found: dict[str, Metric] = {}
    for name in names:
        if name in given:
            found |= _given(name, given[name], confidence)
        else:
            found[name] = metric(name, data=data, seed=seed, runtime=runtime)
    return found


def _given(name: str, own: Any, confidence: float | None) -> dict[str, Metric]:
    if hasattr(own, "predict"):
        return {one.name: one for one in predicted_metrics(name, own, confidence)}
    if callable(own) and all(hasattr(own, part) for part in ("unit", "higher_is_better", "expensive")):
        return {name: own}
    raise ValueError(f"metric {name!r} must be a predictor, with predict(networks), or a Metric, not {own!r}")


def make_objective(
    maximize: str, subject_to: Sequence[str | Constraint], metrics: Mapping[str, Metric]
) -> Objective:
    """The objective, with the tighter of two bounds on one metric; raises ValueError for a malformed one."""
    units = {name: one.unit for name, one in metrics.items()}
    tightest: dict[str, Constraint] = {}
    for given in subject_to:
        constraint = given if isinstance(given, Constraint) else Constraint.parse(given, units)
        known = tightest.setdefault(constraint.metric, constraint)
        tightest[constraint.metric] = min(known, constraint, key=lambda one: one.bound)
    return Objective(maximize, tuple(tightest.values()))


def check_options(strategy: str, spelled: Mapping[str, str]) -> None:
    """Refuse settings that are not the strategy's own.

    Args:
        strategy: its name.
        spelled: what the message calls each setting that is given, by the setting's name.

    Raises:
        ValueError: naming the known strategies, or the setting and those that have it.
    """
    if strategy not in STRATEGIES:
        raise ValueError(f"unknown strategy {strategy!r}; known: {', '.join(STRATEGIES)}")
    for setting, option in spelled.items():
        owners = [name for name in STRATEGIES if _takes(name, setting)]
        if strategy not in owners:
            of = f"an option of {', '.join(owners)}, not of {strategy}" if owners else "no option"
            raise ValueError(f"strategy {strategy}: {option} is {of}")


def _takes(strategy: str, setting: str) -> bool:
    parameters = signature(STRATEGIES[strategy]).parameters
    return setting in parameters or any(one.kind is one.VAR_KEYWORD for one in parameters.values())


def make_strategy(
    name: str, space: SearchSpace, objective: Objective, seed: int, settings: Mapping[str, Any]
) -> Strategy:
    """A strategy by name; raises ValueError naming the known ones, or the setting that is wrong."""
    check_options(name, {setting: setting for setting in settings})
    try:
        return STRATEGIES[name](space, objective, seed=seed, **settings)
    except TypeError as error:
        raise ValueError(f"strategy {name}: {error}") from error


def describe(
    space: SearchSpace,
    objective: Objective,
    metrics: Mapping[str, Metric],
    strategy: str,
    searcher: Strategy,
    seed: int,
    data: str | None,
) -> dict[str, Any]:
    """What decides the trials of a run, as plain data."""
    return {
        "space": str(space),
        "maximize": objective.maximize,
        "constraints": {c.metric: c.bound for c in objective.constraints},
        "strategy": {"name": strategy, **searcher.settings()},
        "seed": seed,
        "data": data,
        "ahead": AHEAD,
        "metrics": {name: _described(one) for name, one in metrics.items()},
    }


def _described(one: Any) -> dict[str, Any]:
    if isinstance(one, PredictedMetric):
        card = getattr(one.predictor, "card", None)
        described = {"predictor": [card.kind, card.table_id] if card else _label(one.predictor)}
        return described if one.confidence is None else {**described, "confidence": one.confidence}
    if is_dataclass(one) and not isinstance(one, type):
        return {"kind": type(one).__name__, **asdict(one)}
    return {"kind": type(one).__name__, "name": one.name}


def _label(predictor: Any) -> str:
    """What tells a predictor without a card from others: its `label`, or else its class."""
    return str(getattr(predictor, "label", type(predictor).__name__))
