"""Where operators with weights have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hwnas.network.program.program import Operator


class Positions(NamedTuple):
    """Positions among an operator's inputs, and the weights' axis of output channels."""

    data: int
    weights: int
    bias: int
    axis: int


WEIGHTED: Mapping[str, Positions] = {
    "CONV_2D": Positions(0, 1, 2, 0),
    "DEPTHWISE_CONV_2D": Positions(0, 1, 2, 3),
    "FULLY_CONNECTED": Positions(0, 1, 2, 0),
    "TRANSPOSE_CONV": Positions(2, 1, 3, 0),
}


def bias_of(operator: Operator) -> int:
    """The number of the bias of an operator of `WEIGHTED`; -1 without one."""
    position = WEIGHTED[operator.kind].bias
    return operator.inputs[position] if position < len(operator.inputs) else -1
