"""What is given to quantise with: calibration images and weights, checked before anything runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas.network.network import Network
from hwnas.network.weights import Weights, module_weights


def checked_images(network: Network, images: Any) -> npt.NDArray[np.float32]:
    """Calibration images as float32 `[n, c, h, w]`.

    Raises:
        ValueError: none are given, they are no floating-point numbers, have another shape than the network's
            input, or hold NaN or infinity; or the network has several inputs.
    """
    if len(network.inputs) != 1:
        raise ValueError(f"networks of one input can be quantised, this one has {len(network.inputs)}")
    shape = network.inputs[0].shape
    form = f"[n, {', '.join(map(str, shape))}]"
    array = None if images is None else np.asarray(images)
    if array is None or array.size == 0:
        raise ValueError(
            f"quantising needs calibration data: give images {form}, standardised as the network takes them, "
            "100 to 500 of the train part (at least 1)"
        )
    if not np.issubdtype(array.dtype, np.floating):
        raise ValueError(f"calibration images are {array.dtype}: standardised floating-point ones are needed")
    if array.shape[1:] != shape:
        raise ValueError(f"calibration images have shape {list(array.shape)}, {form} expected")
    array = np.ascontiguousarray(array, dtype=np.float32)
    if not np.isfinite(array).all():
        raise ValueError("calibration images hold NaN or infinity")
    return array


def checked_weights(network: Network, weights: Weights | Any) -> Weights:
    """Weights by parameter name; those of the torch module that `to_torch` made are read off it.

    Raises:
        ValueError: one is missing, has another shape, or holds NaN or infinity.
    """
    if hasattr(weights, "state_dict"):
        weights = module_weights(network, weights)
    for name, parameter in network.parameters.items():
        if name not in weights:
            raise ValueError(f"no weights for parameter {name!r}")
        if tuple(weights[name].shape) != parameter.shape:
            raise ValueError(
                f"weights of {name!r} have shape {tuple(weights[name].shape)}, {parameter.shape} expected"
            )
        if not np.isfinite(weights[name]).all():
            raise ValueError(f"weights of {name!r} hold NaN or infinity")
    return weights
