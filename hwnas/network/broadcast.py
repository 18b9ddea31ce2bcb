"""Operators that broadcast their inputs, and the parameters beside them when widths change."""

from __future__ import annotations

from hwnas.network.network import Shape

BROADCASTING = ("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Sum", "Mean")


def broadcast_shape(parameter: Shape, value: Shape) -> Shape:
    """The shape of a parameter beside a value: 1 stays 1, any other size becomes the value's."""
    sizes = list(parameter)
    for axis in range(1, min(len(sizes), len(value)) + 1):
        sizes[-axis] = 1 if sizes[-axis] == 1 else value[-axis]
    return tuple(sizes)
