"""Whether more of a recorded quantity is better, and its unit, as far as its name tells."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

_HIGHER = {"accuracy", "acc", "top1", "top5", "precision", "recall", "f1", "auc", "map", "miou", "iou", "fps"}
_ERRORS = {"loss", "error", "err", "mse", "rmse", "mae", "perplexity"}
_TIMES = {"latency", "energy", "power", "time", "seconds", "ms", "us", "mj"}
_SIZES = {"memory", "bytes", "sram", "flash", "params", "parameters", "flops", "macs"}
_LOWER = _ERRORS | _TIMES | _SIZES
_UNITS = {"ms": "ms", "mj": "mJ", "bytes": "bytes"}


def higher_is_better(name: str) -> bool | None:
    """By the words of a name, such as `test_accuracy` or `latency_ms`; None where they do not tell."""
    words = _words(name)
    higher, lower = bool(words & _HIGHER), bool(words & _LOWER)
    return None if higher == lower else higher


def unit(name: str, values: NDArray[np.float64]) -> str:
    """By the last word of a column's name; `fraction` for accuracies [N] that lie in [0, 1], else nothing."""
    words = _words(name)
    if higher_is_better(name) and words & {"accuracy", "acc", "top1", "top5"}:
        known = values[np.isfinite(values)]
        return "fraction" if known.size and known.min() >= 0 and known.max() <= 1 else ""
    return _UNITS.get(name.lower().rpartition("_")[2], "")


def _words(name: str) -> set[str]:
    camel_case_split = re.sub(r"([a-z])([A-Z])", r"\1_\2", name)
    return set(re.split(r"[^a-z0-9]+", f"{name} {camel_case_split}".lower()))
