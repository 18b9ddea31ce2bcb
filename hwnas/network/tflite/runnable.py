"""What would break the runtime instead of being refused by it."""

from __future__ import annotations

from typing import Any

from hwnas.network.program import Operator
from hwnas.network.tflite.read import TfliteFile
from hwnas.network.tflite.shapes import CHECKS

_CONVERSIONS = ("QUANTIZE", "DEQUANTIZE")
_OPTIONAL_INPUTS = ("CONV_2D", "FULLY_CONNECTED")
_INDICES = {"int32", "int64", "bool"}
_LARGEST_RATIO = 2.0**18
_LEAST_SOFTMAX_SCALE = 2.0**-25


def check_runnable(file: TfliteFile) -> None:
    """Raise ValueError where TFLite Micro would read outside its tensors or stop the process.

    Its kernels believe that the tensors of an operator have one dtype, and that int8 tensors have scales;
    sums take fixed-point factors of inputs to the output, and SOFTMAX one of its input, that have limits;
    most kinds know no optional inputs.
    """
    for operator in file.program.operators:
        if -1 in operator.inputs and operator.kind not in _OPTIONAL_INPUTS:
            raise ValueError(f"{operator.name} leaves out an input by number -1, which stops TFLite Micro")
        if operator.kind in CHECKS and operator.kind not in _CONVERSIONS:
            _check_dtypes(operator, file)
        _check_scales(operator, file)


def _check_dtypes(operator: Operator, file: TfliteFile) -> None:
    numbers = (*operator.inputs, *operator.outputs)
    dtypes = {file.program.tensors[number].dtype for number in numbers if number >= 0}
    if len(dtypes - _INDICES) > 1:
        raise ValueError(f"{operator.name} mixes {', '.join(sorted(dtypes))}, which TFLite Micro cannot run")


def _check_scales(operator: Operator, file: TfliteFile) -> None:
    for number in (*operator.inputs, *operator.outputs):
        if number >= 0 and file.program.tensors[number].dtype == "int8" and number not in file.quantisations:
            name = file.program.tensors[number].name
            raise ValueError(f"{operator.name}: tensor {name} of int8 has no quantisation scale")
    own = {n: file.quantisations[n] for n in (*operator.inputs, *operator.outputs) if n in file.quantisations}
    scales = {number: float(quantisation.scales[0]) for number, quantisation in own.items()}
    if operator.kind in ("ADD", "SUB") and scales:
        smallest, largest = min(scales.values()), max(scales.values())
        if largest > _LARGEST_RATIO * smallest:
            raise ValueError(f"{operator.name} adds numbers of scales from {smallest:g} to {largest:g}")
    if operator.kind == "SOFTMAX" and scales:
        beta: Any = operator.options["beta"]
        if not scales[operator.inputs[0]] * beta >= _LEAST_SOFTMAX_SCALE:
            raise ValueError(f"{operator.name}: beta {beta:g} times the scale of its input is too small")
