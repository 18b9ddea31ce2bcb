"""MobileNetV2's inverted residuals in MnasNet's factorised hierarchical space (Tan et al., 2019, figure 4).

The network is a fixed sequence of stages; all layers of a stage are alike and each stage has decisions
of its own: kernel, expansion, depth, width and, where asked for, squeeze-and-excitation.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hwnas.network.builder import Builder
from hwnas.network.network import Network, Shape, Value
from hwnas.spaces.architecture import Architecture
from hwnas.spaces.mixtures import candidate_network, layer_mixture, supernetwork_of_stages
from hwnas.spaces.mobile_layers import conv_bn, divisible, head, inverted_residual
from hwnas.spaces.space import SearchSpace
from hwnas.spaces.supernetwork import Candidate, Supernetwork, no_supernetwork


@dataclass(frozen=True)
class Stage:
    """MobileNetV2's own channels and number of layers of a stage, and the stride of its first layer."""

    channels: int
    depth: int
    stride: int


STAGES = (
    Stage(16, 1, 1),
    Stage(24, 2, 2),
    Stage(32, 3, 2),
    Stage(64, 4, 2),
    Stage(96, 3, 1),
    Stage(160, 3, 2),
    Stage(320, 1, 1),
)  # Sandler et al., 2018, table 2
STEM_CHANNELS, HEAD_CHANNELS = 32, 1280


