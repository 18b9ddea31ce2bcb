"""Programs: what a microcontroller's runtime makes of a network."""

from hwnas.network.program.lower import lower
from hwnas.network.program.pads import explicit_pads, fuse_pads, is_tflite_padding, same_pads
from hwnas.network.program.program import (
    ITEM_BYTES,
    Operator,
    Program,
    Tensor,
    UnsupportedOperatorError,
    Window,
)

__all__ = [
    "ITEM_BYTES",
    "Operator",
    "Program",
    "Tensor",
    "UnsupportedOperatorError",
    "Window",
    "explicit_pads",
    "fuse_pads",
    "is_tflite_padding",
    "lower",
    "same_pads",
]
