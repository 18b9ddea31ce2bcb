"""What convolutions and poolings become."""

from __future__ import annotations

from typing import Any

from hwnas.network.network import Layer, Shape
from hwnas.network.program.lowering import Lower, Lowering
from hwnas.network.program.pads import is_tflite_padding
from hwnas.network.program.program import Window, refused


def _window(layer: Layer, source: Shape) -> Window:
    """The window of a convolution or pooling over `[c, h, w]`; a rounded-up size needs more padding."""
    a: Any = layer.attributes
    if len(source) != 3:
        raise refused(layer, f"over {len(source) - 1} axes has no form in TFLite")
    pads = list(a["pads"])
    if a.get("ceil_mode"):
        for axis, out in enumerate(layer.output.shape[1:]):
            reach = (a["kernel_shape"][axis] - 1) * a["dilations"][axis] + 1
            needed = (out - 1) * a["strides"][axis] + reach - source[1 + axis] - pads[axis]
            pads[2 + axis] = max(pads[2 + axis], needed)
    return Window(tuple(a["kernel_shape"]), tuple(a["strides"]), tuple(pads), tuple(a["dilations"]))


def _conv(b: Lowering, layer: Layer) -> None:
    data, weight = layer.inputs[:2]
    window = _window(layer, b.shape(data))
    channels, inner, kh, kw = b.shape(weight)
    group: Any = layer.attributes["group"]
    if inner == 1 and group > 1:
        kind, shape = "DEPTHWISE_CONV_2D", (1, kh, kw, channels)
    else:
        kind, shape = "CONV_2D", (channels, kh, kw, inner)
    source = b.number(data)
    weights = b.constant(weight, shape, scales=channels)
    b.layer(layer, kind, [source, weights, b.bias(layer, channels, kind)], window=window)


def _conv_transpose(b: Lowering, layer: Layer) -> None:
    data, weight = layer.inputs[:2]
    window = _window(layer, b.shape(data))
    if layer.attributes["group"] != 1 or window.dilations != (1, 1):
        raise refused(layer, "with groups or dilation has no form in TFLite")
    inner, channels, kh, kw = b.shape(weight)
    if not is_tflite_padding(window, *layer.output.shape[1:]):
        raise refused(layer, f"padded by {window.pads} has no form in TFLite, which knows SAME and VALID")
    shape = b.integers(f"{layer.name}.shape", (1, *layer.output.shape[1:], channels))
    weights = b.constant(weight, (channels, kh, kw, inner), scales=channels)
    inputs = [shape, weights, b.number(data)]
    bias = b.bias(layer, channels, "TRANSPOSE_CONV")
    b.layer(layer, "TRANSPOSE_CONV", inputs if bias < 0 else [*inputs, bias], window=window)


def _pool(kind: str) -> Lower:
    def lower(b: Lowering, layer: Layer) -> None:
        window = _window(layer, b.shape(layer.inputs[0]))
        if layer.attributes.get("count_include_pad") and any(window.pads):
            raise refused(layer, "that counts its padding has no form in TFLite")
        b.layer(layer, kind, [b.number(layer.inputs[0])], window=window)

    return lower


def _global_pool(kind: str) -> Lower:
    def lower(b: Lowering, layer: Layer) -> None:
        size = b.shape(layer.inputs[0])[1:]
        if len(size) != 2:
            raise refused(layer, f"over {len(size)} axes has no form in TFLite")
        b.layer(layer, kind, [b.number(layer.inputs[0])], window=Window((size[0], size[1])))

    return lower


WINDOWS: dict[str, Lower] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "AveragePool": _pool("AVERAGE_POOL_2D"),
    "MaxPool": _pool("MAX_POOL_2D"),
    "GlobalAveragePool": _global_pool("AVERAGE_POOL_2D"),
    "GlobalMaxPool": _global_pool("MAX_POOL_2D"),
}
