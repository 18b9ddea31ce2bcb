"""The kernels of a network: layers that a runtime fuses and executes as one.

The rules are those that inference runtimes share (onnxruntime's graph optimisations, TensorRT, TFLite):
a batch normalisation is folded into the convolution before it, an addition and an activation that
follow a convolution are computed while its results are written, and layers that only rename data go
with the layer that reads them. A kernel is itself a small network, so its key is canonical and whatever
reads networks reads kernels.

Where a runtime fuses less than these rules, a kernel's time is that of all its parts; see
`hwnas.latency.kernels.attribution`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hwnas.network.network import Layer, Network

_FOLDED = frozenset({"BatchNormalization"})
_ADDED = frozenset({"Add"})
_ACTIVATIONS = frozenset({"Relu", "Clip", "LeakyRelu", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish"})
_CONVOLUTIONS = frozenset({"Conv", "ConvTranspose"})
_ANCHORS = _CONVOLUTIONS | _FOLDED
FUSED = _FOLDED | _ADDED | _ACTIVATIONS
"""Operators that may be fused with the layer before them."""

_RENAMING = frozenset({"Flatten", "Reshape", "Squeeze", "Unsqueeze"})


class Kernel:
    """The layers of one kernel while they are collected; `tail` is the value that may be built upon."""

    __slots__ = ("has_added", "is_open", "layers", "tail")

    def __init__(self, layers: list[Layer], *, is_open: bool) -> None:
        self.layers = layers
        self.tail = layers[-1].output.name
        self.is_open = is_open
        self.has_added = False

    def append(self, layer: Layer) -> None:
        """Fuse a layer that reads the tail."""
        self.layers.append(layer)
        self.tail = layer.output.name
        self.has_added = self.has_added or layer.op in _ADDED
        self.is_open = layer.op not in _ACTIVATIONS


def fused(live: Network) -> list[tuple[Layer, ...]]:
    """The layers of a `simplified` network, grouped into kernels, in the order of their first layers."""
    uses = Counter(name for layer in live.layers for name in layer.inputs)
    uses.update(value.name for value in live.flat_outputs)
    kernels: list[Kernel] = []
    by_tail: dict[str, Kernel] = {}
    renamed: dict[str, list[Layer]] = {}
    for layer in live.layers:
        host = _host(layer, by_tail, uses)
        if host is not None:
            del by_tail[host.tail]
            host.append(layer)
            by_tail[host.tail] = host
            continue
        before = [part for name in layer.inputs for part in renamed.pop(name, ())]
        if layer.op in _RENAMING and uses[layer.output.name] == 1 and not _is_output(layer, live):
            renamed[layer.output.name] = [*before, layer]
            continue
        kernel = Kernel([*before, layer], is_open=layer.op in _ANCHORS)
        kernels.append(kernel)
        by_tail[kernel.tail] = kernel
    return [tuple(kernel.layers) for kernel in kernels]


def cut(layers: Sequence[Layer], network: Network) -> Network:
    """The network that consists of `layers` of the flat `network` alone."""
    inside = {value.name for layer in layers for value in layer.outputs}
    read = dict.fromkeys(name for layer in layers for name in layer.inputs if name)
    kept = {name for layer in network.layers if layer not in layers for name in layer.inputs}
    kept.update(value.name for value in network.flat_outputs)
    outputs = [v for layer in layers for v in layer.outputs if v.name in kept or v.name not in read]
    return Network(
        inputs=tuple(network.values[n] for n in read if n not in inside and n not in network.parameters),
        outputs=tuple(outputs),
        items=tuple(layers),
        own_parameters={n: network.parameters[n] for n in read if n in network.parameters},
    )


def _host(layer: Layer, by_tail: dict[str, Kernel], uses: Counter[str]) -> Kernel | None:
    """The kernel that `layer` is fused into; None where it begins one of its own."""
    sources = layer.inputs if layer.op in _ADDED else layer.inputs[:1]
    for name in sources:
        kernel = by_tail.get(name)
        if kernel is not None and uses[name] == 1 and _accepts(kernel, layer):
            return kernel
    return None


def _accepts(kernel: Kernel, layer: Layer) -> bool:
    if not kernel.is_open:
        return False
    if layer.op in _FOLDED:
        return kernel.layers[-1].op in _CONVOLUTIONS
    if layer.op in _ADDED:
        return not kernel.has_added and layer.output.shape == kernel.layers[-1].output.shape
    return layer.op in _ACTIVATIONS


def _is_output(layer: Layer, network: Network) -> bool:
    return any(value.name == layer.output.name for value in network.flat_outputs)
