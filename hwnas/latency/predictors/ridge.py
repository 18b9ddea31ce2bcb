"""Ridge regression on relative errors, its penalty chosen by leave-one-out errors in closed form."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PENALTIES = np.geomspace(1e-9, 10, 41)
"""Tried penalties, as multiples of the largest squared singular value of the standardised design."""

SMALL = 0.1
"""Latencies below this share of the median weigh as if that large: near-empty networks do not rule."""


class Ridge(NamedTuple):
    """A fitted line.

    Attributes:
        weights: `[d]`.
        intercept: a number.
        left_out: `[n]`: the prediction of each fitted sample by the line fitted without it.
    """

    weights: Floats
    intercept: float
    left_out: Floats


def importance(y: Floats) -> Floats:
    """`[n]` -> `[n]`: the weight of each sample's error, 1/y, bounded for small y."""
    return np.asarray(1 / np.maximum(y, SMALL * np.median(y)))


def fit_ridge(x: Floats, y: Floats) -> Ridge:
    """Minimise Σ (importance · (y - intercept - x·weights))² + penalty · |standardised weights|².

    Columns are standardised (constant ones get weight 0), the intercept is not penalised. The penalty
    has the least mean |leave-one-out error| · importance; with the hat matrix H, the error left out is
    error / (1 - H_ii) (Allen's PRESS; Hastie et al., "Elements of Statistical Learning", eq. 7.64).

    Args:
        x: `[n, d]`.
        y: `[n]`, positive.
    """
    importances = importance(y)
    share = importances**2 / np.sum(importances**2)
    centre, mean_y = share @ x, float(share @ y)
    spread = np.sqrt(share @ (x - centre) ** 2)
    kept = np.flatnonzero(spread > 1e-9 * np.maximum(np.abs(x).max(axis=0, initial=0), 1e-300))
    design = importances[:, None] * ((x[:, kept] - centre[kept]) / spread[kept])
    target = importances * (y - mean_y)
    u, s, vt = np.linalg.svd(design, full_matrices=False)
    projected = u.T @ target
    shrinkage, left_out = _best_shrinkage(u, s, projected, target, share)
    weights = np.zeros(x.shape[1])
    weights[kept] = (
        vt.T @ (np.divide(shrinkage, s, out=np.zeros_like(s), where=s > 0) * projected) / spread[kept]
    )
    return Ridge(weights, mean_y - float(centre @ weights), y - left_out / importances)


def _best_shrinkage(
    u: Floats, s: Floats, projected: Floats, target: Floats, share: Floats
) -> tuple[Floats, Floats]:
    """The factors s²/(s² + penalty) of the best penalty, and the weighted errors left out, `[n]`."""
    tried = []
    for penalty in PENALTIES * max(float(s.max(initial=0)) ** 2, 1e-300):
        shrinkage = s**2 / (s**2 + penalty)
        leverage = share + u**2 @ shrinkage
        errors = (target - u @ (shrinkage * projected)) / np.maximum(1 - leverage, 1e-6)
        tried.append((float(np.mean(np.abs(errors))), shrinkage, errors))
    _, shrinkage, errors = min(tried, key=lambda candidate: candidate[0])
    return shrinkage, errors
