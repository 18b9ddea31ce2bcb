"""The operator vocabulary: ONNX's names and attributes, and the shapes they produce.

One short function per operator, from the shapes of its inputs (the batch left out of values, parameters
whole) to those of its outputs. Axes in attributes count the batch as axis 0, as ONNX does.
"""

from __future__ import annotations

from collections.abc import Iterable

from hwnas.network.network import Attribute, Parameter, Shape, Value
from hwnas.network.operators import elementwise, matrices, movement, norms, windows
from hwnas.network.operators.registry import (
    OPERATORS,
    Attributes,
    Operator,
    Shapes,
    UnknownOperatorError,
    Whole,
    require,
)

__all__ = [
    "OPERATORS",
    "Operator",
    "UnknownOperatorError",
    "elementwise",
    "get_operator",
    "infer_shapes",
    "input_shapes",
    "matrices",
    "movement",
    "normalised",
    "norms",
    "windows",
]

_MISFITS = (ValueError, LookupError, TypeError, ArithmeticError, AttributeError)


def get_operator(op: str) -> Operator:
    """The operator called `op`; raises `UnknownOperatorError` naming it."""
    if op not in OPERATORS:
        raise UnknownOperatorError(f"operator {op} is not known to hwnas")
    return OPERATORS[op]


def input_shapes(inputs: Iterable[Value | Parameter | None]) -> list[Shape]:
    """The shapes of a layer's inputs, as `infer_shapes` takes them; those left out are skipped."""
    return [Whole(i.shape) if isinstance(i, Parameter) else i.shape for i in inputs if i is not None]


def infer_shapes(op: str, attributes: Attributes, shapes: Shapes) -> list[Shape]:
    """Output shapes of `op` with `normalised` attributes.

    Raises:
        UnknownOperatorError: `op` is not in the vocabulary.
        ValueError: the inputs do not fit the operator or each other.
    """
    known = get_operator(op)
    try:
        for position, shape in enumerate(shapes):
            if isinstance(shape, Whole):
                require(position in known.parameters, f"input {position} is a parameter, not a value")
        found = known.infer(attributes, shapes)
    except _MISFITS as error:
        raise ValueError(_misfit(op, shapes, error)) from error
    for shape in found:
        if any(size <= 0 for size in shape):
            raise ValueError(f"{op} on inputs of shapes {_listed(shapes)} gives an empty output {shape}")
    return found


def normalised(op: str, attributes: Attributes, shapes: Shapes) -> dict[str, Attribute]:
    """`attributes` with ONNX's defaults filled in, axes counted from the front and everything spelt out.

    Raises:
        UnknownOperatorError: `op` is not in the vocabulary.
        ValueError: the attributes do not fit the inputs.
    """
    known = get_operator(op)
    full: dict[str, Attribute] = {**known.defaults}
    for name, value in attributes.items():
        full[name] = tuple(value) if isinstance(value, list) else value
    try:
        _count_axes_from_front(op, full, shapes)
        if known.spell is not None:
            known.spell(full, shapes)
    except _MISFITS as error:
        raise ValueError(_misfit(op, shapes, error)) from error
    return full


def _count_axes_from_front(op: str, full: dict[str, Attribute], shapes: Shapes) -> None:
    axis, axes = full.get("axis"), full.get("axes")
    rank = len(shapes[0]) + 1 if shapes else 0
    if op == "Unsqueeze" and isinstance(axes, tuple):
        rank += len(axes)  # its axes are those of the result
    if isinstance(axis, int) and axis < 0:
        full["axis"] = axis + rank
    if isinstance(axes, tuple):
        full["axes"] = tuple(int(a) + rank if a < 0 else int(a) for a in axes)


def _misfit(op: str, shapes: Shapes, error: Exception) -> str:
    reason = f"no {error}" if isinstance(error, KeyError) else str(error)
    return f"{op} does not accept inputs of shapes {_listed(shapes)}: {reason}"


def _listed(shapes: Shapes) -> list[Shape]:
    return [tuple(shape) for shape in shapes]
