"""The space of once-for-all's MobileNetV3 (Cai et al., ICLR 2020)."""

from __future__ import annotations

from typing import Any, ClassVar

from hwnas.network.builder import Builder
from hwnas.network.network import Value
from hwnas.spaces.elastic import ElasticSpace, ElasticStage
from hwnas.spaces.mobile_layers import conv_bn

STEM_CHANNELS, EXPAND_CHANNELS, MIX_CHANNELS = 16, 960, 1280
PUBLISHED: dict[str, tuple[dict[str, Any], str]] = {
    "ofa-595m": (
        {"width": 1.2, "resolutions": (236,)},
        "r236-k3e3,k5e4,k3e3-k5e4,k5e4,k3e6,k5e3-k7e6,k5e6,k3e3,k5e4-k3e6,k5e6,k7e6,k3e4-k3e6,k3e6,k5e6,k3e3",
    ),
    "ofa-note8-31ms": (
        {},
        "r152-k5e3,k3e3-k5e4,k5e3-k3e4,k3e4,k5e4-k3e4,k5e3,k7e4-k3e6,k3e3,k5e3,k5e3",
    ),
    "ofa-note8-22ms": ({}, "r140-k3e3,k3e3-k5e3,k5e3-k7e4,k3e3-k5e3,k3e4-k3e6,k7e6"),
}


class OFAMobileNetV3(ElasticSpace):
    """MobileNetV3-Large's stages with 2 to 4 layers each, and a kernel and an expansion for every layer.

    A strided stem, a fixed first block, five stages, a 1×1 convolution, global pooling, a 1×1 convolution
    without normalisation and a classifier. Stages 2, 4 and 5 have squeeze-and-excitation; the stem, stages
    3 to 5 and what follows them have hard swish, the rest ReLU.

    Decisions of stage i (1 to 5): `depth_i`, and `kernel_i_j` and `expansion_i_j` of its layer j; and
    `resolution`. The decisions of layers beyond the depth hold their first choice.

    Args:
        kernels: kernel sizes to choose from, odd.
        expansions: expansion ratios to choose from.
        depths: numbers of layers of a stage to choose from.
        resolutions: input heights and widths in pixels to choose from.
        width: width multiplier; 1.0 and 1.2 in once-for-all.
        classes: number of classes.
    """

    name = "ofa_mobilenetv3"
    stages = (
        ElasticStage(24, 2, "relu"),
        ElasticStage(40, 2, "relu", squeeze_excite=True),
        ElasticStage(80, 2, "hard_swish"),
        ElasticStage(112, 1, "hard_swish", squeeze_excite=True),
        ElasticStage(160, 2, "hard_swish", squeeze_excite=True),
    )
    first_block: ClassVar[ElasticStage] = ElasticStage(16, 1, "relu")
    named = PUBLISHED

    def _stem(self, b: Builder, x: Value) -> Value:
        value: Value = b.block(
            "stem",
            conv_bn,
            x,
            channels=self._scaled(STEM_CHANNELS),
            kernel=3,
            stride=2,
            activation="hard_swish",
        )
        return value

    def _head(self, b: Builder, x: Value) -> Value:
        value: Value = b.block(
            "head",
            _head,
            x,
            expanded=self._scaled(EXPAND_CHANNELS),
            mixed=self._scaled(MIX_CHANNELS),
            classes=self.classes,
        )
        return value


def _head(b: Builder, x: Value, *, expanded: int, mixed: int, classes: int) -> Value:
    # [c, h, w] -> [classes]
    x = b.global_average_pool(conv_bn(b, x, channels=expanded, activation="hard_swish"))
    return b.linear(b.hard_swish(b.conv(x, mixed, name="mix")), classes)
