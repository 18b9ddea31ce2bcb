"""Int8 ONNX models of networks, calibrated on the user's images."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hwnas.network.network import Network
from hwnas.network.quantise.images import checked_images, checked_weights
from hwnas.network.weights import Weights
from hwnas.onnx_quantiser import quantised_model


def quantised_onnx(network: Network, weights: Weights, images: npt.NDArray[np.float32]) -> bytes:
    """The int8 ONNX model of `network` for one image at a time; the same bytes for the same arguments.

    Args:
        network: of one input `[c, h, w]`.
        weights: its parameters by name.
        images: `[n, c, h, w]`, standardised as the network takes them: the ranges of the activations are
            those that occur on them.

    Raises:
        ValueError: images or weights do not fit the network, are missing or are not finite.
    """
    from hwnas.network.to_onnx import to_onnx

    images = checked_images(network, images)
    model = to_onnx(network, weights=checked_weights(network, weights)).SerializeToString()
    name = network.inputs[0].name
    return quantised_model(model, ({name: image[None]} for image in images))
