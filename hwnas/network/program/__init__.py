"""Programs: what a microcontroller's runtime makes of a network."""

from hwnas.network.program.program import (
    ITEM_BYTES,
    Operator,
    Program,
    Tensor,
    UnsupportedOperatorError,
    Window,
)

__all__ = ["ITEM_BYTES", "Operator", "Program", "Tensor", "UnsupportedOperatorError", "Window"]
