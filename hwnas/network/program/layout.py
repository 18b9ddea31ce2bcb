"""Where TFLite's layout and operators differ from the network's."""

from __future__ import annotations

from hwnas.network.network import Layer, Shape

_CLIPS = {(0.0, 6.0): "RELU6", (-1.0, 1.0): "RELU_N1_TO_1"}


def nhwc(shape: Shape) -> Shape:
    """`[c, h, w]` as `(1, h, w, c)`; other shapes with the batch in front."""
    return (1, *shape[1:], shape[0]) if len(shape) == 3 else (1, *shape)


def nhwc_axis(axis: int, rank: int) -> int:
    """The position in TFLite's layout of an axis of `[n, c, h, w]`; that of other ranks stays."""
    return {1: 3, 2: 1, 3: 2}.get(axis, axis) if rank == 4 else axis


def fused_activation(layer: Layer) -> str | None:
    """TFLite's name of an activation that operators compute by themselves; None for other layers."""
    if layer.op == "Relu":
        return "RELU"
    if layer.op == "Clip":
        bounds = (layer.attributes.get("min"), layer.attributes.get("max"))
        return next((name for known, name in _CLIPS.items() if known == bounds), None)
    return None
