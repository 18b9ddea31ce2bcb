"""A trained network made int8 for a device, with what that costs in accuracy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from hwnas.network.network import Network
from hwnas.network.weights import Weights
from hwnas.training.dataset import DataSet
from hwnas.training.evaluate import accuracy
from hwnas.training.tflite_accuracy import tflite_accuracy

CALIBRATION = 256
"""Train images that the ranges of activations are read off."""


@dataclass(frozen=True)
class Deployed:
    """An int8 file and its accuracy.

    Attributes:
        model: the content of the .tflite or .onnx file.
        accuracy: fraction of the test images that the float32 network classifies right, in [0, 1].
        int8_accuracy: the same of the file, as TFLite Micro or onnxruntime computes it.
    """

    model: bytes
    accuracy: float
    int8_accuracy: float


def deploy_tflite(
    network: Network,
    weights: Weights,
    data: DataSet,
    *,
    calibration: int = CALIBRATION,
    float_input: bool = False,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Deployed:
    """The int8 .tflite file of a trained network, calibrated on train images and run by TFLite Micro.

    Args:
        network: of one input `[c, h, w]`, as large as the images.
        weights: its trained parameters by name.
        data: what it was trained on.
        calibration: train images to read ranges off; all of them where there are fewer.
        float_input: whether the file takes float32 and quantises it itself.
        seed: of the choice of these images.
        progress: called with the number of test images that the file has classified, and of all.

    Raises:
        ImportError: TFLite Micro is not installed.
        UnsupportedOperatorError: a layer has no int8 form in TFLite; the message names it.
        ValueError: weights or images that do not fit.
    """
    from hwnas.network.to_tflite import to_tflite

    images = _calibration(data, calibration, seed)
    model = to_tflite(network, weights=weights, images=images, float_input=float_input)
    found = tflite_accuracy(
        model, data.test_images, data.test_labels, prepare=data.standardise, progress=progress
    )
    return Deployed(model, _float_accuracy(network, weights, data), found)


def deploy_onnx(
    network: Network, weights: Weights, data: DataSet, *, calibration: int = CALIBRATION, seed: int = 0
) -> Deployed:
    """The int8 ONNX file (QDQ) of a trained network, calibrated on train images and run by onnxruntime.

    Arguments and errors as `deploy_tflite`.
    """
    from hwnas.network.quantise.qdq import quantised_onnx

    model = quantised_onnx(network, weights, _calibration(data, calibration, seed))
    session = _Session(model)
    found = accuracy(session, data.test_images, data.test_labels, prepare=data.standardise)
    return Deployed(model, _float_accuracy(network, weights, data), found)


def _calibration(data: DataSet, size: int, seed: int) -> npt.NDArray[np.float32]:
    images, _ = data.batch(min(size, len(data.train_labels)), seed)
    return images.numpy()


def _float_accuracy(network: Network, weights: Weights, data: DataSet) -> float:
    from hwnas.network.to_torch import to_torch

    module = to_torch(network)
    state = {
        name: torch.from_numpy(np.array(weights[name])) for name in module.state_dict() if name in weights
    }
    module.load_state_dict(state, strict=False)
    return accuracy(module, data.test_images, data.test_labels, prepare=data.standardise)


class _Session(nn.Module):
    """An ONNX model of one image at a time as a module."""

    def __init__(self, model: bytes) -> None:
        import onnxruntime

        super().__init__()
        self._session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def forward(self, images: Tensor) -> Tensor:
        """`[n, c, h, w]` to `[n, classes]`."""
        outputs = [self._session.run(None, {self._input: image[None].numpy()})[0] for image in images]
        return torch.from_numpy(np.concatenate(outputs))
