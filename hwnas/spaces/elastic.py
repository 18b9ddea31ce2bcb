"""What once-for-all's spaces share: stages of inverted residuals with an elastic number of layers.

Cai et al., "Once-for-All: Train One Network and Specialize it for Efficient Deployment", ICLR 2020.
"""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import ClassVar, NamedTuple

from hwnas.network.builder import Builder
from hwnas.network.network import Item, Network, Shape, Value
from hwnas.spaces.architecture import Architecture
from hwnas.spaces.elastic_text import MBConv, read_layers, write_layers
from hwnas.spaces.mixtures import candidate_network, layer_mixture, supernetwork_of_stages
from hwnas.spaces.mobile_layers import divisible, inverted_residual
from hwnas.spaces.space import SearchSpace
from hwnas.spaces.supernetwork import Candidate, Supernetwork, no_supernetwork

KERNELS, EXPANSIONS, DEPTHS = (3, 5, 7), (3, 4, 6), (2, 3, 4)
RESOLUTIONS = tuple(range(128, 225, 4))


@dataclass(frozen=True)
class ElasticStage:
    """A stage before the width multiplier; its first layer has the stride.

    Attributes:
        depth: number of layers, where that is fixed.
    """

    channels: int
    stride: int
    activation: str = "relu6"
    squeeze_excite: bool = False
    depth: int | None = None


class _Positions(NamedTuple):
    """Where the decisions of a stage stand in an encoding: its depth, and each layer's kernel."""

    depth: int
    layers: tuple[int, ...]


