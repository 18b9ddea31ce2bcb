"""`reduced_accuracy` with its settings, as the command line gives them: `epochs=27,channels=0.5`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hwnas.torch_device import check_torch_device
from hwnas.typed import check_settings

if TYPE_CHECKING:
    from hwnas.training import ReducedAccuracy

NAME = "reduced_accuracy"
_TRAINING = ("epochs", "batch_size", "lr", "precision")
_REDUCTION = ("channels", "resolution", "samples")
_DATA = ("limit", "device")
SETTINGS = (*_TRAINING, *_REDUCTION, *_DATA)
WARMUP = 1 / 20
"""Part of the epochs in which the learning rate rises."""


def reduced_accuracy(
    data: str | None, seed: int, settings: Mapping[str, Any] | None = None
) -> ReducedAccuracy:
    """The accuracy after a reduced training on `data`.

    Args:
        data: what `hwnas.training.load` takes.
        seed: of the training.
        settings: `epochs` of the reduced training itself (1 by default), its `batch_size`, `lr` and
            `precision`; the parts `channels`, `resolution` and `samples` that remain; `limit` of images;
            `device`, cpu or cuda.

    Raises:
        ValueError: no data, or a setting that is unknown, of the wrong kind, or out of range.
    """
    if data is None:
        raise ValueError(f"metric {NAME!r} trains on images: --data digits, a file, or a folder")
    from hwnas.training import ReducedAccuracy, Reduction, TrainingSettings

    given = dict(settings or {})
    _check(given)
    epochs = given.get("epochs", 1)
    try:
        training = TrainingSettings(
            **{"epochs": epochs, "warmup_epochs": WARMUP * max(epochs, 0), **_those(given, _TRAINING)},
            seed=seed,
        )
        reduction = Reduction(epochs=1.0, **_those(given, _REDUCTION))
    except ValueError as error:
        raise ValueError(f"metric {NAME}: {error}") from error
    return ReducedAccuracy(data, training, reduction=reduction, **_those(given, _DATA))


def _check(given: Mapping[str, Any]) -> None:
    from hwnas.training import ReducedAccuracy, Reduction, TrainingSettings

    for name in given:
        if name not in SETTINGS:
            raise ValueError(f"metric {NAME}: {name} is no setting of it; it has {', '.join(SETTINGS)}")
    for kind, names in ((TrainingSettings, _TRAINING), (Reduction, _REDUCTION), (ReducedAccuracy, _DATA)):
        check_settings(kind, _those(given, names), f"metric {NAME}")
    limit = given.get("limit")
    if limit is not None and limit < 2:
        raise ValueError(f"metric {NAME}: limit must be at least 2 images, not {limit}")
    try:
        check_torch_device(given.get("device") or "cpu", given.get("precision", "fp32"))
    except ValueError as error:
        raise ValueError(f"metric {NAME}: {error}") from error


def _those(given: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name in names}
