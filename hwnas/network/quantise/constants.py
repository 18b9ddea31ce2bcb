"""The real numbers of a program's constants: a network's weights, folded and in TFLite's layout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from hwnas.network.network import Layer
from hwnas.network.program import Operator, Program
from hwnas.network.program.weighted import WEIGHTED, bias_of
from hwnas.network.weights import Weights

Array: TypeAlias = npt.NDArray[np.float64]

_HOPELESS = "the folded weights of {} are NaN or infinite: is a running variance negative or huge?"


def real_constants(program: Program, weights: Weights) -> Mapping[int, Array]:
    """The contents of every constant of `program` by tensor number, float64, in the tensor's shape.

    Args:
        program: what `lower` made of a network.
        weights: the network's parameters by name.

    Raises:
        ValueError: a normalisation folds to NaN or infinity, or a constant is not known.
    """
    found: dict[int, Array] = {}
    for operator in program.operators:
        if operator.kind in WEIGHTED and program.tensors[weight_and_bias(operator)[0]].is_constant:
            found.update(_weight_and_bias(program, operator, weights))
        for number in operator.inputs:
            if number >= 0 and number not in found and program.tensors[number].is_constant:
                found[number] = _constant(program, operator, number, weights)
    return found


def weight_and_bias(operator: Operator) -> tuple[int, int]:
    """Tensor numbers of the weights and the bias (-1 for none) of an operator of `WEIGHTED`."""
    return operator.inputs[WEIGHTED[operator.kind].weights], bias_of(operator)


def _weight_and_bias(program: Program, operator: Operator, weights: Weights) -> dict[int, Array]:
    """Weights and bias with the normalisation after them folded in, where there is one."""
    layer = operator.layers[0]
    weight, bias = weight_and_bias(operator)
    kernel = _by_output_channel(layer, weights[layer.inputs[1]].astype(np.float64))
    has_bias = len(layer.inputs) > 2 and layer.inputs[2]
    shift: Array = (
        weights[layer.inputs[2]].astype(np.float64) if has_bias else np.zeros(len(kernel), np.float64)
    )
    for norm in operator.layers[1:]:
        if norm.op == "BatchNormalization":
            gain, offset = normalisation(norm, weights)
            kernel = kernel * gain.reshape(-1, *[1] * (kernel.ndim - 1))
            shift = shift * gain + offset
    if not (np.isfinite(kernel).all() and np.isfinite(shift).all()):
        raise ValueError(_HOPELESS.format(layer.name))
    found = {weight: _in_layout(program, operator, kernel)}
    if bias >= 0:
        found[bias] = shift
    return found


def normalisation(layer: Layer, weights: Weights) -> tuple[Array, Array]:
    """Gain and offset `[c]` of a batch normalisation: `y = gain · x + offset`."""
    scale, bias, mean, variance = (weights[name].astype(np.float64) for name in layer.inputs[1:5])
    epsilon: Any = layer.attributes["epsilon"]
    with np.errstate(all="ignore"):
        gain: Array = scale / np.sqrt(variance + epsilon)
        offset: Array = bias - gain * mean
    if not (np.isfinite(gain).all() and np.isfinite(offset).all()):
        raise ValueError(_HOPELESS.format(layer.name))
    return gain, offset


def _by_output_channel(layer: Layer, kernel: Array) -> Array:
    """The kernel with its output channels first: `[co, ci/g, kh, kw]` or `[n, k]`."""
    if layer.op == "MatMul" or (layer.op == "Gemm" and not layer.attributes["transB"]):
        return kernel.T
    return kernel.swapaxes(0, 1) if layer.op == "ConvTranspose" else kernel


def _in_layout(program: Program, operator: Operator, kernel: Array) -> Array:
    """`[co, ci/g, kh, kw]` or `[n, k]` as TFLite has it; columns of a flattened map from CHW to HWC."""
    if operator.kind == "DEPTHWISE_CONV_2D":
        return kernel.transpose(1, 2, 3, 0)
    if operator.kind != "FULLY_CONNECTED":
        return kernel.transpose(0, 2, 3, 1)
    source = program.tensors[operator.inputs[0]].shape
    if len(source) == 4 and source[1:3] != (1, 1):
        _, h, w, c = source
        return kernel.reshape(-1, c, h, w).transpose(0, 2, 3, 1).reshape(len(kernel), -1)
    return kernel


def _constant(program: Program, operator: Operator, number: int, weights: Weights) -> Array:
    tensor = program.tensors[number]
    if tensor.values is not None:
        return np.asarray(tensor.values, np.float64).reshape(tensor.shape)
    if tensor.name in weights:
        values = weights[tensor.name].astype(np.float64)
        if len(tensor.shape) < 4:
            return values.reshape(tensor.shape)
        _, h, w, c = tensor.shape
        return values.reshape(c, h, w).transpose(1, 2, 0).reshape(tensor.shape)
    layer = operator.layers[0] if operator.layers else None
    if layer is None or layer.op != "BatchNormalization":
        raise ValueError(f"operator {operator.name}: what its constant {tensor.name!r} holds is not known")
    gain, offset = normalisation(layer, weights)
    return gain if operator.kind == "MUL" else offset