class ElasticSpace(SearchSpace):
    """Stages whose layers each have a kernel and an expansion of their own, and a resolution of the input.

    Decisions: `resolution`; of stage i `depth_i`, and of its layer j `kernel_i_j` and `expansion_i_j`.
    Those of layers beyond the depth have no effect and hold their first choice, so that each network is one
    architecture. `random` draws as once-for-all does: every decision uniformly, the depths too.

    Architectures print and parse as `r224-k3e4,k5e6-...`: the resolution, then the layers of each stage.
    """

    stages: tuple[ElasticStage, ...]
    first_block: ClassVar[ElasticStage]

    def __init__(
        self,
        *,
        kernels: Sequence[int] = KERNELS,
        expansions: Sequence[int] = EXPANSIONS,
        depths: Sequence[int] = DEPTHS,
        resolutions: Sequence[int] = RESOLUTIONS,
        width: float = 1.0,
        classes: int = 1000,
    ) -> None:
        self.kernels = whole_numbers("kernels", kernels, least=1)
        if any(kernel % 2 == 0 for kernel in self.kernels):
            raise ValueError(f"kernels must be odd, not {self.kernels}")
        self.expansions = whole_numbers("expansions", expansions, least=1)
        self.depths = whole_numbers("depths", depths, least=1)
        self.resolutions = whole_numbers("resolutions", resolutions, least=32)
        self.width = width
        (self.classes,) = whole_numbers("classes", (classes,), least=2)
        if not 0 < width <= 10:
            raise ValueError(f"width must be above 0 and at most 10, not {width!r}")
        self.decisions = {"resolution": self.resolutions}
        for i, stage in enumerate(self.stages, start=1):
            self.decisions[f"depth_{i}"] = self._depths(stage)
            for j in range(1, max(self._depths(stage)) + 1):
                self.decisions[f"kernel_{i}_{j}"] = self.kernels
                self.decisions[f"expansion_{i}_{j}"] = self.expansions

    def settings(self) -> dict[str, object]:
        """All settings, as keyword arguments."""
        return {
            "kernels": self.kernels,
            "expansions": self.expansions,
            "depths": self.depths,
            "resolutions": self.resolutions,
            "width": self.width,
            "classes": self.classes,
        }

    def identity(self) -> Hashable:
        """All settings."""
        return tuple(self.settings().values())

    def _depths(self, stage: ElasticStage) -> tuple[int, ...]:
        return self.depths if stage.depth is None else (stage.depth,)

    # --- decisions without effect

    @cached_property
    def _positions_by_stage(self) -> tuple[_Positions, ...]:
        found, position = [], 1
        for stage in self.stages:
            layers = max(self._depths(stage))
            found.append(_Positions(position, tuple(range(position + 1, position + 1 + 2 * layers, 2))))
            position += 1 + 2 * layers
        return tuple(found)

    def effective(self, encoding: tuple[int, ...]) -> tuple[int, ...]:
        """`encoding` with the first choices for layers beyond the depth of their stage."""
        cleared = list(encoding)
        for stage, positions in zip(self.stages, self._positions_by_stage, strict=True):
            depth = self._depths(stage)[encoding[positions.depth]]
            for layer in positions.layers[depth:]:
                cleared[layer] = cleared[layer + 1] = 0
        return tuple(cleared)

    @cached_property
    def size(self) -> int:
        """Number of networks: resolutions · prod over stages of the sum over depths d of (|k| · |e|)^d."""
        layer = len(self.kernels) * len(self.expansions)
        size = len(self.resolutions)
        for stage in self.stages:
            size *= sum(layer**depth for depth in self._depths(stage))
        return size

    # --- layers

    def layers(self, architecture: Architecture) -> tuple[tuple[MBConv, ...], ...]:
        """The layers of each stage that are there."""
        encoding = architecture.encoding
        return tuple(
            tuple(
                MBConv(self.kernels[encoding[layer]], self.expansions[encoding[layer + 1]])
                for layer in positions.layers[: self._depths(stage)[encoding[positions.depth]]]
            )
            for stage, positions in zip(self.stages, self._positions_by_stage, strict=True)
        )

    def from_layers(self, resolution: int, stages: Sequence[Sequence[tuple[int, int]]]) -> Architecture:
        """The architecture of these (kernel, expansion) pairs of each stage; raises ValueError if none."""
        if len(stages) != len(self.stages):
            raise ValueError(f"{len(self.stages)} stages expected in space {self.name}, not {len(stages)}")
        values: dict[str, Hashable] = {"resolution": resolution}
        first = (self.kernels[0], self.expansions[0])
        for i, (stage, layers) in enumerate(zip(self.stages, stages, strict=True), start=1):
            values[f"depth_{i}"] = len(layers)
            padded = itertools.chain(layers, itertools.repeat(first))
            for j, (kernel, expansion) in zip(range(1, max(self._depths(stage)) + 1), padded, strict=False):
                values[f"kernel_{i}_{j}"], values[f"expansion_{i}_{j}"] = kernel, expansion
        return self.architecture(**values)

    def from_config(self, *, ks: Sequence[int], e: Sequence[int], d: Sequence[int], r: int) -> Architecture:
        """The architecture of once-for-all's own configuration of a sub-network.

        Args:
            ks: kernel sizes, of as many layers for each stage as its greatest depth.
            e: expansions, likewise.
            d: depths of the stages.
            r: resolution.

        Raises:
            ValueError: a list has a wrong length, or a value is none of the space's choices.
        """
        greatest = [max(self._depths(stage)) for stage in self.stages]
        lengths = {"ks": (ks, sum(greatest)), "e": (e, sum(greatest)), "d": (d, len(greatest))}
        for name, (values, length) in lengths.items():
            if len(values) != length:
                raise ValueError(f"{name} must have {length} values in space {self.name}, not {len(values)}")
        if any(depth > most for depth, most in zip(d, greatest, strict=True)):
            raise ValueError(f"d must be at most {greatest} in space {self.name}, not {list(d)}")
        pairs = iter(zip(ks, e, strict=True))
        stages = [list(itertools.islice(pairs, layers)) for layers in greatest]
        return self.from_layers(r, [layers[:depth] for layers, depth in zip(stages, d, strict=True)])

    def network(self, architecture: Architecture) -> Network:
        """Stem, the first block, the stages, head."""
        encoding = architecture.encoding
        before = _before_stages(self, self.resolutions[encoding[0]])
        x = before.outputs[0]
        items = list(before.items)
        for i, positions in enumerate(self._positions_by_stage):
            depth = self._depths(self.stages[i])[encoding[positions.depth]]
            for j, layer in enumerate(positions.layers[:depth]):
                item = _layer_item(self, x, i, j, encoding[layer], encoding[layer + 1])
                items.append(item)
                x = item.outputs[0]
        after = _after_stages(self, x)
        return Network(before.inputs, after.outputs, (*items, *after.items), {})

    def supernetwork(self) -> Supernetwork:
        """A group for each decision; a layer is a mixture of kernels and expansions, and of being there.

        Raises:
            ValueError: there are several resolutions.
        """
        if len(self.resolutions) > 1:
            why = "changes the size of every value; give a single one, as in resolutions=(224,)"
            raise no_supernetwork(self, ["resolution"], why)
        first = (self.kernels[0], self.expansions[0])
        depths = [max(self._depths(stage)) for stage in self.stages]
        deepest = self.from_layers(self.resolutions[0], [[first] * depth for depth in depths])
        return supernetwork_of_stages(self, deepest.network, depths, self._mixture)

    def _mixture(self, i: int, j: int, shape: Shape) -> tuple[Candidate, ...]:
        """The candidates of layer `j`, counted from 0, of stage `i`, counted from 1."""
        stage = self.stages[i - 1]

        def network(kernel: int, expansion: int) -> Network:
            layer = MBConv(self.kernels[kernel], self.expansions[expansion])
            settings = {"stage": stage, "layer": layer, "stride": 1 if j else stage.stride}
            return candidate_network(shape, self._layer, name="layer", **settings)

        decisions = (f"kernel_{i}_{j + 1}", f"expansion_{i}_{j + 1}")
        return layer_mixture(self, f"depth_{i}", j, decisions, shape, network)

    def _layer(
        self, b: Builder, x: Value, name: str, stage: ElasticStage, layer: MBConv, stride: int
    ) -> Value:
        value: Value = b.block(
            name,
            inverted_residual,
            x,
            channels=self._scaled(stage.channels),
            kernel=layer.kernel,
            expansion=layer.expansion,
            stride=stride,
            squeeze_excite=stage.squeeze_excite,
            activation=stage.activation,
        )
        return value

    def _scaled(self, channels: int) -> int:
        return divisible(channels * self.width)

    @abstractmethod
    def _stem(self, b: Builder, x: Value) -> Value:
        """`[3, r, r] -> [c, r/2, r/2]`, in blocks."""

    @abstractmethod
    def _head(self, b: Builder, x: Value) -> Value:
        """`[c, h, w] -> [classes]`, in blocks."""

    # --- text

    def format(self, architecture: Architecture) -> str:
        """`r224-k3e4,k5e6-...`: the resolution, then each stage's layers."""
        return write_layers(self.resolutions[architecture.encoding[0]], self.layers(architecture))

    def parse(self, text: str) -> Architecture:
        """Read what `format` wrote; raises ValueError naming the part that is wrong."""
        return self.from_layers(*read_layers(text))


