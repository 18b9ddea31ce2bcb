"""What the tensors of a program hold when the float network runs on images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from hwnas.network.network import Network
from hwnas.network.program import Operator, Program
from hwnas.network.quantise.activations import activations
from hwnas.network.quantise.constants import Array
from hwnas.network.quantise.rules import shares_quantisation
from hwnas.network.weights import Weights

Floats = npt.NDArray[np.float32]

_ELEMENTWISE: Mapping[str, Callable[[Floats, Floats], Floats]] = {
    "ADD": np.add,
    "SUB": np.subtract,
    "MUL": np.multiply,
}
_CLIPS = {"NONE": (-np.inf, np.inf), "RELU": (0.0, np.inf), "RELU6": (0.0, 6.0), "RELU_N1_TO_1": (-1.0, 1.0)}


def observed(
    program: Program,
    network: Network,
    weights: Weights,
    constants: Mapping[int, Array],
    images: Floats,
) -> Iterator[dict[int, Floats]]:
    """The values of activation tensors by number, each `[batch, ...]` with channels last, batch by batch.

    Left out are tensors that are quantised as another one which is there (the copies that a PAD makes), and
    constants. What is inside a layer (the sum inside a hard sigmoid) is computed from the layer's inputs.

    Raises:
        ValueError: an activation becomes NaN or infinite.
    """
    names = _names(program, network)
    inside = [operator for operator in program.operators if _is_inside_a_layer(operator, names)]
    for batch in activations(network, weights, images, list(names.values())):
        found = {number: _channels_last(batch[name]) for number, name in names.items()}
        for operator in inside:
            found[operator.outputs[0]] = _evaluate(operator, found, constants)
        yield found


def observed_ranges(
    program: Program,
    network: Network,
    weights: Weights,
    constants: Mapping[int, Array],
    images: Floats,
) -> dict[int, tuple[float, float]]:
    """The lowest and the highest value of each tensor of `observed`."""
    ranges: dict[int, tuple[float, float]] = {}
    for batch in observed(program, network, weights, constants, images):
        for number, values in batch.items():
            low, high = ranges.get(number, (np.inf, -np.inf))
            ranges[number] = (min(low, float(values.min())), max(high, float(values.max())))
    return ranges


def _names(program: Program, network: Network) -> dict[int, str]:
    """The network's value that each tensor holds once its operator has run all its layers."""
    values = network.values
    names = {number: program.tensors[number].name for number in program.inputs}
    for operator in program.operators:
        if operator.kind == "QUANTIZE":
            names[operator.outputs[0]] = names[operator.inputs[0]]
            continue
        for position, number in enumerate(operator.outputs):
            if program.tensors[number].name in values:
                names[number] = operator.layers[-1].outputs[position].name
    return names


def _is_inside_a_layer(operator: Operator, names: Mapping[int, str]) -> bool:
    return operator.outputs[0] not in names and not shares_quantisation(operator)


def _channels_last(array: Floats) -> Floats:
    return np.moveaxis(array, 1, 3) if array.ndim == 4 else array


def _evaluate(operator: Operator, values: Mapping[int, Floats], constants: Mapping[int, Array]) -> Floats:
    first, second = (
        values[number] if number in values else constants[number].astype(np.float32)
        for number in operator.inputs[:2]
    )
    result = _ELEMENTWISE[operator.kind](first, second)
    return np.clip(result, *_CLIPS[operator.activation])
