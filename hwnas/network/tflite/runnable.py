"""What would break the runtime instead of being refused by it."""

from __future__ import annotations

import numpy as np

from hwnas.network.program import Operator
from hwnas.network.tflite.read import TfliteFile
from hwnas.network.tflite.shapes import CHECKS

_RESCALING = ("QUANTIZE", "DEQUANTIZE")
_SCALES = (2.0**-100, 2.0**100)
_INDICES = ("int32", "int64", "bool")


def check_runnable(file: TfliteFile) -> None:
    """Raise ValueError where TFLite Micro would read outside its tensors or stop the process.

    Its kernels believe that tensors of one operator have one dtype, that int8 activations have scales, and
    that those are of sane size.
    """
    for operator in file.program.operators:
        if operator.kind in CHECKS and operator.kind not in _RESCALING:
            _check_dtypes(operator, file)
        _check_scales(operator, file)


def _check_dtypes(operator: Operator, file: TfliteFile) -> None:
    numbers = (*operator.inputs, *operator.outputs)
    dtypes = {file.program.tensors[number].dtype for number in numbers if number >= 0}
    if len(dtypes - set(_INDICES)) > 1:
        raise ValueError(f"{operator.name} mixes {', '.join(sorted(dtypes))}, which TFLite Micro cannot run")


def _check_scales(operator: Operator, file: TfliteFile) -> None:
    for number in (*operator.inputs, *operator.outputs):
        if number < 0:
            continue
        tensor, quantisation = file.program.tensors[number], file.quantisations.get(number)
        if quantisation is None:
            if tensor.dtype == "int8":
                raise ValueError(f"{operator.name}: tensor {tensor.name} of int8 has no scale")
            continue
        smallest, largest = float(np.min(quantisation.scales)), float(np.max(quantisation.scales))
        if smallest < _SCALES[0] or largest > _SCALES[1]:
            raise ValueError(
                f"{operator.name}: tensor {tensor.name} has a scale of {smallest:g} to {largest:g}"
            )
