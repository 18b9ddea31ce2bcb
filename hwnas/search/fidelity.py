"""Metrics at a fidelity: after a part of the full training, under a name of their own.

`accuracy@0.333` is the accuracy after a third of the full training. Having another name, it is never taken
for the accuracy: neither by an objective, nor in a record, nor in the choice of the answer.
"""

from __future__ import annotations

from collections.abc import Mapping

from hwnas.objectives import Metric, MultiFidelityMetric

_AT = "@"


def at_fidelity(name: str, fidelity: float) -> str:
    """The name of a metric at a fidelity, in (0, 1]; at 1 it is the metric's own.

    Raises:
        ValueError: the fidelity is not in (0, 1].
    """
    if not 0 < fidelity <= 1:
        raise ValueError(f"a fidelity is above 0 and at most 1, the full training, not {fidelity}")
    return name if fidelity == 1 else f"{name}{_AT}{fidelity:.6g}"


def split(name: str) -> tuple[str, float]:
    """The metric and the fidelity of a name: `accuracy` and 0.333; any other name has fidelity 1."""
    metric, _, share = name.rpartition(_AT)
    try:
        fidelity = float(share)
    except ValueError:
        return name, 1.0
    return (metric, fidelity) if metric and 0 < fidelity < 1 else (name, 1.0)


def require_whole(name: str) -> None:
    """Raise ValueError where a metric to maximise is called like one after a part of a training."""
    metric, fidelity = split(name)
    if fidelity < 1:
        raise ValueError(
            f"{name} means {metric} after a part of the training; to maximise it, give it a name without "
            f"{_AT!r}"
        )


def metric_named(name: str, metrics: Mapping[str, Metric]) -> Metric:
    """The metric of that name, or the one that it names at a fidelity.

    Raises:
        ValueError: there is none, or it cannot be evaluated at that fidelity; says why.
    """
    if name in metrics:
        return metrics[name]
    base, fidelity = split(name)
    if base not in metrics:
        raise ValueError(f"metric {name!r} is not given; given: {', '.join(metrics)}")
    metric = metrics[base]
    if not isinstance(metric, MultiFidelityMetric):
        raise ValueError(
            f"metric {base!r} cannot be evaluated after a part of the training (it has no at_fidelity); "
            "maximise an accuracy by training, or choose another strategy"
        )
    return metric.at_fidelity(fidelity)
