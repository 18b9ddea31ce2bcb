"""Accuracy on images that were not trained on."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from hwnas.network.modes import evaluation_mode


def accuracy(
    module: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    prepare: Callable[[Tensor], Tensor] | None = None,
    batch_size: int = 512,
) -> float:
    """Give the fraction, in [0, 1], of images whose highest output is their label.

    The module is in evaluation mode meanwhile; each submodule's mode is restored.

    Args:
        module: gives [n, classes] for [n, C, H, W]; batches are moved to the device of its parameters.
        images: [N, C, H, W].
        labels: int64 [N].
        prepare: applied to each batch of images, for example `data.standardise`.
        batch_size: images at once.

    Raises:
        ValueError: no images, not one label for each, or outputs of another shape.
        FloatingPointError: an output is NaN or infinite.
    """
    if len(images) == 0 or labels.shape != (len(images),):
        raise ValueError(
            f"give one label for each of at least one image, got {len(images)} and {labels.shape}"
        )
    device = device_of(module)
    correct = 0
    with evaluation_mode(module), torch.inference_mode():
        for start in range(0, len(images), batch_size):
            batch = images[start : start + batch_size].to(device)
            outputs = module(batch if prepare is None else prepare(batch))
            if outputs.ndim != 2:
                raise ValueError(f"the network gives {list(outputs.shape)}; [images, classes] is needed")
            if not outputs.isfinite().all():
                raise FloatingPointError("an output of the network is NaN or infinite")
            correct += int((outputs.argmax(1).cpu() == labels[start : start + batch_size].cpu()).sum())
    return correct / len(images)


def device_of(module: nn.Module) -> torch.device:
    """Give the device of a module's first parameter; the CPU where it has none."""
    return next((parameter.device for parameter in module.parameters()), torch.device("cpu"))
