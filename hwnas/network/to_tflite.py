"""Write a network as an int8 .tflite file: quantised after training, without TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas.files import write_whole
from hwnas.network.network import Network
from hwnas.network.weights import Weights


def to_tflite(
    network: Network,
    path: str | Path | None = None,
    *,
    weights: Weights | Any,
    images: npt.NDArray[np.float32],
    float_input: bool = False,
) -> bytes:
    """The int8 .tflite file of `network`; written to `path` where one is given.

    Args:
        network: what to write; of one input `[c, h, w]`, which is `[1, h, w, c]` in the file.
        path: file to write, which ends in `.tflite`; replaced as a whole or not at all.
        weights: the trained parameters by name, or the torch module that `to_torch` made.
        images: calibration data `[n, c, h, w]`, standardised as the network takes it; see `quantise`.
        float_input: whether the file takes float32 and quantises it itself, or int8.

    Raises:
        UnsupportedOperatorError: a layer has no form in TFLite, or none in int8; the message names it.
        ValueError: no images, or images or weights that do not fit or are not finite; another kind of file.
    """
    if path is not None and Path(path).suffix.lower() != ".tflite":
        raise ValueError(f"{path} must end in .tflite")
    from hwnas.network.quantise.quantise import quantise
    from hwnas.network.tflite import write_tflite

    content = write_tflite(quantise(network, weights, images, float_input=float_input))
    if path is not None:
        write_whole(Path(path), content)
    return content
