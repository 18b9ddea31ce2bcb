"""Quantisation after training: from a float network, its weights and some images to an int8 program.

Activations are asymmetric int8 with the range that they have on the images, weights symmetric int8 with a
scale for each output channel (one for all in FULLY_CONNECTED), biases int32: TensorFlow Lite's 8-bit
quantisation specification (Jacob et al., 2018, arXiv:1712.05877).

A range is from the least to the greatest value. On networks trained on digits that gives logits with 28 to 34
dB of signal to noise; clipping with the least squared error gives the same within 1 dB, clipping at the
99.99th percentile from as much to 3.5 dB less.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas.network.network import Network
from hwnas.network.program import Operator, Program
from hwnas.network.program.lower import lower
from hwnas.network.program.weighted import WEIGHTED
from hwnas.network.quantise.activation_scales import activation_quantisations
from hwnas.network.quantise.constants import Array, real_constants, weight_and_bias
from hwnas.network.quantise.images import checked_images, checked_weights
from hwnas.network.quantise.limits import require_int8_kernels
from hwnas.network.quantise.observe import observed_ranges
from hwnas.network.quantise.quantised import Quantisation, QuantisedProgram
from hwnas.network.quantise.scales import (
    bias_quantisation,
    quantise_values,
    weight_quantisation,
)
from hwnas.network.weights import Weights


def quantise(
    network: Network,
    weights: Weights | Any,
    images: npt.NDArray[np.float32],
    *,
    float_input: bool = False,
) -> QuantisedProgram:
    """The int8 program of `network`, with what its constants hold and how each tensor is quantised.

    Args:
        network: of one input `[c, h, w]`.
        weights: its parameters by name, or the torch module that `to_torch` made.
        images: calibration data `[n, c, h, w]`, standardised as the network takes it; 100 to 500 images of
            the train part are enough.
        float_input: whether the program takes float32 and quantises it itself.

    Raises:
        UnsupportedOperatorError: a layer has no form in TFLite, or none in int8; the message names it.
        ValueError: no images, or images or weights that do not fit or are not finite; activations that
            become so; a layer that joins tensors whose quantisations are fixed and differ.
    """
    images = checked_images(network, images)
    network = network.live
    weights = checked_weights(network, weights)
    program = lower(network, float_input=float_input)
    if not program.operators:
        raise ValueError("the network computes nothing that could be quantised")
    require_int8_kernels(program)
    constants = real_constants(program, weights)
    ranges = observed_ranges(program, network, weights, constants, images)
    return _quantised(program, constants, ranges)


def _quantised(
    program: Program, constants: Mapping[int, Array], ranges: Mapping[int, tuple[float, float]]
) -> QuantisedProgram:
    weighted = {
        number
        for operator in program.operators
        if operator.kind in WEIGHTED
        for number in weight_and_bias(operator)
    }
    others = {number: values for number, values in constants.items() if number not in weighted}
    found = activation_quantisations(program, ranges, others)
    found = {number: known for number, known in found.items() if number not in weighted}
    for operator in program.operators:
        if operator.kind in WEIGHTED:
            found.update(_weighted(program, operator, constants, found))
    contents = {
        number: quantise_values(values, found[number], program.tensors[number].dtype)
        if number in found
        else values.astype(program.tensors[number].dtype)
        for number, values in constants.items()
    }
    return QuantisedProgram(program, found, contents)


def _weighted(
    program: Program,
    operator: Operator,
    constants: Mapping[int, Array],
    found: Mapping[int, Quantisation],
) -> dict[int, Quantisation]:
    """The quantisations of the weights and the bias of an operator."""
    weight, bias = weight_and_bias(operator)
    source = operator.inputs[WEIGHTED[operator.kind].data]
    input_scale = float(found[source].scales[0])
    chosen = weight_quantisation(
        constants[weight],
        3 if operator.kind == "DEPTHWISE_CONV_2D" else 0,
        constants.get(bias),
        input_scale,
        per_channel=program.tensors[weight].scales > 1,
    )
    quantisations = {weight: chosen}
    if bias >= 0:
        quantisations[bias] = bias_quantisation(chosen, input_scale)
    return quantisations
