"""Recorded results of many architectures, gathered row by row into a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from hwnas.oracles.table import MetricTable


def number(value: Any) -> float:
    """`value` as a float, NaN for None; raises ValueError where it is no number."""
    if value is None:
        return float("nan")
    if not isinstance(value, (int, float)):
        raise ValueError(f"a number was expected, not a {type(value).__name__}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError("a number is beyond what float64 holds") from None


def gathered(rows: Iterable[tuple[str, Mapping[str, float]]], source: str) -> MetricTable:
    """The table of (architecture, its metrics); NaN where one lacks a metric that another has.

    Raises:
        ValueError: there are no rows, or as `MetricTable`.
    """
    architectures: list[str] = []
    columns: dict[str, dict[int, float]] = {}
    for row, (architecture, metrics) in enumerate(rows):
        architectures.append(architecture)
        for name, value in metrics.items():
            columns.setdefault(name, {})[row] = value
    if not architectures:
        raise ValueError(f"{source} holds no results")
    arrays = {}
    for name, values in columns.items():
        arrays[name] = np.full(len(architectures), np.nan)
        arrays[name][list(values)] = list(values.values())
        arrays[name].flags.writeable = False
    return MetricTable(tuple(architectures), arrays, source)
