"""The values of linear and of smooth kernels between encoded networks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Columns:
    """Encoded networks: what each kernel sees of them. Linear kernels come first, smooth ones after them.

    Attributes:
        linear: for each linear kernel `[N, d]`; its value is the inner product.
        smooth: for each smooth kernel `[N, d]`; its value is exp(-distance² / 2).
    """

    linear: tuple[Floats, ...]
    smooth: tuple[Floats, ...]

    def grams(self, others: Columns) -> Floats:
        """Each kernel's values between these and the others, `[kernels, N, M]`."""
        inner = [a @ b.T for a, b in zip(self.linear, others.linear, strict=True)]
        return np.stack([*inner, *map(_smooth, self.smooth, others.smooth)])

    def own(self) -> Floats:
        """Each kernel's values of a network with itself, `[kernels, N]`."""
        lengths = [(part**2).sum(axis=1) for part in self.linear]
        return np.stack([*lengths, *(np.ones(len(part)) for part in self.smooth)])


def _smooth(a: Floats, b: Floats) -> Floats:
    """`[N, d], [M, d] -> [N, M]`."""
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return np.asarray(np.exp(-np.maximum(squared, 0) / 2))
