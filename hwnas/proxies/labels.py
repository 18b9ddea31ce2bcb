"""What cross-entropy asks of labels."""

import torch
from torch import Tensor


def check_labels(targets: Tensor, outputs: Tensor) -> None:
    """Require int64 labels in range, or class probabilities of the outputs' shape.

    Raises:
        ValueError: naming the argument of `score` that does not fit, and what would.
    """
    if outputs.ndim < 2 or len(outputs) != len(targets):
        raise ValueError(
            f"select_output: cross-entropy needs outputs of the shape ({len(targets)}, classes), "
            f"not {tuple(outputs.shape)}"
        )
    if targets.is_floating_point():
        if targets.shape != outputs.shape:
            raise ValueError(
                f"targets: as class probabilities they need the shape {tuple(outputs.shape)}, "
                f"not {tuple(targets.shape)}; labels need the dtype int64"
            )
        return
    right = (len(outputs), *outputs.shape[2:])
    if targets.dtype != torch.int64 or targets.shape != right:
        found = f"{targets.dtype} of shape {tuple(targets.shape)}"
        raise ValueError(f"targets: {found}; pass int64 labels of shape {right}")
    low, high, classes = int(targets.min()), int(targets.max()), outputs.shape[1]
    if low < 0 or high >= classes:
        raise ValueError(
            f"targets: labels from {low} to {high}, for {classes} outputs; they must lie in 0..{classes - 1}"
        )
