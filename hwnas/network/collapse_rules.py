"""For each operator, which channels of its result are equal when all weights are one constant."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwnas.network.collapse_steps import Collapser, Labelled, Labels, Operand, require
from hwnas.network.network import Layer


def _alike(c: Collapser, layer: Layer) -> None:
    c.follow(layer, c.value(layer, lead=None))


def _parametric(c: Collapser, layer: Layer) -> None:
    x = c.value(layer)
    c.require_free(layer)
    c.follow(layer, x)


def _batch_norm(c: Collapser, layer: Layer) -> None:
    require(layer, c.training, "running statistics may differ from channel to channel")
    _parametric(c, layer)


def _pool(c: Collapser, layer: Layer) -> None:
    c.follow(layer, c.value(layer), layer.output.shape[1:])


def _dropout(c: Collapser, layer: Layer) -> None:
    require(
        layer, not c.training or layer.attributes["ratio"] == 0, "its masks differ from channel to channel"
    )
    c.values[layer.output.name] = c.value(layer, lead=None)


def _conv(c: Collapser, layer: Layer) -> None:
    # [c, h, w] -> [c', h', w']: the channels of a group are equal, and so are groups that sum alike
    x = c.value(layer, spatial=2)
    c.require_free(layer)
    a: Any = layer.attributes
    grouped = x.labels.reshape(a["group"], -1)
    per_group = layer.output.shape[0] // a["group"]
    if grouped.shape[1] == 1:
        labels, counts, distinct = x.labels, None, c.distinct[x.tensor]
    else:
        labels, counts = _sums(grouped, c.distinct[x.tensor])
        distinct = len(counts)
    spatial = layer.output.shape[1:]
    c.emit(layer, (Operand(x.tensor),), distinct, np.repeat(labels, per_group), spatial, counts)


def _sums(grouped: Labels, distinct: int) -> tuple[Labels, NDArray[np.intp]]:
    """For groups of labels (G, n): which distinct sum each group makes (G,), and the sums (K', distinct)."""
    if len(grouped) == 1 or distinct == 1:
        counts = np.bincount(grouped[0], minlength=distinct)[None]
        return np.zeros(len(grouped), np.intp), counts
    table = np.zeros((len(grouped), distinct), np.intp)
    np.add.at(table, (np.arange(len(grouped))[:, None], grouped), 1)
    counts, labels = np.unique(table, axis=0, return_inverse=True)
    return labels.ravel(), counts


def _gemm(c: Collapser, layer: Layer) -> None:
    # [n] -> [n']: every feature is the same sum
    x = c.value(layer, spatial=0)
    c.require_free(layer)
    _, counts = _sums(x.labels[None], c.distinct[x.tensor])
    c.emit(layer, (Operand(x.tensor),), 1, np.zeros(layer.output.shape[0], np.intp), (), counts)


def _together(c: Collapser, layer: Layer) -> None:
    # [c, h, w], [c, h, w] or [c, 1, 1] or a number -> [c, h, w]: each combination of labels once
    operands: list[Labelled | float] = [_operand(c, layer, name) for name in layer.inputs]
    values = [one for one in operands if isinstance(one, Labelled)]
    leads = {value.labels.ndim for value in values}
    require(layer, len(leads) == 1, "channels of one input meet positions of another")
    spatial = layer.output.shape[leads.pop() :]
    labels = np.broadcast_arrays(*(value.labels for value in values))
    sizes = {c.distinct[value.tensor] for value in values}
    if len(sizes) == 1 and all(np.array_equal(labels[0], other) for other in labels[1:]):
        whole = tuple(Operand(one.tensor) if isinstance(one, Labelled) else one for one in operands)
        c.emit(layer, whole, sizes.pop(), labels[0], spatial)
        return
    stacked = np.stack([one.ravel() for one in labels])
    rows, joint = np.unique(stacked, axis=1, return_inverse=True)
    chosen = iter(rows.tolist())
    picked = tuple(
        Operand(one.tensor, tuple(next(chosen))) if isinstance(one, Labelled) else one for one in operands
    )
    c.emit(layer, picked, rows.shape[1], joint.reshape(labels[0].shape), spatial)


def _operand(c: Collapser, layer: Layer, name: str) -> Labelled | float:
    if name in c.values:
        return c.values[name]
    parameter = c.parameters[name]
    single = parameter.constant is not None and len(parameter.constant) == 1
    require(layer, single, f"it reads the parameter {name}")
    assert parameter.constant is not None
    return parameter.constant[0]


def _concat(c: Collapser, layer: Layer) -> None:
    # channels side by side; a tensor that occurs twice is kept once
    axis: Any = layer.attributes["axis"]
    require(layer, all(name in c.values for name in layer.inputs), "it reads a parameter")
    values = [c.values[name] for name in layer.inputs]
    leads = {value.labels.ndim for value in values}
    require(layer, len(leads) == 1 and axis <= min(leads), "it joins positions, not channels")
    offsets: dict[str, int] = {}
    total = 0
    for value in values:
        if value.tensor not in offsets:
            offsets[value.tensor] = total
            total += c.distinct[value.tensor]
    labels = np.concatenate([value.labels + offsets[value.tensor] for value in values], axis=axis - 1)
    operands = tuple(Operand(tensor) for tensor in offsets)
    c.emit(layer, operands, total, labels, values[0].spatial)


def _split(c: Collapser, layer: Layer) -> None:
    axis: Any = layer.attributes["axis"]
    x = c.value(layer, lead=None)
    require(layer, axis <= x.labels.ndim, "it parts positions, not channels")
    ends = np.cumsum(layer.attributes["split"])
    for value, labels in zip(layer.outputs, np.split(x.labels, ends[:-1], axis - 1), strict=True):
        c.values[value.name] = x._replace(labels=labels)


def _slice(c: Collapser, layer: Layer) -> None:
    a: Any = layer.attributes
    x = c.value(layer, lead=None)
    labels = x.labels
    if min(a["axes"]) > labels.ndim:  # positions of all channels alike
        axes = tuple(axis - labels.ndim + 1 for axis in a["axes"])
        c.follow(layer._replace(attributes={**a, "axes": axes}), x, layer.output.shape[labels.ndim :])
        return
    for axis, start, end, step in zip(a["axes"], a["starts"], a["ends"], a["steps"], strict=True):
        require(layer, axis <= labels.ndim, "it parts positions, not channels")
        bounds = slice(start, None if step < 0 and end < -labels.shape[axis - 1] else end, step)
        labels = labels[(slice(None),) * (axis - 1) + (bounds,)]
    c.values[layer.output.name] = x._replace(labels=labels)


def _transpose(c: Collapser, layer: Layer) -> None:
    perm: Any = layer.attributes["perm"]
    x = c.value(layer, lead=None)
    lead = x.labels.ndim
    fixed = tuple(perm[lead + 1 :]) == tuple(range(lead + 1, len(perm)))
    require(layer, fixed, "it moves positions among channels")
    labels = x.labels.transpose([axis - 1 for axis in perm[1 : lead + 1]])
    c.values[layer.output.name] = x._replace(labels=labels)


def _reshape(c: Collapser, layer: Layer) -> None:
    # axes of channels alone change; or else every position becomes a channel of its own
    x, target = c.value(layer, lead=None), layer.output.shape
    lead = len(target) - len(x.spatial)
    if lead > 0 and target[lead:] == x.spatial and math.prod(target[:lead]) == x.labels.size:
        if x.spatial or len(target) == 1 or set(target[1:]) != {1}:
            c.values[layer.output.name] = x._replace(labels=x.labels.reshape(target[:lead]))
            return
        ones = layer._replace(op="Unsqueeze")
        c.emit(ones, (Operand(x.tensor),), c.distinct[x.tensor], x.labels.ravel(), target[1:])
        return
    positions = math.prod(x.spatial)
    labels = (x.labels[..., None] * positions + np.arange(positions)).reshape(target)
    flat = layer._replace(op="Flatten")
    c.emit(flat, (Operand(x.tensor),), c.distinct[x.tensor] * positions, labels, ())


def _reduce(c: Collapser, layer: Layer) -> None:
    axes: Any = layer.attributes["axes"]
    x = c.value(layer, lead=None)
    lead = x.labels.ndim
    require(layer, min(axes) > lead, "it reduces over channels")
    shifted = {**layer.attributes, "axes": tuple(axis - lead + 1 for axis in axes)}
    c.follow(layer._replace(attributes=shifted), x, layer.output.shape[lead:])


def _constant(c: Collapser, layer: Layer) -> None:
    channels, *spatial = layer.output.shape
    c.emit(layer, (), 1, np.zeros(channels, np.intp), tuple(spatial))


_UNARY = (
    "Relu", "Sigmoid", "Tanh", "HardSwish", "Softplus", "Softsign", "Mish", "Erf", "Exp", "Log", "Sqrt",
    "Neg", "Abs", "Reciprocal", "Floor", "Ceil", "Sign", "LeakyRelu", "Elu", "Selu", "Celu", "HardSigmoid",
    "Gelu", "Clip",
)  # fmt: skip

RULES: Mapping[str, Callable[[Collapser, Layer], None]] = {
    "Conv": _conv,
    "Gemm": _gemm,
    "BatchNormalization": _batch_norm,
    "PRelu": _parametric,
    "Dropout": _dropout,
    "Concat": _concat,
    "Split": _split,
    "Slice": _slice,
    "Transpose": _transpose,
    "ConstantOfShape": _constant,
    **dict.fromkeys(_UNARY, _alike),
    **dict.fromkeys(("MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"), _pool),
    **dict.fromkeys(("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Sum", "Mean"), _together),
    **dict.fromkeys(("Flatten", "Reshape", "Squeeze", "Unsqueeze"), _reshape),
    **dict.fromkeys(("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin"), _reduce),
}
