"""What the networks of the MobileNet family are made of (Sandler et al., 2018; Howard et al., 2019)."""

from __future__ import annotations

from functools import lru_cache

from hwnas.network.builder import Builder
from hwnas.network.network import Value


@lru_cache(maxsize=4096)
def divisible(channels: float, divisor: int = 8) -> int:
    """The multiple of `divisor` nearest to `channels`, never more than 10 % below it (MobileNet's rule)."""
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


def conv_bn(
    b: Builder, x: Value, *, channels: int, kernel: int = 1, stride: int = 1, activation: str
) -> Value:
    """Convolution, batch normalisation, activation: `[c, h, w] -> [channels, ceil(h/s), ceil(w/s)]`."""
    return activate(b, b.batch_norm(b.conv(x, channels, kernel=kernel, stride=stride)), activation)


def inverted_residual(
    b: Builder,
    x: Value,
    *,
    channels: int,
    kernel: int,
    expansion: int,
    stride: int,
    squeeze_excite: bool = False,
    activation: str = "relu6",
) -> Value:
    """Expansion, depthwise convolution, projection; a residual where shapes agree (MobileNetV2, figure 4).

    An expansion of 1 has no convolution of its own. `activation` is one of `activate`'s.

    `[c, h, w] -> [channels, ceil(h/stride), ceil(w/stride)]`
    """
    y = x
    if expansion > 1:
        y = b.conv(y, x.shape[0] * expansion, name="expand")
        y = activate(b, b.batch_norm(y, name="expand_bn"), activation)
    y = b.depthwise(y, kernel=kernel, stride=stride)
    y = activate(b, b.batch_norm(y, name="depthwise_bn"), activation)
    if squeeze_excite:
        y = squeeze_and_excite(b, y, reduced=divisible(x.shape[0] * expansion / 4))
    y = b.batch_norm(b.conv(y, channels, name="project"), name="project_bn")
    return b.add(x, y) if stride == 1 and channels == x.shape[0] else y


def squeeze_and_excite(b: Builder, x: Value, *, reduced: int) -> Value:
    """Channel attention (Hu et al., 2018): `[c, h, w] -> [c, h, w]`, with `reduced` channels in between."""
    gate = b.global_average_pool(x)
    gate = b.relu(b.conv(gate, reduced, bias=True, name="se_reduce"))
    gate = b.hard_sigmoid(b.conv(gate, x.shape[0], bias=True, name="se_expand"))
    return b.multiply(x, gate)


def activate(b: Builder, x: Value, activation: str) -> Value:
    """`relu`, `relu6` or `hard_swish` of `x`; raises KeyError for any other."""
    return _ACTIVATIONS[activation](b, x)


_ACTIVATIONS = {"relu": Builder.relu, "relu6": Builder.relu6, "hard_swish": Builder.hard_swish}


def head(b: Builder, x: Value, *, channels: int, classes: int, activation: str) -> Value:
    """A 1×1 convolution to `channels`, global pooling and a classifier: `[c, h, w] -> [classes]`."""
    x = conv_bn(b, x, channels=channels, activation=activation)
    return b.linear(b.global_average_pool(x), classes)
