"""Models made int8: static quantisation in onnxruntime's QDQ form.

Activations are uint8 and weights int8 with a scale for each output channel, which onnxruntime runs in
integer kernels throughout (int8 activations take twice as long on x86 and leave additions in float32). The
ranges come from one run on fixed random inputs: the latency of int8 kernels does not depend on the values,
so such a model is fit for timing, not for use. Inputs and outputs remain float32. Quantising takes about a
second for 50 convolutions and 0.02 s for a block.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from hwnas.latency.devices.device import ModelFailedError

_WARNING, _ERROR = 2, 3


def quantised(model: bytes) -> bytes:
    """The int8 form of an ONNX model with static float32 inputs; the same bytes for the same model.

    A model that computes nothing which has an integer kernel comes back as it is.

    Raises:
        ModelFailedError: onnxruntime cannot run or quantise the model.
    """
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _quantised(model, Path(folder))
    except Exception as error:  # the runtime's and the quantiser's errors have no common class
        raise ModelFailedError(f"cannot be quantised: {type(error).__name__}: {error}") from error


def _quantised(model: bytes, folder: Path) -> bytes:
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    inputs = _folded(model, folder / "folded.onnx")
    folded = onnx.load(folder / "folded.onnx")
    if not any(node.op_type in _operators() for node in folded.graph.node):
        return model
    _drop_dilations(folded)
    folded.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")
    with _quiet():
        quantize_static(
            folded,
            folder / "int8.onnx",
            _OneRun(inputs),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=_operators(),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
    return (folder / "int8.onnx").read_bytes()


def _folded(model: bytes, path: Path) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
    """Write the model with constants and normalisations folded into weights; returns inputs for it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path)
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return {
        value.name: np.random.default_rng(index).standard_normal(value.shape, dtype=np.float32)
        for index, value in enumerate(session.get_inputs())
    }


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


class _OneRun:
    """Calibration data of one run."""

    def __init__(self, inputs: dict[str, np.ndarray[Any, np.dtype[np.float32]]]) -> None:
        self._left = [inputs]

    def get_next(self) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]] | None:
        return self._left.pop() if self._left else None
