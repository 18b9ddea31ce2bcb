"""Boosted regression trees as plain arrays, evaluated by NumPy alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.predictors.arrays import Arrays

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_AT_ONCE = 1 << 15


@dataclass(frozen=True)
class Trees:
    """All nodes of all trees in one list; children stand behind their parent, a leaf is its own child.

    Attributes:
        feature: `[m]`, the column that a node compares.
        threshold: `[m]`; a sample goes left where its value is at most this.
        left: `[m]`, the left child.
        right: `[m]`, the right child.
        value: `[m]`, what a leaf adds to the sum.
        missing_left: `[m]`, whether NaN goes left.
        roots: `[t]`, the first node of each tree.
        baseline: what the sum starts from.
    """

    feature: Integers
    threshold: Floats
    left: Integers
    right: Integers
    value: Floats
    missing_left: NDArray[np.bool_]
    roots: Integers
    baseline: float

    @cached_property
    def depth(self) -> int:
        """Steps from a root to the deepest leaf."""
        depths = np.zeros(len(self.feature), dtype=np.int64)
        for node in range(len(depths) - 1, -1, -1):
            if self.left[node] != node:
                depths[node] = 1 + max(depths[self.left[node]], depths[self.right[node]])
        return int(depths.max(initial=0))

    def evaluate(self, x: Floats) -> Floats:
        """The sum of all trees' leaves: `[n, d] -> [n]`."""
        result = np.full(len(x), self.baseline)
        step = max(1, _AT_ONCE // max(1, len(self.roots)))
        for start in range(0, len(x), step):
            result[start : start + step] += self._sum(np.ascontiguousarray(x[start : start + step]))
        return result

    def _sum(self, x: Floats) -> Floats:
        n, d = x.shape
        flat, row = x.ravel(), np.arange(n)[:, None] * d
        has_missing = bool(np.isnan(flat).any())
        nodes = np.broadcast_to(self.roots, (n, len(self.roots)))
        for _ in range(self.depth):
            values = flat[row + self.feature[nodes]]
            goes_left = values <= self.threshold[nodes]
            if has_missing:
                goes_left |= np.isnan(values) & self.missing_left[nodes]
            nodes = np.where(goes_left, self.left[nodes], self.right[nodes])
        total: Floats = self.value[nodes].sum(axis=1)
        return total

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The fields as arrays, names prefixed with `tree_`."""
        return {
            "tree_feature": self.feature,
            "tree_threshold": self.threshold,
            "tree_left": self.left,
            "tree_right": self.right,
            "tree_value": self.value,
            "tree_missing_left": self.missing_left,
            "tree_roots": self.roots,
            "tree_baseline": np.array([self.baseline]),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays, columns: int) -> Trees:
        """The trees that `arrays` describes, over `columns` features; raises ValueError naming the field."""
        value = arrays.floats("tree_value", None)
        m = len(value)
        made = cls(
            feature=arrays.integers("tree_feature", m, low=0, high=columns - 1),
            threshold=arrays.floats("tree_threshold", m),
            left=arrays.integers("tree_left", m, low=0, high=m - 1),
            right=arrays.integers("tree_right", m, low=0, high=m - 1),
            value=value,
            missing_left=arrays.booleans("tree_missing_left", m),
            roots=arrays.integers("tree_roots", None, low=0, high=m - 1),
            baseline=float(arrays.floats("tree_baseline", 1)[0]),
        )
        own = np.arange(m)
        is_leaf = (made.left == own) & (made.right == own)
        is_inner = (made.left > own) & (made.right > own)
        arrays.require(bool((is_leaf | is_inner).all()), "tree_left", "behind the parent, as tree_right")
        return made


def no_trees(baseline: float) -> Trees:
    """No tree at all: a constant."""
    none, no_float = np.zeros(0, dtype=np.int64), np.zeros(0)
    return Trees(none, no_float, none, none, no_float, np.zeros(0, dtype=np.bool_), none, baseline)


def from_sklearn(model: Any, columns: Integers) -> Trees:
    """The trees of a fitted `HistGradientBoostingRegressor` of squared error without categorical features.

    Args:
        model: the fitted estimator.
        columns: `[d]`: the column that each of its features is for the caller.
    """
    nodes = [stage[0].nodes for stage in model._predictors]
    roots = np.cumsum([0] + [len(part) for part in nodes])[:-1].astype(np.int64)
    offset = np.repeat(roots, [len(part) for part in nodes])
    whole = np.concatenate(nodes)
    leaf = whole["is_leaf"].astype(np.bool_)
    own = np.arange(len(whole), dtype=np.int64)
    return Trees(
        feature=np.where(leaf, columns[0], columns[np.where(leaf, 0, whole["feature_idx"])]),
        threshold=np.where(leaf, 0.0, whole["num_threshold"]),
        left=np.where(leaf, own, whole["left"].astype(np.int64) + offset),
        right=np.where(leaf, own, whole["right"].astype(np.int64) + offset),
        value=whole["value"].astype(np.float64),
        missing_left=whole["missing_go_to_left"].astype(np.bool_),
        roots=roots,
        baseline=float(np.ravel(model._baseline_prediction)[0]),
    )
