"""Int8 ONNX models: static quantisation in onnxruntime's QDQ form.

Activations are uint8 and weights int8 with a scale for each output channel, which onnxruntime runs in
integer kernels throughout (int8 activations take twice as long on x86 and leave additions in float32). Inputs
and outputs remain float32. Quantising takes about a second for 50 convolutions and 0.02 s for a block.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Feeds: TypeAlias = Mapping[str, npt.NDArray[np.float32]]

_WARNING, _ERROR = 2, 3


def quantised_model(model: bytes, calibration: Iterable[Feeds]) -> bytes:
    """The int8 form of an ONNX model with static float32 inputs, with the ranges of the runs `calibration`.

    A model that computes nothing which has an integer kernel comes back as it is. The errors are those of
    onnxruntime and its quantiser, which have no common class.
    """
    with tempfile.TemporaryDirectory() as folder:
        return _quantised(model, iter(calibration), Path(folder))


def model_inputs(model: bytes) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the inputs of an ONNX model whose shapes are static."""
    import onnx

    graph = onnx.load_model_from_string(model).graph
    weights = {tensor.name for tensor in graph.initializer}
    return {
        value.name: tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
        for value in graph.input
        if value.name not in weights
    }


def _quantised(model: bytes, calibration: Iterator[Feeds], folder: Path) -> bytes:
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    _fold(model, folder / "folded.onnx")
    folded = onnx.load(folder / "folded.onnx")
    if not any(node.op_type in _operators() for node in folded.graph.node):
        return model
    _drop_dilations(folded)
    folded.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")
    with _quiet():
        quantize_static(
            folded,
            folder / "int8.onnx",
            _Runs(calibration),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=_operators(),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
    return (folder / "int8.onnx").read_bytes()


def _fold(model: bytes, path: Path) -> None:
    """Write the model with constants and normalisations folded into weights."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path)
    onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


@contextmanager
def _quiet() -> Iterator[None]:
    """No warnings of the runtime about the quantiser's own models.

    Their sessions are made by the quantiser and take the default severity, which can be set but not read:
    afterwards it is what onnxruntime starts with, whatever it was before.
    """
    import onnxruntime

    onnxruntime.set_default_logger_severity(_ERROR)
    try:
        yield
    finally:
        onnxruntime.set_default_logger_severity(_WARNING)


def _drop_dilations(model: Any) -> None:
    """Leave out dilations of 1 in average pooling: the integer kernel refuses the attribute (1.32)."""
    for node in model.graph.node:
        if node.op_type == "AveragePool":
            for attribute in list(node.attribute):
                if attribute.name == "dilations" and set(attribute.ints) == {1}:
                    node.attribute.remove(attribute)


def _operators() -> list[str]:
    """What is quantised: all that the runtime can, but the normalisations, which have no int8 kernel."""
    from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry

    return sorted(
        {*QDQRegistry, *QLinearOpsRegistry}
        - {"BatchNormalization", "InstanceNormalization", "LayerNormalization"}
    )


class _Runs:
    """Calibration data as the quantiser asks for it."""

    def __init__(self, runs: Iterator[Feeds]) -> None:
        self._runs = runs

    def get_next(self) -> Feeds | None:
        return next(self._runs, None)
