"""The accuracy of an architecture with the weights that it inherits from a supernet."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hwnas.differentiable.oneshot.recalibration import recalibrate
from hwnas.differentiable.supernet.module import Supernet
from hwnas.network.to_torch import to_torch
from hwnas.objectives import MetricError
from hwnas.spaces import Architecture
from hwnas.training import DataSet, accuracy
from hwnas.training.batches import prepared

BATCH = 128


def inherited_module(supernet: Supernet, architecture: Architecture) -> nn.Module:
    """The architecture's network with a copy of the supernet's weights and statistics, on the CPU."""
    with torch.random.fork_rng(devices=[]):
        module = to_torch(architecture.network)
    module.load_state_dict(supernet.inherited(supernet.supernetwork.choices(architecture)))
    return module


def calibration_images(data: DataSet, count: int, seed: int) -> Tensor:
    """As many of the train images, uint8 `[n, c, h, w]`; all where there are not so many."""
    generator = torch.Generator().manual_seed(seed)
    return data.train_images[torch.randperm(len(data.train_labels), generator=generator)[:count]]


def oneshot_accuracy(
    supernet: Supernet,
    architecture: Architecture,
    data: DataSet,
    calibration: Tensor,
    device: str | torch.device = "cpu",
) -> float:
    """The fraction, in [0, 1], of the data's test images that the inherited weights classify right.

    Args:
        supernet: stays as it is.
        architecture: of its space.
        data: how images are prepared, and what is classified: its test part.
        calibration: by what statistics are measured anew, uint8 `[n, c, h, w]`.
        device: where.

    Raises:
        MetricError: an output is NaN or infinite.
    """
    module = inherited_module(supernet, architecture).to(device)
    recalibrate(module, (prepared(data, part.to(device)) for part in torch.split(calibration, BATCH)))
    try:
        return accuracy(
            module, data.test_images, data.test_labels, prepare=lambda images: prepared(data, images)
        )
    except FloatingPointError as error:
        raise MetricError(f"accuracy_oneshot: {error}") from error
