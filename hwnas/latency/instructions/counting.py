"""Instructions of a whole network: the operators of its program as operators of the table."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from hwnas.latency.instructions.operators import (
    Operation,
    convolution,
    depthwise,
    pooling,
    simple,
)
from hwnas.latency.instructions.table import InstructionTable
from hwnas.network.network import Network
from hwnas.network.program import Operator, Program, Tensor
from hwnas.network.program.lower import lower


def instructions(source: Network | Program, table: InstructionTable) -> float:
    """Instructions of one int8 inference.

    Args:
        source: a network, which is lowered as converters to TFLite do (padding that TFLite does not know is
            an operator of its own); or a program, such as that of a .tflite file.
        table: the formulas.

    Raises:
        ValueError: an operator is of no class that was counted; the message names it.
    """
    return table.instructions(operations(source))


def operations(source: Network | Program) -> list[Operation]:
    """The counted operators that `source` is executed as; raises as `instructions`."""
    program = source if isinstance(source, Program) else lower(source)
    return [_operation(operator, program) for operator in program.operators]


@dataclass(frozen=True, slots=True)
class _Call:
    """An operator with the tensors that it reads (those that are not left out) and makes."""

    operator: Operator
    inputs: tuple[Tensor, ...]
    output: Tensor


def _operation(operator: Operator, program: Program) -> Operation:
    inputs = tuple([program.tensors[number] for number in operator.inputs if number >= 0])
    call = _Call(operator, inputs, program.tensors[operator.outputs[0]])
    make = _OPERATIONS.get(operator.kind)
    found = make(call) if make and _is_int8(call) else None
    if found is None:
        activations = [tensor for tensor in inputs if not tensor.is_constant]
        sizes = ", ".join(f"{'×'.join(map(str, t.shape))} {t.dtype}" for t in activations)
        raise ValueError(
            f"operator {operator.name}: {operator.kind} on {sizes} is not among the operators whose "
            f"instructions were counted ({', '.join(_OPERATIONS)}, on int8)"
        )
    return found


def _is_int8(call: _Call) -> bool:
    """Whether the data read and made is int8; QUANTIZE and DEQUANTIZE convert, FILL reads sizes."""
    kind = call.operator.kind
    read = {"QUANTIZE": "float32", "FILL": "int32"}.get(kind, "int8")
    made = "float32" if kind == "DEQUANTIZE" else "int8"
    return call.inputs[0].dtype == read and call.output.dtype == made


def _map(tensor: Tensor) -> tuple[int, int, int] | None:
    """Height, width and channels of a map; None for other tensors."""
    shape = tensor.shape
    return (shape[1], shape[2], shape[3]) if len(shape) == 4 and shape[0] == 1 else None


def _conv(call: _Call) -> Operation | None:
    source, made, window = _map(call.inputs[0]), _map(call.output), call.operator.window
    if source is None or made is None or window is None or call.inputs[1].shape[-1] != source[2]:
        return None
    return convolution(made[:2], source[2], made[2], window)


def _depthwise(call: _Call) -> Operation | None:
    source, made, window = _map(call.inputs[0]), _map(call.output), call.operator.window
    if source is None or made is None or window is None:
        return None
    return depthwise(source[:2], made[:2], made[2], window, multiplier=made[2] // source[2])


def _pool(kind: str) -> Callable[[_Call], Operation | None]:
    def operation(call: _Call) -> Operation | None:
        source, made, window = _map(call.inputs[0]), _map(call.output), call.operator.window
        if source is None or made is None or window is None:
            return None
        return pooling(kind, source[:2], made[:2], made[2], window)

    return operation


def _elementwise(kind: str) -> Callable[[_Call], Operation | None]:
    """Of two tensors, which broadcasting takes through another kernel."""

    def operation(call: _Call) -> Operation | None:
        if len(call.inputs) != 2:
            return None
        is_plain = call.inputs[0].shape == call.inputs[1].shape
        return simple(kind if is_plain else f"{kind}_broadcast", outputs=call.output.size)

    return operation


def _by_outputs(kind: str) -> Callable[[_Call], Operation]:
    return lambda call: simple(kind, outputs=call.output.size)


def _fully_connected(call: _Call) -> Operation:
    weights, outputs = call.inputs[1], call.output.size
    return simple("fully_connected", macs=outputs * weights.shape[-1], outputs=outputs)


def _mean(call: _Call) -> Operation:
    return simple("mean", inputs=call.inputs[0].size, outputs=call.output.size)


def _pad(call: _Call) -> Operation | None:
    source, made = _map(call.inputs[0]), _map(call.output)
    if source is None or made is None or source[2] != made[2]:
        return None
    copied = call.inputs[0].size
    return simple("pad", copied=copied, filled=call.output.size - copied, rows=made[0], copied_rows=source[0])


def _concat(call: _Call) -> Operation | None:
    made = _map(call.output)
    if made is None or any(tensor.shape[:3] != call.output.shape[:3] for tensor in call.inputs):
        return None
    copies = len(call.inputs) * made[0] * made[1]
    return simple("concat", outputs=call.output.size, copies=copies)


def _resize(call: _Call) -> Operation | None:
    made = _map(call.output)
    return made and simple("resize_nearest", outputs=math.prod(made), pixels=made[0] * made[1])


_OPERATIONS: dict[str, Callable[[_Call], Operation | None]] = {
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
    "ADD": _elementwise("add"),
    "MUL": _elementwise("mul"),
    "HARD_SWISH": _by_outputs("hard_swish"),
    "RELU": _by_outputs("relu"),
    "RELU6": _by_outputs("relu6"),
    "AVERAGE_POOL_2D": _pool("average_pool"),
    "MAX_POOL_2D": _pool("max_pool"),
    "MEAN": _mean,
    "PAD": _pad,
    "PADV2": _pad,
    "CONCATENATION": _concat,
    "RESHAPE": _by_outputs("copy"),
    "SQUEEZE": _by_outputs("copy"),
    "EXPAND_DIMS": _by_outputs("copy"),
    "FILL": _by_outputs("fill"),
    "TRANSPOSE": _by_outputs("transpose"),
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "SOFTMAX": _by_outputs("softmax"),
    "QUANTIZE": _by_outputs("quantize"),
    "DEQUANTIZE": _by_outputs("dequantize"),
}
