"""Boosted trees on physical descriptors, on top of the line or instead of it.

Trees alone need hundreds of networks, and cannot extrapolate; a line on the same descriptors is good
with tens and misses what does not add up. So the trees model log(latency / line), or log(latency) where
that is better on held-out networks, or nothing where the line alone is best.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.predictors.arrays import Arrays
from hwnas.latency.predictors.base import Floats, register
from hwnas.latency.predictors.features import CLASSES
from hwnas.latency.predictors.linear import FeaturePredictor, LinearPredictor
from hwnas.latency.predictors.ridge import importance
from hwnas.latency.predictors.standardise import different_columns
from hwnas.latency.predictors.sums import FEATURES
from hwnas.latency.predictors.trees import Trees, from_sklearn, no_trees

MODES = ("line", "ratio", "log")
"""The line alone; the line times trees; trees alone."""

_INNER_FOLDS = 3
_LARGEST_LOG = 500.0
"""exp of more is no number: a file whose trees could add up to that is refused."""


@register
class GbmPredictor(FeaturePredictor):
    """Latency = line · exp(trees), or exp(trees); see `MODES`. The mode is chosen by cross-validation.

    scikit-learn is needed for fitting only.

    Args:
        mode: one of `MODES` instead of a choice by cross-validation.

    Raises:
        ValueError: an unknown mode.
    """

    kind: ClassVar[str] = "gbm"
    fewest: ClassVar[int] = 10

    def __init__(self, mode: str | None = None) -> None:
        super().__init__()
        if mode is not None and mode not in MODES:
            raise ValueError(f"no mode {mode!r}; known: {', '.join(MODES)}")
        self.given_mode = mode
        self.mode = mode or "line"
        self.line = LinearPredictor()
        self.trees = no_trees(0.0)

    def fit_features(self, x: Floats, latency_ms: Floats) -> None:
        """As `FeaturePredictor.fit_features`."""
        self.mode = self.given_mode or _best_mode(x, latency_ms)
        self.line = LinearPredictor()
        self.line.seen = self.seen
        self.line.fit_features(x, latency_ms)
        if self.mode == "line":
            self.trees = no_trees(0.0)
        else:
            base = self.line.left_out_ms if self.mode == "ratio" else np.ones(len(latency_ms))
            self.trees = fit_trees(x, np.log(latency_ms / base))

    def predict_features(self, x: Floats) -> Floats:
        """As `FeaturePredictor.predict_features`."""
        factor: Floats = np.exp(self.trees.evaluate(x))
        return factor if self.mode == "log" else self.line.predict_features(x) * factor

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The line, the trees and the mode."""
        mode = {"mode": np.array([MODES.index(self.mode)])}
        return {**self.line.arrays(), **self.trees.arrays(), **mode, "seen": self.seen}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> GbmPredictor:
        """As `Predictor.from_arrays`."""
        made = cls()
        made.mode = MODES[int(arrays.integers("mode", 1, low=0, high=len(MODES) - 1)[0])]
        made.line = LinearPredictor.from_arrays(arrays)
        made.seen = arrays.booleans("seen", len(CLASSES))
        made.trees = Trees.from_arrays(arrays, len(FEATURES))
        trees = made.trees
        largest = abs(trees.baseline) + np.abs(trees.value).max(initial=0) * len(trees.roots)
        arrays.require(bool(largest < _LARGEST_LOG), "tree_value", "logarithms of plausible latencies")
        return made


def fit_trees(x: Floats, target: Floats) -> Trees:
    """Boosted trees of squared error on `[n, d]` and `[n]`: shallow, slow and regularised.

    Columns that are constant or repeat another up to scale are left out.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    columns = different_columns(x)
    model: Any = HistGradientBoostingRegressor(
        learning_rate=0.1,
        max_iter=150,
        max_leaf_nodes=8,
        max_depth=4,
        min_samples_leaf=max(3, min(20, len(target) // 20)),
        l2_regularization=1.0,
        early_stopping=False,
        random_state=0,
    )
    if not len(columns):
        return no_trees(float(target.mean()))
    return from_sklearn(model.fit(x[:, columns], target), columns)


def _best_mode(x: Floats, latency_ms: Floats) -> str:
    """The mode of least mean weighted error over `_INNER_FOLDS` folds; the plainest of equals."""
    parts = np.array_split(np.random.default_rng(0).permutation(len(latency_ms)), _INNER_FOLDS)
    weights = importance(latency_ms)

    def error(mode: str) -> float:
        misses = [_held_out(mode, x, latency_ms, part) - latency_ms[part] for part in parts]
        return sum(float(weights[part] @ np.abs(miss)) for part, miss in zip(parts, misses, strict=True))

    return min(MODES, key=error)


def _held_out(mode: str, x: Floats, latency_ms: Floats, part: NDArray[np.int64]) -> Floats:
    kept = np.setdiff1d(np.arange(len(latency_ms)), part)
    predictor = GbmPredictor(mode)
    predictor.fit_features(x[kept], latency_ms[kept])
    return predictor.predict_features(x[part])
