"""Which function lowers each of the network's operators."""

from __future__ import annotations

from hwnas.network.program.arithmetic import ARITHMETIC
from hwnas.network.program.lowering import Lower
from hwnas.network.program.movement import MOVEMENT
from hwnas.network.program.windows import WINDOWS

LOWERINGS: dict[str, Lower] = {**WINDOWS, **ARITHMETIC, **MOVEMENT}
