"""Latencies of parts that were not measured, from measured parts of the same structure.

The structure of a part is its operators with their windows, strides and kind of grouping; channels and
resolutions are left out. Within a structure, latency follows a line without negative weights in
operations and bytes moved (a roofline's two terms and an overhead), fitted on relative errors; an
estimate is the line's value times what the nearest measured parts say about the line's error there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.predictors.arrays import Arrays
from hwnas.latency.predictors.features import QUANTITIES
from hwnas.latency.predictors.sums import FEATURES, features
from hwnas.network.network import Layer, Network

Floats = NDArray[np.float64]

FEWEST = 3
"""The fewest measured parts of a structure that another is estimated from."""

_NEAREST = 3
_COLUMNS = [FEATURES.index(f"every.all.{quantity}") for quantity in QUANTITIES]


class InterpolatedWarning(UserWarning):
    """A prediction rests on parts that were not measured but estimated from others."""


@dataclass(frozen=True)
class Neighbours:
    """Measured parts by structure.

    Attributes:
        structures: of each part, `[n]`.
        quantities: `QUANTITIES` of each part, `[n, len(QUANTITIES)]`.
        latency_ms: of each part, `[n]`.
    """

    structures: tuple[str, ...]
    quantities: Floats
    latency_ms: Floats

    @classmethod
    def of(cls, parts: Iterable[Network], latency_ms: Mapping[str, float]) -> Neighbours:
        """The parts whose latencies are known by their key."""
        known = list({part.key: part for part in parts if part.key in latency_ms}.values())
        times = np.array([latency_ms[part.key] for part in known], dtype=np.float64)
        return cls(tuple(map(structure, known)), quantities(known), times)

    @cached_property
    def _by_structure(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for place, name in enumerate(self.structures):
            found.setdefault(name, []).append(place)
        return found

    def estimate(self, part: Network) -> float | None:
        """Milliseconds of a part; None where fewer than `FEWEST` of its structure were measured."""
        rows = self._by_structure.get(structure(part), [])
        if len(rows) < FEWEST:
            return None
        return _estimate(quantities([part])[0], self.quantities[rows], self.latency_ms[rows])

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """As plain arrays; `from_arrays` reads them."""
        return {
            "structures": np.array(self.structures, dtype=np.str_),
            "quantities": self.quantities,
            "structure_ms": self.latency_ms,
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Neighbours:
        """What `arrays` made; raises ValueError naming file and field."""
        structures = arrays.texts("structures", None)
        values = arrays.floats("quantities", len(structures), len(QUANTITIES))
        times = arrays.floats("structure_ms", len(structures))
        arrays.require(bool((values >= 0).all()), "quantities", "not negative")
        arrays.require(bool((times > 0).all()), "structure_ms", "positive")
        return cls(tuple(structures), values, times)


def structure(part: Network) -> str:
    """Operators with windows, strides and grouping, such as `Conv 3×3 /2×2 depthwise; Clip`."""
    shapes = {name: value.shape for name, value in part.values.items()}
    return "; ".join(_layer_structure(layer, shapes, part) for layer in part.layers)


def _layer_structure(layer: Layer, shapes: Mapping[str, tuple[int, ...]], part: Network) -> str:
    attributes: Mapping[str, Any] = layer.attributes
    if layer.op != "Conv":
        sizes = [attributes[name] for name in ("kernel_shape", "strides") if name in attributes]
        return " ".join([layer.op, *("×".join(map(str, size)) for size in sizes)])
    weight = part.parameters[layer.inputs[1]].shape
    group = attributes["group"]
    grouping = "dense" if group == 1 else "depthwise" if weight[1] == 1 else f"{group} groups"
    window, stride = "×".join(map(str, weight[2:])), "×".join(map(str, attributes["strides"]))
    return f"Conv {window} /{stride} {grouping}"


def quantities(parts: Sequence[Network]) -> Floats:
    """`[n, len(QUANTITIES)]`: operations and bytes of whole parts."""
    return features(parts)[:, _COLUMNS]


def _estimate(wanted: Floats, measured: Floats, latency_ms: Floats) -> float:
    """Milliseconds at `wanted` `[q]` from those at `measured` `[n, q]`."""
    from scipy.optimize import nnls

    scale = np.maximum(measured.max(axis=0), 1e-300)
    weights = nnls((measured / scale) / latency_ms[:, None], np.ones(len(latency_ms)))[0]
    line, at_wanted = (measured / scale) @ weights, float((wanted / scale) @ weights)
    distances = np.linalg.norm(np.log1p(measured) - np.log1p(wanted), axis=1)
    nearest = np.argsort(distances, kind="stable")[:_NEAREST]
    closeness = 1 / (distances[nearest] + 1e-3) ** 2
    errors = np.log(latency_ms[nearest] / line[nearest])
    return at_wanted * float(np.exp(closeness @ errors / closeness.sum()))
