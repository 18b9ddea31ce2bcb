"""A small number for each distinct layer met in this process, and the table of their descriptors."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.predictors.features import CLASSES, QUANTITIES, layer_descriptor
from hwnas.network.network import Layer, Parameter, Shape

_ids: dict[tuple[Any, ...], int] = {}
_descriptors: list[NDArray[np.float64]] = []
_adding = Lock()


def layer_id(layer: Layer, values: Mapping[str, Shape], parameters: Mapping[str, Parameter]) -> int:
    """The number of a layer: the same for layers of equal operator, attributes and shapes.

    Args:
        layer: the layer.
        values: shapes of the activations by name.
        parameters: the parameters that the layer may read, by name.
    """
    shapes = tuple(
        [values[name] if name in values else parameters[name].shape for name in layer.inputs if name]
    )
    outputs = tuple([shape for _, shape in layer.outputs])
    signature = (layer.op, shapes, outputs, tuple(layer.attributes.items()))
    found = _ids.get(signature)
    return _add(signature, layer, parameters) if found is None else found


def descriptors(ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """The descriptors of layers by number: `[n] -> [n, classes · quantities]`."""
    rows = [_descriptors[i] for i in ids]
    return np.array(rows).reshape(len(rows), len(CLASSES) * len(QUANTITIES))


def _add(signature: tuple[Any, ...], layer: Layer, parameters: Mapping[str, Parameter]) -> int:
    names = [name for name in layer.inputs if name]
    shapes: tuple[Shape, ...] = signature[1]
    is_parameter = [name in parameters for name in names]
    row = layer_descriptor(
        layer,
        [shape for shape, owned in zip(shapes, is_parameter, strict=True) if not owned],
        [shape for shape, owned in zip(shapes, is_parameter, strict=True) if owned],
        shapes,
    )
    with _adding:
        if signature not in _ids:
            _descriptors.append(row)
            _ids[signature] = len(_descriptors) - 1
        return _ids[signature]
