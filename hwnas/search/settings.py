"""The settings of a search: from what a person wrote to metrics, an objective, a strategy, a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from difflib import get_close_matches
from inspect import signature
from typing import Any

from hwnas.objectives import Constraint, Metric, Objective
from hwnas.search.metrics import PredictedMetric, metric, more_is_better, predicted_metrics
from hwnas.search.strategy import STRATEGIES, Strategy
from hwnas.spaces import SearchSpace
from hwnas.spec import read_settings
from hwnas.typed import check_settings


def resolve_metrics(
    maximize: str,
    subject_to: Sequence[str | Constraint],
    given: Mapping[str, Any],
    named: Sequence[str] = (),
    *,
    data: str | None,
    seed: int,
    confidence: float | None = None,
    runtime: str | None = None,
) -> dict[str, Metric]:
    """All metrics of a search by name: those `given`, and the counts and proxies that it needs beside.

    `named` are those that the strategy's settings name.

    A calibrated predictor becomes two, see `predicted_metrics`.

    Raises:
        ValueError: a metric is unknown, or what is given for it is none.
    """
    constrained = [c.metric if isinstance(c, Constraint) else Constraint.metric_in(c) for c in subject_to]
    names = dict.fromkeys([maximize, *constrained, *named, *given])
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
    missing = [part for part in ("name", "unit", "higher_is_better", "expensive") if not hasattr(own, part)]
    if callable(own) and not missing:
        return {name: own}
    lacks = f"; it lacks {', '.join(missing)}" if callable(own) else ""
    raise ValueError(
        f"metrics: {name!r} must be a predictor, with predict(networks), or a Metric, not {own!r}{lacks}"
    )


def make_objective(
    maximize: str, subject_to: Sequence[str | Constraint], metrics: Mapping[str, Metric]
) -> Objective:
    """The objective, with the tighter of two bounds on one metric.

    Raises:
        ValueError: a constraint is malformed, or less is better of the metric to maximise; a count such as
            `params` may be maximised, for networks that use all of a bound.
    """
    if not more_is_better(metrics[maximize]):
        raise ValueError(
            f"less is better of {maximize}, so it cannot be maximised; bound it: '{maximize} <= NUMBER'"
        )
    units = {name: one.unit for name, one in metrics.items()}
    tightest: dict[str, Constraint] = {}
    for given in subject_to:
        constraint = given if isinstance(given, Constraint) else Constraint.parse(given, units)
        known = tightest.setdefault(constraint.metric, constraint)
        tightest[constraint.metric] = min(known, constraint, key=lambda one: one.bound)
    return Objective(maximize, tuple(tightest.values()))


def read_strategy(text: str) -> tuple[str, dict[str, Any]]:
    """Name and settings of `genetic:population=20,parents=6`; raises ValueError where it is malformed."""
    name, colon, settings = text.partition(":")
    return name, read_settings(settings, f"strategy {name}") if colon else {}


def unknown_strategy(name: str, known: Sequence[str]) -> ValueError:
    """What to raise for a name that is none of the known ones."""
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return ValueError(f"unknown strategy {name!r}; {hint}known: {', '.join(known)}")


def check_strategy(name: str, settings: Mapping[str, Any]) -> None:
    """Raise ValueError naming the known strategies, or the setting that is wrong."""
    if name not in STRATEGIES:
        raise unknown_strategy(name, tuple(STRATEGIES))
    for setting in settings:
        owners = [one for one in STRATEGIES if _takes(one, setting)]
        if name not in owners:
            of = (
                f"a setting of {', '.join(owners)}, not of {name}" if owners else "no setting of any strategy"
            )
            own = [key for key in signature(STRATEGIES[name]).parameters if key not in _GIVEN]
            raise ValueError(f"strategy {name}: {setting} is {of}; it has {', '.join(own) or 'none'}")
    check_settings(STRATEGIES[name], settings, f"strategy {name}")


_GIVEN = ("space", "objective", "seed")


def _takes(strategy: str, setting: str) -> bool:
    parameters = signature(STRATEGIES[strategy]).parameters
    return setting not in _GIVEN and setting in parameters


def metrics_of(name: str, settings: Mapping[str, Any]) -> list[str]:
    """The metrics that a strategy's settings name: `costs`, `proxies`, and each that ends in `_by`."""
    found: list[str] = []
    for setting, parameter in signature(STRATEGIES[name]).parameters.items():
        value = settings.get(setting, parameter.default)
        if setting.endswith("_by") and value:
            found.append(value)
        elif setting in ("costs", "proxies") and value:
            found += [value] if isinstance(value, str) else value
    return found


def make_strategy(
    name: str, space: SearchSpace, objective: Objective, seed: int, settings: Mapping[str, Any]
) -> Strategy:
    """A strategy by name; raises ValueError naming the known ones, or a setting that is wrong or missing."""
    check_strategy(name, settings)
    kind = STRATEGIES[name]
    try:
        signature(kind).bind(space, objective, seed=seed, **settings)
    except TypeError as error:
        raise ValueError(f"strategy {name}: {error}") from error
    return kind(space, objective, seed=seed, **settings)


def describe(
    space: SearchSpace,
    objective: Objective,
    metrics: Mapping[str, Metric],
    strategy: str,
    searcher: Strategy,
    seed: int,
    data: str | None,
    ahead: int,
) -> dict[str, Any]:
    """What decides the trials of a run, as plain data."""
    return {
        "space": str(space),
        "maximize": objective.maximize,
        "constraints": {c.metric: c.bound for c in objective.constraints},
        "strategy": {"name": strategy, **searcher.settings()},
        "seed": seed,
        "data": data,
        "ahead": ahead,
        "metrics": {name: _described(one) for name, one in metrics.items()},
    }


def _described(one: Any) -> dict[str, Any]:
    if isinstance(one, PredictedMetric):
        card = getattr(one.predictor, "card", None)
        described = {"predictor": [card.kind, card.table_id] if card else _label(one.predictor)}
        return described if one.confidence is None else {**described, "confidence": one.confidence}
    if is_dataclass(one) and not isinstance(one, type):
        return {"kind": type(one).__name__, **asdict(one)}
    if hasattr(one, "card"):
        return {"kind": type(one).__name__, **one.card()}
    return {"kind": type(one).__name__, "name": one.name}


def _label(predictor: Any) -> str:
    """What tells a predictor without a card from others: its `label`, or else its class."""
    return str(getattr(predictor, "label", type(predictor).__name__))