class MobileNetV2(SearchSpace):
    """Seven stages of inverted residuals between a strided stem and a 1×1 head.

    Decisions of stage i (1 to 7): `kernel_i`, `expansion_i` (a single 1 in the first stage, as in
    MobileNetV2), `depth_i` (layers: MobileNetV2's plus one of `depths`, at least 1), `width_i`
    (multiplies the stage's channels) and `se_i` where `squeeze_excite` offers a choice.

    Args:
        resolution: input height and width in pixels.
        classes: number of classes.
        width: width multiplier of the whole network.
        kernels: kernel sizes to choose from, odd.
        expansions: expansion ratios to choose from.
        depths: changes of depth to choose from.
        widths: multipliers of a stage's channels to choose from.
        squeeze_excite: whether stages may, must or must not have squeeze-and-excitation.
        small_input: keep the resolution in the stem and in the second stage, as is usual for inputs
            of 32 pixels; by default where the resolution is below 64.
    """

    name = "mobilenetv2"

    def __init__(
        self,
        *,
        resolution: int = 224,
        classes: int = 1000,
        width: float = 1.0,
        kernels: Sequence[int] = (3, 5),
        expansions: Sequence[int] = (3, 6),
        depths: Sequence[int] = (-1, 0, 1),
        widths: Sequence[float] = (0.75, 1.0, 1.25),
        squeeze_excite: Sequence[bool] = (False,),
        small_input: bool | None = None,
    ) -> None:
        _check(resolution, classes, width, kernels, expansions, widths)
        self.resolution, self.classes, self.width = resolution, classes, width
        self.small_input = resolution < 64 if small_input is None else small_input
        self.decisions = {}
        for i, stage in enumerate(STAGES, start=1):
            self.decisions[f"kernel_{i}"] = tuple(kernels)
            self.decisions[f"expansion_{i}"] = (1,) if i == 1 else tuple(expansions)
            self.decisions[f"depth_{i}"] = tuple(sorted({max(1, stage.depth + change) for change in depths}))
            self.decisions[f"width_{i}"] = tuple(widths)
            if tuple(squeeze_excite) != (False,):
                self.decisions[f"se_{i}"] = tuple(squeeze_excite)
        self._settings: dict[str, object] = {
            "resolution": resolution,
            "classes": classes,
            "width": width,
            "kernels": tuple(kernels),
            "expansions": tuple(expansions),
            "depths": tuple(depths),
            "widths": tuple(widths),
            "squeeze_excite": tuple(squeeze_excite),
            "small_input": None if self.small_input == (resolution < 64) else self.small_input,
        }

    def settings(self) -> dict[str, object]:
        """All settings, as keyword arguments."""
        return dict(self._settings)

    def identity(self) -> Hashable:
        """All settings."""
        return tuple(self._settings.values())

    def network(self, architecture: Architecture) -> Network:
        """Stem, stages, head."""
        b = Builder()
        x = b.input(3, self.resolution, self.resolution)
        x = b.block(
            "stem",
            conv_bn,
            x,
            channels=divisible(STEM_CHANNELS * self.width),
            kernel=3,
            stride=1 if self.small_input else 2,
            activation="relu6",
        )
        chosen = dict(
            zip(self.decisions, map(tuple.__getitem__, self.choices, architecture.encoding), strict=True)
        )
        for i in range(1, len(STAGES) + 1):
            settings = self._stage_settings(i, chosen)
            x = b.block(f"stage{i}", _stage, x, depth=chosen[f"depth_{i}"], **settings)
        # Multipliers below 1 do not narrow the last convolution (Sandler et al., section 5).
        channels = divisible(HEAD_CHANNELS * max(1.0, self.width))
        return b.build(b.block("head", head, x, channels=channels, classes=self.classes, activation="relu6"))

    def _stage_settings(self, i: int, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """How the layers of stage `i` are made, where its decisions are chosen so."""
        stage = STAGES[i - 1]
        return {
            "channels": divisible(stage.channels * self.width * chosen[f"width_{i}"]),
            "kernel": chosen[f"kernel_{i}"],
            "expansion": chosen[f"expansion_{i}"],
            "stride": 1 if self.small_input and i == 2 else stage.stride,
            "squeeze_excite": chosen.get(f"se_{i}", False),
        }

    def supernetwork(self) -> Supernetwork:
        """A group for each decision; a layer is a mixture of its stage's alternatives, and of being there.

        Raises:
            ValueError: there are several widths.
        """
        stages = range(1, len(STAGES) + 1)
        if len(self.decisions["width_1"]) > 1:
            why = "change the shape of what follows; give a single one, as in widths=(1.0,)"
            raise no_supernetwork(self, [f"width_{i}" for i in stages], why)
        last = {f"depth_{i}": len(self.decisions[f"depth_{i}"]) - 1 for i in stages}
        deepest = self.from_encoding([last.get(decision, 0) for decision in self.decisions])
        depths: list[Any] = [self.decisions[name][index] for name, index in last.items()]
        return supernetwork_of_stages(self, deepest.network, depths, self._mixture)

    def _mixture(self, i: int, j: int, shape: Shape) -> tuple[Candidate, ...]:
        """The candidates of layer `j`, counted from 0, of stage `i`, counted from 1."""
        names = (f"kernel_{i}", f"expansion_{i}", f"se_{i}")
        decisions = [name for name in names if name in self.decisions]
        (width,) = self.decisions[f"width_{i}"]

        def network(*indices: int) -> Network:
            chosen = {
                name: self.decisions[name][index] for name, index in zip(decisions, indices, strict=True)
            }
            settings = self._stage_settings(i, {**chosen, f"width_{i}": width})
            if j:
                settings["stride"] = 1
            return candidate_network(shape, _stage, depth=1, **settings)

        return layer_mixture(self, f"depth_{i}", j, decisions, shape, network)


def _check(
    resolution: int,
    classes: int,
    width: float,
    kernels: Sequence[int],
    expansions: Sequence[int],
    widths: Sequence[float],
) -> None:
    if not isinstance(resolution, int) or resolution < 16:
        raise ValueError(f"resolution must be a whole number of at least 16 pixels, not {resolution!r}")
    if not isinstance(classes, int) or classes < 2:
        raise ValueError(f"classes must be a whole number of at least 2, not {classes!r}")
    if not 0 < width <= 10:
        raise ValueError(f"width must be above 0 and at most 10, not {width!r}")
    if not kernels or any(kernel % 2 == 0 or kernel < 1 for kernel in kernels):
        raise ValueError(f"kernels must be odd and positive, not {kernels!r}")
    if not expansions or any(expansion < 1 for expansion in expansions):
        raise ValueError(f"expansions must be at least 1, not {expansions!r}")
    if not widths or any(multiplier <= 0 for multiplier in widths):
        raise ValueError(f"widths must be positive, not {widths!r}")


def _stage(b: Builder, x: Value, *, depth: int, stride: int, **settings: Any) -> Value:
    # [c, h, w] -> [channels, ceil(h/stride), ceil(w/stride)]
    for layer in range(depth):
        x = b.block(f"block{layer}", inverted_residual, x, stride=1 if layer else stride, **settings)
    return x
