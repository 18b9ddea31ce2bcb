"""Accuracy of an int8 .tflite file, as the microcontroller's own kernels compute it."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

if TYPE_CHECKING:
    from hwnas.network.tflite import Interpreter

_BATCH = 64


def require_interpreter() -> None:
    """Raise ImportError where TFLite Micro is not installed."""
    if find_spec("tflite_micro") is None:
        raise ImportError("TFLite Micro is not installed: pip install 'hwnas[mcu]'")


def tflite_accuracy(
    model: bytes | Interpreter,
    images: Tensor,
    labels: Tensor,
    *,
    prepare: Callable[[Tensor], Tensor] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> float:
    """Give the fraction, in [0, 1], of images whose highest output is their label.

    The file runs in TensorFlow Lite Micro's interpreter (`hwnas[mcu]`), one image after the other.

    Args:
        model: the content of the .tflite file, or what runs it: one output `[1, classes]` for one input
            `[1, H, W, C]`.
        images: [N, C, H, W].
        labels: int64 [N].
        prepare: applied to each batch of images, for example `data.standardise`.
        progress: called after each batch with the number of images done and of all.

    Raises:
        ValueError: no images, not one label for each, or images that do not fit the file.
        ImportError: the interpreter is not installed; the message says how to install it.
    """
    from hwnas.network.tflite import Interpreter

    if len(images) == 0 or labels.shape != (len(images),):
        raise ValueError(
            f"give one label for each of at least one image, got {len(images)} and {labels.shape}"
        )
    interpreter = Interpreter(model) if isinstance(model, bytes) else model
    correct = 0
    for start in range(0, len(images), _BATCH):
        batch = images[start : start + _BATCH]
        standardised = (batch if prepare is None else prepare(batch)).cpu().numpy()
        outputs = np.asarray(interpreter.run(np.ascontiguousarray(standardised.transpose(0, 2, 3, 1))))
        found = outputs.reshape(len(batch), -1).argmax(1)
        correct += int((found == labels[start : start + _BATCH].cpu().numpy()).sum())
        if progress is not None:
            progress(start + len(batch), len(images))
    return correct / len(images)
