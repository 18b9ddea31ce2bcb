"""A trained network made int8 for a device, with what that costs in accuracy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from hwnas.network.network import Network
from hwnas.network.weights import Weights
from hwnas.training.dataset import DataSet
from hwnas.training.evaluate import accuracy
from hwnas.training.tflite_accuracy import require_interpreter, tflite_accuracy

if TYPE_CHECKING:
    from hwnas.network.tflite import Arena

CALIBRATION = 256
"""Train images that the ranges of activations are read off."""


TESTED = 500
"""Test images that TFLite Micro classifies: one after the other, and slowly."""


@dataclass(frozen=True)
class Deployed:
    """An int8 file and its accuracy.

    Attributes:
        model: the content of the .tflite or .onnx file.
        accuracy: fraction of the tested images that the float32 network classifies right, in [0, 1].
        int8_accuracy: the same of the file, as TFLite Micro or onnxruntime computes it.
        tested: number of these images.
        arena: what the .tflite file takes in TFLite Micro here; None of an .onnx file.
    """

    model: bytes
    accuracy: float
    int8_accuracy: float
    tested: int
    arena: Arena | None = None


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

    It is tested on `TESTED` test images, drawn at random, or on all of them where there are fewer.

    Args:
        network: of one input `[c, h, w]`, as large as the images, and one output `[classes]`.
        weights: its trained parameters by name.
        data: what it was trained on.
        calibration: train images to read ranges off; all of them where there are fewer.
        float_input: whether the file takes float32 and quantises it itself.
        seed: of the choice of images.
        progress: called with the number of test images that the file has classified, and of all to do.

    Raises:
        ImportError: TFLite Micro is not installed.
        UnsupportedOperatorError: a layer has no int8 form in TFLite; the message names it.
        ValueError: weights, images or classes that do not fit.
    """
    from hwnas.network.tflite import Interpreter
    from hwnas.network.to_tflite import to_tflite

    _check_fit(network, data)
    require_interpreter()
    images = _calibration(data, calibration, seed)
    model = to_tflite(network, weights=weights, images=images, float_input=float_input)
    interpreter = Interpreter(model)
    tested, labels = _tested(data, seed)
    found = tflite_accuracy(interpreter, tested, labels, prepare=data.standardise, progress=progress)
    before = accuracy(_module(network, weights), tested, labels, prepare=data.standardise)
    return Deployed(model, before, found, len(labels), interpreter.arena)


def deploy_onnx(
    network: Network, weights: Weights, data: DataSet, *, calibration: int = CALIBRATION, seed: int = 0
) -> Deployed:
    """The int8 ONNX file (QDQ) of a trained network, calibrated on train images and run by onnxruntime.

    Arguments and errors as `deploy_tflite`; all test images are tested.
    """
    from hwnas.network.quantise.qdq import quantised_onnx

    _check_fit(network, data)
    model = quantised_onnx(network, weights, _calibration(data, calibration, seed))
    found, before = (
        accuracy(one, data.test_images, data.test_labels, prepare=data.standardise)
        for one in (_Session(model), _module(network, weights))
    )
    return Deployed(model, before, found, len(data.test_labels))


def unfit(network: Network) -> str | None:
    """What hinders `network` from classifying images, as the end of a sentence; None where nothing does."""
    inputs, outputs = ([one.shape for one in values] for values in (network.inputs, network.outputs))
    if [len(shape) for shape in inputs] == [3] and [len(shape) for shape in outputs] == [1]:
        return None
    return (
        f"has inputs of {_listed(inputs)} and outputs of {_listed(outputs)}; one image [c, h, w] and one "
        "vector [classes] are needed"
    )


def misfit(network: Network, data: DataSet) -> str | None:
    """Where a network that classifies images and `data` disagree, as the end of a sentence, or None."""
    (image,), (output,) = network.inputs, network.outputs
    if image.shape != data.input_shape:
        return f"takes images of {list(image.shape)}, but they are {list(data.input_shape)}"
    if output.size != len(data.classes):
        return f"tells {output.size} classes apart, but there are {len(data.classes)}"
    return None


def _check_fit(network: Network, data: DataSet) -> None:
    if problem := unfit(network):
        raise ValueError(f"the network {problem}")
    if problem := misfit(network, data):
        raise ValueError(f"the network {problem} in {data.name}")


def _listed(shapes: list[tuple[int, ...]]) -> str:
    return ", ".join(str(list(shape)) for shape in shapes)


def _tested(data: DataSet, seed: int) -> tuple[Tensor, Tensor]:
    """`TESTED` test images drawn at random, and their labels."""
    order = torch.randperm(len(data.test_labels), generator=torch.Generator().manual_seed(seed))[:TESTED]
    return data.test_images[order], data.test_labels[order]


def _calibration(data: DataSet, size: int, seed: int) -> npt.NDArray[np.float32]:
    images, _ = data.batch(min(size, len(data.train_labels)), seed)
    return images.numpy()


def _module(network: Network, weights: Weights) -> nn.Module:
    from hwnas.network.to_torch import to_torch

    module = to_torch(network)
    state = {
        name: torch.from_numpy(np.array(weights[name])) for name in module.state_dict() if name in weights
    }
    module.load_state_dict(state, strict=False)
    return module


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
