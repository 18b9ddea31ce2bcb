"""Instructions of a whole network: its layers as operators of the table."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from hwnas.latency.instructions.operators import TERMS, Operation
from hwnas.latency.instructions.table import InstructionTable
from hwnas.network.network import Layer, Network, Shape

_FUSED_ACTIVATIONS = ("Relu", "Clip")
_HOSTS = ("Conv", "Add", "Gemm", "BatchNormalization", "MaxPool", "AveragePool")
_FREE = ("Flatten", "Reshape", "Squeeze", "Unsqueeze", "Dropout", "Identity")


def instructions(network: Network, table: InstructionTable) -> float:
    """Instructions of one int8 inference: the sum over the live layers.

    Batch normalisations are folded into convolutions and ReLUs computed by the operator before them, as
    converters to TFLite do; reshapes are free.

    Raises:
        ValueError: a layer is of no class that was counted; the message names it.
    """
    return table.instructions(operations(network))


def operations(network: Network) -> list[Operation]:
    """The operators that `network` is executed as; raises ValueError naming a layer of no counted class."""
    live = network.live
    uses = Counter(name for layer in live.layers for name in layer.inputs)
    made_by = {value.name: layer for layer in live.layers for value in layer.outputs}
    found = []
    for layer in live.layers:
        source = made_by.get(layer.inputs[0]) if layer.inputs else None
        is_single = source is not None and uses[layer.inputs[0]] == 1
        before = source.op if source is not None and is_single else ""
        if layer.op in _FREE or (layer.op == "BatchNormalization" and before == "Conv"):
            continue
        if layer.op in _FUSED_ACTIVATIONS and before in _HOSTS:
            continue
        found.append(_operation(layer, _shapes(layer, live)))
    return found


def _shapes(layer: Layer, network: Network) -> list[Shape]:
    values, parameters = network.values, network.parameters
    return [values[n].shape if n in values else parameters[n].shape for n in layer.inputs if n]


def _operation(layer: Layer, shapes: list[Shape]) -> Operation:
    make = _OPERATIONS.get(layer.op)
    operation = make(layer, shapes) if make else None
    if operation is None:
        sizes = ", ".join("×".join(map(str, shape)) for shape in shapes)
        raise ValueError(
            f"layer {layer.name}: {layer.op} on {sizes} is not among the operators whose instructions were "
            f"counted ({', '.join(TERMS)})"
        )
    return operation


def _conv(layer: Layer, shapes: list[Shape]) -> Operation | None:
    weight, output = shapes[1], layer.output
    group: Any = layer.attributes["group"]
    window, pixels = math.prod(weight[2:]), math.prod(output.shape[1:])
    if group == 1:
        kind = "conv1" if window == 1 else "conv"
    elif weight[1] == 1 and weight[2:] == (weight[2],) * 2:
        kind = f"depthwise{weight[2]}"
    else:
        return None
    if kind not in TERMS:
        return None
    columns = math.prod(weight[1:])
    return Operation(
        kind,
        macs=output.size * columns,
        outputs=output.size,
        pixels=pixels,
        columns=columns,
        window=_window(weight[2:]),
    )


def _window(sizes: Any) -> tuple[int, int]:
    """Height and width; one dimension is a height."""
    return (sizes[0], sizes[1] if len(sizes) > 1 else 1)


def _add(layer: Layer, shapes: list[Shape]) -> Operation | None:
    return Operation("add", outputs=layer.output.size) if shapes[0] == shapes[1] else None


def _gemm(layer: Layer, shapes: list[Shape]) -> Operation:
    return Operation("fully_connected", macs=math.prod(shapes[1]), outputs=layer.output.size)


def _pool(layer: Layer, shapes: list[Shape]) -> Operation:
    kind = "max_pool" if layer.op == "MaxPool" else "average_pool"
    window = _window(layer.attributes["kernel_shape"])
    pixels = math.prod(layer.output.shape[1:])
    return Operation(kind, outputs=layer.output.size, pixels=pixels, window=window)


def _mean(layer: Layer, shapes: list[Shape]) -> Operation:
    return Operation("mean", inputs=math.prod(shapes[0]), outputs=layer.output.size)


def _pad(layer: Layer, shapes: list[Shape]) -> Operation | None:
    if len(layer.output.shape) != 3:
        return None
    return Operation("pad", outputs=layer.output.size, rows=layer.output.shape[1])


def _concat(layer: Layer, shapes: list[Shape]) -> Operation | None:
    if len(layer.output.shape) != 3:
        return None
    return Operation("concat", outputs=layer.output.size, pixels=math.prod(layer.output.shape[1:]))


_OPERATIONS = {
    "Conv": _conv,
    "Add": _add,
    "Gemm": _gemm,
    "MaxPool": _pool,
    "AveragePool": _pool,
    "GlobalAveragePool": _mean,
    "ReduceMean": _mean,
    "Pad": _pad,
    "Concat": _concat,
}
