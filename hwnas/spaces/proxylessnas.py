"""The space of ProxylessNAS (Cai, Zhu and Han, ICLR 2019), as once-for-all makes it elastic (ICLR 2020)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from hwnas.network.builder import Builder
from hwnas.network.network import Value
from hwnas.spaces.elastic import (
    DEPTHS,
    EXPANSIONS,
    KERNELS,
    RESOLUTIONS,
    ElasticSpace,
    ElasticStage,
)
from hwnas.spaces.mobile_layers import conv_bn, head

STEM_CHANNELS, HEAD_CHANNELS = 32, 1280
STAGE_WIDTHS = (24, 40, 80, 96, 192, 320)
STRIDES = (2, 2, 2, 1, 2, 1)
_PAPER = {"expansions": (3, 6), "depths": (1, 2, 3, 4), "resolutions": (224,)}
_MOBILE = "k5e3,k3e3-k7e3,k3e3,k5e3,k5e3-k7e6,k5e3,k5e3,k5e3-k5e6,k5e3,k5e3,k5e3-k7e6,k7e6,k7e3,k7e3-k7e6"
# 0.3 times 192 channels would be 56; the released network has 64.
_W03 = {**_PAPER, "width": 0.3, "stage_widths": (32, 40, 80, 96, 200, 320)}
# The last three: mit-han-lab/tinyml e899b1b, mcunet/assets/configs (MIT). MobileNetV2 is a point of this
# space where its last convolution is narrowed too.
PUBLISHED: dict[str, tuple[dict[str, Any], str]] = {
    "proxyless-mobile": (
        {**_PAPER, "stage_widths": (32, *STAGE_WIDTHS[1:])},
        f"r224-{_MOBILE}",
    ),
    "proxyless-gpu": (
        {**_PAPER, "width": 1.35},
        "r224-k5e3-k7e3,k3e3-k7e6,k5e3-k5e6,k3e3,k5e3-k7e6,k7e6,k7e6,k5e6-k7e6",
    ),
    "proxyless-cpu": (
        {**_PAPER, "width": 1.12},
        "r224-k3e6,k3e3,k3e3,k3e3-k3e6,k3e3,k3e3,k5e3-k3e6,k3e3-k5e6,k3e3,k3e3,k3e3-k5e6,k5e3,k5e3,k3e3-k5e6",
    ),
    "ofa-1080ti-12ms": (
        {"width": 1.3},
        "r128-k3e3,k3e3-k3e6,k5e4,k5e4-k5e6,k5e3,k7e3-k3e4,k7e3,k3e6,k3e4-k7e6,k5e4,k7e3,k5e3-k3e6",
    ),
    "ofa-tx2-96ms": (
        {"width": 1.3},
        "r172-k3e3,k3e4,k3e6-k7e3,k5e4-k3e4,k5e4,k5e4,k5e3-k5e4,k7e3,k7e3,k3e6-k3e6,k3e6,k5e6,k3e4-k5e3",
    ),
    "proxyless-w0.3-r176": ({**_W03, "resolutions": (176,)}, f"r176-{_MOBILE}"),
    "proxyless-w0.3-r64": ({**_W03, "resolutions": (64,)}, f"r64-{_MOBILE}"),
    "mbv2-w0.35-r144": (
        {
            "kernels": (3,),
            "expansions": (6,),
            "resolutions": (144,),
            "width": 0.35,
            "stage_widths": (24, 32, 64, 96, 160, 320),
        },
        "r144-k3e6,k3e6-k3e6,k3e6,k3e6-k3e6,k3e6,k3e6,k3e6-k3e6,k3e6,k3e6-k3e6,k3e6,k3e6-k3e6",
    ),
}


class ProxylessNAS(ElasticSpace):
    """MobileNetV2-like stages with an elastic depth, and a kernel and an expansion for every layer.

    A strided stem, a fixed first block, five stages of elastic depth and one of a single layer, a 1×1
    convolution, global pooling and a classifier; all activations are ReLU6. The defaults are
    once-for-all's; the paper's own space has `expansions=(3,6)`, `depths=(1,2,3,4)` and
    `resolutions=(224,)`: its layers may be left out, and only how many are matters.

    Decisions of stage i (1 to 6): `depth_i`, and `kernel_i_j` and `expansion_i_j` of its layer j; and
    `resolution`. The decisions of layers beyond the depth hold their first choice.

    Args:
        kernels: kernel sizes to choose from, odd.
        expansions: expansion ratios to choose from.
        depths: numbers of layers of a stage to choose from.
        resolutions: input heights and widths in pixels to choose from.
        width: width multiplier, also of the last convolution; 1.3 in once-for-all.
        classes: number of classes.
        stage_widths: channels of the six stages before the multiplier.
    """

    name = "proxylessnas"
    first_block: ClassVar[ElasticStage] = ElasticStage(16, 1)
    named = PUBLISHED

    def __init__(
        self,
        *,
        kernels: Sequence[int] = KERNELS,
        expansions: Sequence[int] = EXPANSIONS,
        depths: Sequence[int] = DEPTHS,
        resolutions: Sequence[int] = RESOLUTIONS,
        width: float = 1.0,
        classes: int = 1000,
        stage_widths: Sequence[int] = STAGE_WIDTHS,
    ) -> None:
        if len(stage_widths) != len(STRIDES) or not all(
            isinstance(channels, int) and channels > 0 for channels in stage_widths
        ):
            raise ValueError(f"stage_widths must be six numbers of channels, not {stage_widths!r}")
        self.stage_widths = tuple(stage_widths)
        *elastic, last = zip(self.stage_widths, STRIDES, strict=True)
        self.stages = (*(ElasticStage(*stage) for stage in elastic), ElasticStage(*last, depth=1))
        super().__init__(
            kernels=kernels,
            expansions=expansions,
            depths=depths,
            resolutions=resolutions,
            width=width,
            classes=classes,
        )

    def settings(self) -> dict[str, object]:
        """All settings, as keyword arguments."""
        return {**super().settings(), "stage_widths": self.stage_widths}

    def _stem(self, b: Builder, x: Value) -> Value:
        channels = self._scaled(STEM_CHANNELS)
        value: Value = b.block("stem", conv_bn, x, channels=channels, kernel=3, stride=2, activation="relu6")
        return value

    def _head(self, b: Builder, x: Value) -> Value:
        channels = self._scaled(HEAD_CHANNELS)
        value: Value = b.block("head", head, x, channels=channels, classes=self.classes, activation="relu6")
        return value
