"""`--maximize`: metrics that train, their settings, and how candidates are then trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hwnas.objectives import Metric
from hwnas.spec import read_settings

if TYPE_CHECKING:
    from hwnas.search import Training
    from hwnas.training import TrainingSettings

Made = Callable[[str | None, int, Mapping[str, Any]], Metric]


@dataclass(frozen=True)
class TrainedMetric:
    """A metric that trains on images.

    Attributes:
        kind: in a few words, for lists.
        make: the metric, of a data set, a seed and settings.
        training: with which settings and on which device (the CPU where None) it trains.
        settings: the names of those that `make` takes.
    """

    kind: str
    make: Made
    training: Callable[[Any], tuple[TrainingSettings, str | None]]
    settings: tuple[str, ...]


def trained_metrics() -> dict[str, TrainedMetric]:
    """All of them by name."""
    from hwnas.differentiable.oneshot import by_name as oneshot
    from hwnas.search import reduced

    return {
        reduced.NAME: TrainedMetric(
            "reduced training",
            reduced.reduced_accuracy,
            lambda metric: (metric.full.settings, metric.full.device),
            reduced.SETTINGS,
        ),
        oneshot.NAME: TrainedMetric(
            "weights of a supernet",
            oneshot.accuracy_oneshot,
            lambda metric: (metric.settings.training, metric.device),
            oneshot.SETTINGS,
        ),
    }


def maximized(text: str, data: str | None, seed: int) -> tuple[str, dict[str, Metric]]:
    """The name of the metric to maximise, and the metric itself where it is one that trains.

    Raises:
        ValueError: settings of a metric that has none, or wrong ones.
    """
    name, colon, settings = text.partition(":")
    known = trained_metrics()
    if name in known:
        given = read_settings(settings, f"metric {name}") if colon else {}
        return name, {name: known[name].make(data, seed, given)}
    if colon:
        raise ValueError(f"--maximize {text!r}: only {' and '.join(known)} have settings, {name} has none")
    return name, {}


def training_of_candidates(
    data: str | None, epochs: int, seed: int, own: Mapping[str, Metric]
) -> Training | None:
    """How candidates are trained: as the maximised metric trains, where it does; not for 0 epochs.

    Raises:
        ValueError: there are no images, or `epochs` is below 0.
    """
    if epochs < 0:
        raise ValueError(f"--train-epochs must be at least 0, not {epochs}")
    if epochs == 0:
        return None
    if data is None:
        raise ValueError("--train-epochs needs --data: digits, a file, or a folder of images")
    from hwnas.search import Training
    from hwnas.training import TrainingSettings

    for name, metric in own.items():
        settings, device = trained_metrics()[name].training(metric)
        settings = replace(settings, epochs=epochs, warmup_epochs=min(0.5, epochs / 2))
        return Training(data, settings, device)
    return Training(data, TrainingSettings(epochs=epochs, seed=seed))