# A network is put together from items that are made once: what stands before the stages, each layer on each
# value that it can have as its input, and what stands after the stages.


@lru_cache(maxsize=1 << 10)
def _before_stages(space: ElasticSpace, resolution: int) -> Network:
    b = Builder()
    x = space._stem(b, b.input(3, resolution, resolution))
    first = space.first_block
    return b.build(space._layer(b, x, "stage0.block0", first, MBConv(3, 1), first.stride))


@lru_cache(maxsize=1 << 13)
def _layer_item(space: ElasticSpace, x: Value, i: int, j: int, kernel: int, expansion: int) -> Item:
    """Layer `j` of stage `i`, counted from 0, with the choices of these indices."""
    b = Builder()
    stage = space.stages[i]
    layer = MBConv(space.kernels[kernel], space.expansions[expansion])
    y = space._layer(b, x, f"stage{i + 1}.block{j}", stage, layer, 1 if j else stage.stride)
    return b.build(y).items[0]


@lru_cache(maxsize=1 << 12)
def _after_stages(space: ElasticSpace, x: Value) -> Network:
    b = Builder()
    return b.build(space._head(b, x))


def whole_numbers(name: str, values: Sequence[int], *, least: int) -> tuple[int, ...]:
    """`values`, checked; raises ValueError calling them `name`."""
    if not values or any(not isinstance(value, int) or value < least for value in values):
        raise ValueError(f"{name} must be whole numbers of at least {least}, not {values!r}")
    return tuple(values)
