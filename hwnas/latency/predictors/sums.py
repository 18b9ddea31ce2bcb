"""The features of whole networks: their layers' descriptors, summed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.predictors.features import CLASSES, QUANTITIES
from hwnas.latency.predictors.layer_ids import descriptors
from hwnas.latency.predictors.packed import counts, distinct
from hwnas.latency.predictors.reading import read
from hwnas.network.network import Network

FEATURES: tuple[str, ...] = tuple(
    f"{which}.{kind}.{quantity}"
    for which in ("every", "live")
    for kind in (*CLASSES, "all")
    for quantity in QUANTITIES
)
"""Names of the columns: over every layer and over the live layers, by class and over all classes."""

Describe = Callable[[NDArray[np.int64]], NDArray[np.float64]]
"""From the numbers of layers, `[n]`, to a row for each, `[n, d]`."""

_COUNTS_AT_ONCE = 1 << 22
_KNOWN = "_hwnas_latency_features"


def features(networks: Sequence[Network]) -> NDArray[np.float64]:
    """`[n, len(FEATURES)]`: for each network the sums of its layers' quantities.

    Runtimes that prune dead branches follow the live layers, those that run a graph as written every
    layer; so both are given. A network costs tens of microseconds, its blocks being read once; its row is
    remembered with the network object, so that several predictors in turn cost little more than one.
    """
    new = [network for network in networks if _KNOWN not in network.__dict__]
    for network, row in zip(new, _features(new), strict=True):
        network.__dict__[_KNOWN] = row
    rows = [network.__dict__[_KNOWN] for network in networks]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(FEATURES))


def _features(networks: Sequence[Network]) -> NDArray[np.float64]:
    readings = [read(network) for network in networks]
    every = layer_sums([reading.every for reading in readings], _with_totals)
    live = every.copy()
    partly_dead = [i for i, reading in enumerate(readings) if len(reading.live) < len(reading.every)]
    live[partly_dead] = layer_sums([readings[i].live for i in partly_dead], _with_totals)
    return np.concatenate([every, live], axis=1)


def _with_totals(ids: NDArray[np.int64]) -> NDArray[np.float64]:
    # [n] -> [n, (classes + 1) · quantities]
    rows = descriptors(ids)
    totals = rows.reshape(len(rows), len(CLASSES), len(QUANTITIES)).sum(axis=1)
    return np.concatenate([rows, totals], axis=1)


def layer_sums(packed: Sequence[bytes], describe: Describe) -> NDArray[np.float64]:
    """The sum of what `describe` says of each packed list of layers: `[n, d]`."""
    used = distinct(packed)
    table = describe(used)
    result = np.zeros((len(packed), table.shape[1]))
    step = max(1, _COUNTS_AT_ONCE // max(1, len(used)))
    for start in range(0, len(packed), step):
        result[start : start + step] = counts(packed[start : start + step], used) @ table
    return result
