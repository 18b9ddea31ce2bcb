"""What an operator of the vocabulary is, and the table of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from hwnas.network.network import Attribute, Shape

Attributes: TypeAlias = Mapping[str, Any]
Shapes: TypeAlias = Sequence[Shape]
Infer: TypeAlias = Callable[[Attributes, Shapes], list[Shape]]
Spell: TypeAlias = Callable[[dict[str, Any], Shapes], None]


class Whole(tuple[int, ...]):
    """The shape of a parameter: nothing is left out of it, where a value's leaves out the batch."""


@dataclass(frozen=True)
class Operator:
    """What is known of one ONNX operator.

    Attributes:
        infer: shapes of the outputs, from attributes as `spell` leaves them and the shapes of the inputs.
        defaults: the attribute values that ONNX assumes.
        parameters: names of the inputs that may be parameters, by position.
        attribute_inputs: for the positions of ONNX inputs that fix the shape, the attribute that holds
            them here.
        spell: writes attributes in the one way that the vocabulary allows (padding explicit, axes named,
            ...), so that two layers of one function have equal attributes.
    """

    infer: Infer
    defaults: Mapping[str, Attribute] = field(default_factory=dict)
    parameters: Mapping[int, str] = field(default_factory=dict)
    attribute_inputs: Mapping[int, str] = field(default_factory=dict)
    spell: Spell | None = None


OPERATORS: dict[str, Operator] = {}


class UnknownOperatorError(ValueError):
    """An operator outside the vocabulary; the message names it."""


def operator(
    *names: str,
    defaults: Mapping[str, Attribute] | None = None,
    parameters: Mapping[int, str] | None = None,
    attribute_inputs: Mapping[int, str] | None = None,
    spell: Spell | None = None,
) -> Callable[[Infer], Infer]:
    """Register a shape function for the operators `names`."""

    def register(infer: Infer) -> Infer:
        for name in names:
            if name in OPERATORS:
                raise ValueError(f"operator {name} is registered twice")
            OPERATORS[name] = Operator(infer, defaults or {}, parameters or {}, attribute_inputs or {}, spell)
        return infer

    return register


def require(condition: bool, message: str) -> None:
    """Raise ValueError with `message` unless `condition` holds."""
    if not condition:
        raise ValueError(message)


def inner(axis: int) -> int:
    """Position of ONNX's `axis` in a shape without the batch; raises ValueError for the batch itself."""
    require(axis > 0, "axis 0 is the batch, which no layer may touch")
    return axis - 1


def broadcast(*shapes: Shape) -> Shape:
    """NumPy's broadcast of shapes; raises ValueError where they do not fit."""
    if all(shape == shapes[0] for shape in shapes):
        return tuple(shapes[0])
    rank = max(len(shape) for shape in shapes)
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    result = []
    for sizes in zip(*padded, strict=True):
        known = {size for size in sizes if size != 1}
        require(len(known) <= 1, f"{[tuple(shape) for shape in shapes]} do not broadcast")
        result.append(known.pop() if known else 1)
    return tuple(result)


def broadcast_values(shapes: Shapes) -> Shape:
    """Broadcast of values, whose batches must coincide, and parameters, which may not reach the batch."""
    values = [shape for shape in shapes if not isinstance(shape, Whole)]
    require(bool(values), "it reads parameters only")
    rank = len(values[0])
    require(all(len(shape) == rank for shape in values), "values of different rank would mix the batch")
    return broadcast(*values, *(_below_batch(s, rank) for s in shapes if isinstance(s, Whole)))


def _below_batch(shape: Whole, rank: int) -> Shape:
    """The shape of a parameter beside values of `rank`: a leading 1 may stand for the batch."""
    if len(shape) == rank + 1 and shape[0] == 1:
        return tuple(shape[1:])
    require(len(shape) <= rank, f"a parameter of shape {tuple(shape)} would mix the batch")
    return tuple(shape)
