"""What a policy is taught with: drawn architectures and the weights of their log-probabilities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

Weigh = Callable[[Floats], Floats]
"""From the log-probabilities of samples [n] to the weights [n] of their gradients."""


class Sample(NamedTuple):
    """A drawn architecture: its effective encoding, and which of its decisions have an effect."""

    encoding: tuple[int, ...]
    active: npt.NDArray[np.bool_]


def arrays(samples: Sequence[Sample]) -> tuple[npt.NDArray[np.int64], Floats]:
    """`[n, decisions]` twice: the choices, and 1 for each decision with an effect, 0 for the others."""
    encodings = np.array([sample.encoding for sample in samples], dtype=np.int64)
    return encodings, np.array([sample.active for sample in samples], dtype=np.float64)


def draw_index(probabilities: Floats, uniform: float) -> int:
    """The choice of these probabilities [choices] that a number from [0, 1) falls on."""
    index = int(np.searchsorted(np.cumsum(probabilities), uniform, side="right"))
    return min(index, len(probabilities) - 1)
