"""The space of TinyNAS (Lin et al., "MCUNet: Tiny Deep Learning on IoT Devices", NeurIPS 2020)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from hwnas.network.builder import Builder
from hwnas.network.network import Value
from hwnas.spaces.elastic import DEPTHS, KERNELS, ElasticSpace, ElasticStage, whole_numbers
from hwnas.spaces.mcunet_published import PUBLISHED
from hwnas.spaces.mobile_layers import conv_bn

STEM_CHANNELS = 32
EXPANSIONS = (3, 4, 5, 6)


class MCUNet(ElasticSpace):
    """One configuration of TinyNAS: ProxylessNAS' stages at one width and one resolution.

    A strided stem, a fixed first block, five stages of elastic depth and one of a single layer, global
    pooling and a classifier straight on the last stage's channels; all activations are ReLU6. TinyNAS
    first chooses (width, resolution) among widths of 0.2 to 1.0 and resolutions of 48 to 224, then searches
    for a network in the space that they make. The released networks have expansions of 5 too, which
    the paper's list (3, 4, 6) lacks.

    Decisions of stage i (1 to 6): `depth_i`, and `kernel_i_j` and `expansion_i_j` of its layer j. The
    decisions of layers beyond the depth hold their first choice; `resolution` has a single choice.

    Args:
        width: width multiplier of all channels.
        resolution: input height and width in pixels.
        classes: number of classes.
        kernels: kernel sizes to choose from, odd.
        expansions: expansion ratios to choose from.
        depths: numbers of layers of a stage to choose from.
    """

    name = "mcunet"
    stages = (
        ElasticStage(24, 2),
        ElasticStage(40, 2),
        ElasticStage(80, 2),
        ElasticStage(96, 1),
        ElasticStage(192, 2),
        ElasticStage(320, 1, depth=1),
    )
    first_block: ClassVar[ElasticStage] = ElasticStage(16, 1)
    named = PUBLISHED

    def __init__(
        self,
        *,
        width: float = 0.5,
        resolution: int = 160,
        classes: int = 1000,
        kernels: Sequence[int] = KERNELS,
        expansions: Sequence[int] = EXPANSIONS,
        depths: Sequence[int] = DEPTHS,
    ) -> None:
        (self.resolution,) = whole_numbers("resolution", (resolution,), least=32)
        super().__init__(
            kernels=kernels,
            expansions=expansions,
            depths=depths,
            resolutions=(resolution,),
            width=width,
            classes=classes,
        )

    def settings(self) -> dict[str, object]:
        """All settings, as keyword arguments."""
        return {
            "width": self.width,
            "resolution": self.resolution,
            "classes": self.classes,
            "kernels": self.kernels,
            "expansions": self.expansions,
            "depths": self.depths,
        }

    def _stem(self, b: Builder, x: Value) -> Value:
        channels = self._scaled(STEM_CHANNELS)
        value: Value = b.block("stem", conv_bn, x, channels=channels, kernel=3, stride=2, activation="relu6")
        return value

    def _head(self, b: Builder, x: Value) -> Value:
        value: Value = b.block("head", _head, x, classes=self.classes)
        return value


def _head(b: Builder, x: Value, *, classes: int) -> Value:
    # [c, h, w] -> [classes]
    return b.linear(b.global_average_pool(x), classes)
