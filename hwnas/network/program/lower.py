"""From a network to the program that a runtime executes.

Batch normalisations are folded into the convolution before them, activations are computed by the operator
before them, and what only renames data is left out, as converters to TFLite do (`lowering.py`). Each kind of
layer has a short function, which the table in `operators.py` names.
"""

from __future__ import annotations

from hwnas.network.network import Network
from hwnas.network.program.lowering import Lowering
from hwnas.network.program.operators import LOWERINGS
from hwnas.network.program.pads import explicit_pads
from hwnas.network.program.program import Program


def lower(
    network: Network, *, dtype: str = "int8", fused_pad: bool = False, float_input: bool = False
) -> Program:
    """The program of the live layers of `network`.

    Args:
        network: what to execute; maps `[c, h, w]` become `(1, h, w, c)`.
        dtype: of activations and weights: `int8` (biases are then int32) or `float32`.
        fused_pad: whether convolutions and poolings pad by themselves, whatever the padding (TinyEngine,
            ExecuTorch); otherwise a PAD stands before each whose padding is neither TFLite's SAME nor VALID.
        float_input: whether the inputs are float32 and quantised by the program.

    Raises:
        UnsupportedOperatorError: a layer has no form in TFLite; the message names it.
        ValueError: another dtype.
    """
    if dtype not in ("int8", "float32"):
        raise ValueError(f"dtype must be int8 or float32, not {dtype!r}")
    program = Lowering(network.live, dtype).run(LOWERINGS, float_input=float_input and dtype == "int8")
    return program if fused_pad else explicit_pads(program)
