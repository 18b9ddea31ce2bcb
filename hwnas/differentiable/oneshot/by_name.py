"""`accuracy_oneshot` with its settings, as the command line gives them: `epochs=100,sampling=sandwich`."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import Parameter, signature
from typing import Any, cast

from hwnas.differentiable.oneshot.metric import NAME as NAME
from hwnas.differentiable.oneshot.metric import OneShotAccuracy
from hwnas.differentiable.oneshot.settings import How, OneShotSettings
from hwnas.torch_device import check_torch_device
from hwnas.training import TrainingSettings
from hwnas.training.settings import Precision
from hwnas.typed import check_settings

WARMUP = 1 / 20
"""Part of the epochs in which the learning rate rises."""


def accuracy_oneshot(
    data: str | None, seed: int, settings: Mapping[str, Any] | None = None
) -> OneShotAccuracy:
    """The accuracy with the weights of a supernet that is trained on `data`.

    Args:
        data: what `hwnas.training.load` takes.
        seed: of the training.
        settings: `epochs` (50), `batch_size`, `lr`, `precision` of the training; `sampling` and `elastic` as
            in `OneShotSettings`; `calibration_images`; `limit` of images; `device`, cpu or cuda; `folder`
            of a supernet that several searches share, that of the run where it is not given.

    Raises:
        ValueError: no data, or a setting that is unknown, of the wrong kind, or out of range.
    """
    if data is None:
        raise ValueError(f"metric {NAME!r} trains on images: --data digits, a file, or a folder")
    given = dict(settings or {})
    for name in given:
        if name not in SETTINGS:
            raise ValueError(f"metric {NAME}: {name} is no setting of it; it has {', '.join(SETTINGS)}")
    check_settings(_metric, given, f"metric {NAME}")
    try:
        return _metric(data, seed, **given)
    except ValueError as error:
        raise ValueError(f"metric {NAME}: {error}") from error


def _metric(
    data: str,
    seed: int,
    *,
    epochs: int = 50,
    batch_size: int = 64,
    lr: float = 0.05,
    precision: str = "fp32",
    sampling: str = "uniform",
    elastic: bool = False,
    calibration_images: int = 1024,
    limit: int | None = None,
    device: str = "cpu",
    folder: str | None = None,
) -> OneShotAccuracy:
    check_torch_device(device, precision)
    if limit is not None and limit < 2:
        raise ValueError(f"limit must be at least 2 images, not {limit}")
    training = TrainingSettings(
        epochs=epochs,
        batch_size=batch_size,
        lr=lr,
        warmup_epochs=WARMUP * max(epochs, 0),
        precision=cast(Precision, precision),
        seed=seed,
    )
    how = OneShotSettings(training, cast(How, sampling), elastic, calibration_images)
    return OneShotAccuracy(data, how, folder=folder, limit=limit, device=device)


SETTINGS = tuple(
    name
    for name, parameter in signature(_metric).parameters.items()
    if parameter.kind is Parameter.KEYWORD_ONLY
)
