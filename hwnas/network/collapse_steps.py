"""The steps of a collapsed network, and the labels of its values while they are written."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hwnas.network.network import Layer, Network, Shape

Labels: TypeAlias = NDArray[np.intp]


class NotCollapsibleError(ValueError):
    """The equality of channels is not proved for a layer, which the message names."""


class Operand(NamedTuple):
    """The tensor of distinct channels that a step reads, and which of them in which order (None: all)."""

    tensor: str
    rows: tuple[int, ...] | None = None


class Step(NamedTuple):
    """One operation on tensors of distinct channels (K, B, *spatial).

    Attributes:
        layer: the layer it stands for; axes in its attributes are those of the tensors.
        operands: what it reads, in the layer's order; a number is a constant.
        output: the name of the tensor that it makes.
        counts: for Conv and Gemm, how often each distinct channel of the result sums each of the operand,
            (K', K), or None where each sums itself alone, once.
    """

    layer: Layer
    operands: tuple[Operand | float, ...]
    output: str
    counts: NDArray[np.intp] | None = None


class Labelled(NamedTuple):
    """Shape `labels.shape + spatial`; entry i of `labels` is the distinct channel that channel i equals."""

    tensor: str
    labels: Labels
    spatial: Shape

    @property
    def shape(self) -> Shape:
        """Of one sample."""
        return (*self.labels.shape, *self.spatial)


class Collapser:
    """Carries the labels of every value through the layers and writes the steps."""

    def __init__(self, network: Network, training: bool) -> None:
        self.parameters, self.training = network.parameters, training
        name, shape = network.inputs[0]
        self.values = {name: Labelled(name, np.arange(shape[0]), shape[1:])}
        self.distinct = {name: shape[0]}
        self.steps: list[Step] = []

    def value(self, layer: Layer, *, lead: int | None = 1, spatial: int | None = None) -> Labelled:
        """The first input, which must have `lead` axes of labels and `spatial` others."""
        found = self.values.get(layer.inputs[0])
        require(layer, found is not None, "its first input is a parameter")
        assert found is not None
        fits = (lead is None or found.labels.ndim == lead) and spatial in (None, len(found.spatial))
        require(layer, fits, f"channels and positions are mixed in its input of shape {found.shape}")
        return found

    def require_free(self, layer: Layer) -> None:
        """Weights and biases must be parameters that the proxy sets."""
        for name in layer.inputs[1:3]:
            free = not name or (name in self.parameters and self.parameters[name].constant is None)
            require(layer, free, f"{name} is a constant of the network")

    def emit(
        self,
        layer: Layer,
        operands: tuple[Operand | float, ...],
        distinct: int,
        labels: Labels,
        spatial: Shape,
        counts: NDArray[np.intp] | None = None,
    ) -> None:
        """Write a step, and the labels of its result with `distinct` different channels."""
        name = layer.output.name
        self.steps.append(Step(layer, operands, name, counts))
        self.distinct[name] = distinct
        self.values[name] = Labelled(name, labels, spatial)

    def follow(self, layer: Layer, x: Labelled, spatial: Shape | None = None) -> None:
        """A step that treats every channel alike."""
        after = x.spatial if spatial is None else spatial
        self.emit(layer, (Operand(x.tensor),), self.distinct[x.tensor], x.labels, after)


def require(layer: Layer, condition: bool, message: str) -> None:
    """Raise NotCollapsibleError for `layer` unless `condition` holds."""
    if not condition:
        raise NotCollapsibleError(f"layer {layer.name} ({layer.op}): {message}")
