"""Scales and zero points: of activations from their ranges, of weights from their values."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas.network.quantise.constants import Array
from hwnas.network.quantise.quantised import Quantisation

LOWEST, HIGHEST = -128, 127
_LARGEST_WEIGHT = 127
_LARGEST_BIAS = 2**30  # half of int32: the other half is for the sum of products that it is added to
_LEAST_WIDTH = 1e-6


def activation_quantisation(low: float, high: float) -> Quantisation:
    """The int8 quantisation of the real interval from `low` to `high`, widened to hold 0 exactly.

    An interval of no width (constant activations) gets one of 1.
    """
    low, high = min(low, 0.0), max(high, 0.0)
    if high - low < _LEAST_WIDTH:
        low, high = (-1.0, 0.0) if low < 0 else (0.0, 1.0)
    scale = np.float32((high - low) / (HIGHEST - LOWEST))
    zero_point = round(LOWEST - low / float(scale))
    return Quantisation(np.array([scale], np.float32), int(np.clip(zero_point, LOWEST, HIGHEST)))


def quantise_values(values: Array, quantisation: Quantisation, dtype: str) -> npt.NDArray[Any]:
    """`values` as integers of `dtype`, those outside clipped.

    Several scales are those of the axis `quantisation.axis`.
    """
    shape = [1] * values.ndim
    if quantisation.scales.size > 1:
        shape[quantisation.axis] = -1
    limits = np.iinfo(dtype)
    steps = values / quantisation.scales.astype(np.float64).reshape(shape)
    integers = np.rint(steps) + quantisation.zero_point
    clipped: npt.NDArray[Any] = np.clip(integers, limits.min, limits.max).astype(dtype)
    return clipped


def weight_quantisation(
    weights: Array, axis: int, bias: Array | None, input_scale: float, *, per_channel: bool
) -> Quantisation:
    """The symmetric int8 quantisation of weights, -127 to 127, a scale for each channel or one for all.

    The scale of a channel is its largest magnitude / 127, and large enough for its bias, in steps of
    `input_scale` times it, to stay below 2^30. A channel of zeros takes the largest scale of the others.
    """
    others = tuple(i for i in range(weights.ndim) if i != axis)
    largest = np.abs(weights).max(axis=others)
    floor = np.zeros_like(largest) if bias is None else np.abs(bias) / (input_scale * _LARGEST_BIAS)
    if not per_channel:
        largest, floor = largest.max(keepdims=True), floor.max(keepdims=True)
    scales = largest / _LARGEST_WEIGHT
    scales[largest == 0] = scales.max() if scales.any() else 1.0
    return Quantisation(np.maximum(scales, floor).astype(np.float32), axis=axis)


def bias_quantisation(weight: Quantisation, input_scale: float) -> Quantisation:
    """The quantisation of a bias: the scale of the products that it is added to."""
    return Quantisation((weight.scales.astype(np.float64) * input_scale).astype(np.float32))
