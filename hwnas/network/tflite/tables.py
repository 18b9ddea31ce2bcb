"""What single tables of a `.tflite` file say, checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from hwnas.network.program import UnsupportedOperatorError
from hwnas.network.quantise.quantised import Quantisation
from hwnas.network.tflite.flatbuffer import Table
from hwnas.network.tflite.schema import (
    CODES,
    KINDS,
    OPTIONS,
    OperatorCode,
    OperatorTable,
    QuantizationParameters,
    TensorTable,
)

MAX_ELEMENTS = 2**31
MAX_RANK = 8
_LARGEST_ZERO_POINT = 2**16


def kind_of(code: Table) -> str:
    """TFLite's name of an operator code; an error for custom operators and unknown numbers."""
    old = code.number(OperatorCode.DEPRECATED_BUILTIN_CODE, "Int8")
    number = max(old, code.number(OperatorCode.BUILTIN_CODE, "Int32"))
    if number == CODES["CUSTOM"]:
        raise UnsupportedOperatorError(f"the custom operator {code.text(OperatorCode.CUSTOM_CODE)!r}")
    if number not in KINDS:
        raise ValueError(f"it has an operator of number {number}, which TFLite lacks")
    return KINDS[number]


def shape_of(table: Table, described: str) -> tuple[int, ...]:
    """The shape of a tensor; an error where it is not fixed or too large."""
    found = table.numbers(TensorTable.SHAPE, np.int32)
    shape = () if found is None else tuple(found[: MAX_RANK + 1].tolist())
    signature = table.numbers(TensorTable.SHAPE_SIGNATURE, np.int32)
    free = () if signature is None else signature[1 : MAX_RANK + 1].tolist()
    if len(shape) > MAX_RANK:
        raise ValueError(f"{described} has more than {MAX_RANK} axes")
    if any(size < 1 for size in (*shape, *free)):
        raise ValueError(
            f"{described} is of shape {shape}, which is not fixed: write the model with fixed shapes"
        )
    elements = 1
    for size in shape:
        elements *= size
    if elements > MAX_ELEMENTS:
        raise ValueError(f"{described} of shape {shape} has more than {MAX_ELEMENTS} elements")
    return shape


def quantisation_of(table: Table | None, rank: int, described: str) -> Quantisation | None:
    """The scales and zero point; None where there are no scales (the range alone quantises nothing).

    Some converters give biases the axis of their weights: where there is one axis, it is meant.
    """
    scales = None if table is None else table.numbers(QuantizationParameters.SCALE, np.float32)
    if table is None or scales is None or not len(scales):
        return None
    zero_points = table.numbers(QuantizationParameters.ZERO_POINT, np.int64)
    count = 0 if zero_points is None else len(zero_points)
    if zero_points is None or count != len(scales):
        raise ValueError(f"{described} has {len(scales)} scales and {count} zero points")
    if (zero_points != zero_points[0]).any() or abs(int(zero_points[0])) > _LARGEST_ZERO_POINT:
        raise ValueError(
            f"{described} has zero points {zero_points[:4].tolist()}; one is needed for all channels"
        )
    axis = table.number(QuantizationParameters.QUANTIZED_DIMENSION, "Int32")
    return Quantisation(scales, int(zero_points[0]), axis if len(scales) > 1 and rank > 1 else 0)


def options_of(kind: str, table: Table, name: str) -> dict[str, Any]:
    """The options of an operator by TFLite's names; none for a kind whose options are not known."""
    known = OPTIONS.get(kind)
    if known is None or not known.fields:
        return {}
    union = table.number(OperatorTable.BUILTIN_OPTIONS_TYPE, "Uint8")
    options = table.table(OperatorTable.BUILTIN_OPTIONS)
    if options is None or union != known.union:
        raise ValueError(f"{name} lacks its options")
    return {key: options.number(f.number, f.type, f.default) for key, f in known.fields.items()}
