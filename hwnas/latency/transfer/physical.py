"""Sums over a network's layers that a device's time may follow, in three groups of columns.

For each class of layers (`hwnas.latency.predictors.features`): how many there are, the sums of their
quantities, and the sums of the quantities' square roots, half-way between the two; over every layer, over
those that an output depends on, and over the live ones, since runtimes drop different ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.predictors.features import CLASSES, QUANTITIES
from hwnas.latency.predictors.layer_ids import descriptors
from hwnas.latency.predictors.needed import needed_layers
from hwnas.latency.predictors.reading import read
from hwnas.latency.predictors.sums import layer_sums
from hwnas.network.network import Network

Floats = NDArray[np.float64]

VARIANTS = ("every", "needed", "live")
_COUNTED = len(VARIANTS) * len(CLASSES)
_MEASURED = _COUNTED * (len(QUANTITIES) - 1)

GROUPS = {
    "counts": slice(0, _COUNTED),
    "square_roots": slice(_COUNTED, _COUNTED + _MEASURED),
    "sums": slice(_COUNTED + _MEASURED, _COUNTED + 2 * _MEASURED),
}
COLUMNS = _COUNTED + 2 * _MEASURED


def physical(networks: Sequence[Network]) -> Floats:
    """`[n, COLUMNS]`; each group has the variants one behind the other, classes within, quantities within."""
    readings = [read(network) for network in networks]
    every = layer_sums([reading.every for reading in readings], _described)
    needed, live = every.copy(), every.copy()
    dead = [i for i, reading in enumerate(readings) if len(reading.live) < len(reading.every)]
    needed[dead] = layer_sums([needed_layers(networks[i]).layers for i in dead], _described)
    live[dead] = layer_sums([readings[i].live for i in dead], _described)
    # [n, variants, classes, 1 + 2 · (quantities - 1)]
    whole = np.stack([every, needed, live], axis=1).reshape(len(networks), len(VARIANTS), len(CLASSES), -1)
    counts, roots, sums = np.split(whole, [1, len(QUANTITIES)], axis=-1)
    return np.concatenate([part.reshape(len(networks), -1) for part in (counts, roots, sums)], axis=1)


def scales(columns: Floats) -> Floats:
    """What the columns of a population, `[n, COLUMNS]`, are multiplied by, `[COLUMNS]`.

    Counts vary alike from class to class; of a quantity, classes that hold more of it count for more. Each
    group then has mean squared length 1. A column that does not vary is multiplied by 0.
    """
    spread = columns.std(axis=0)
    varies = spread > 1e-9 * np.abs(columns).max(axis=0, initial=0)
    unit = np.where(varies, spread, 1.0)
    for name in ("square_roots", "sums"):
        group = columns[:, GROUPS[name]].reshape(len(columns), len(VARIANTS), len(CLASSES), -1)
        totals = group[:, 0].sum(axis=1).mean(axis=0)  # [quantities - 1], of every layer
        unit[GROUPS[name]] = np.broadcast_to(np.where(totals > 0, totals, 1.0), group.shape[1:]).ravel()
    scaled = varies / unit
    for group_of in GROUPS.values():
        length = np.sqrt(((spread * scaled)[group_of] ** 2).sum())
        scaled[group_of] /= length or 1.0
    return np.asarray(scaled)


def _described(ids: NDArray[np.int64]) -> Floats:
    """Of each layer, class by class: 1, the square roots of its quantities, its quantities: `[n, d]`."""
    rows = descriptors(ids).reshape(len(ids), len(CLASSES), len(QUANTITIES))
    count, quantities = rows[..., :1], rows[..., 1:]
    described = np.concatenate([count, np.sqrt(quantities), quantities], axis=-1)
    return described.reshape(len(ids), COLUMNS // len(VARIANTS))
