"""Windows of convolutions and poolings as a `.tflite` file has them: strides, dilations, SAME or VALID."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hwnas.network.program import Operator, Tensor, Window
from hwnas.network.tflite.padding import SAME, VALID, output_size, pads_of, scheme_of

POOLINGS = ("AVERAGE_POOL_2D", "MAX_POOL_2D")
CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV")
_LARGEST = 2**16


def has_window(kind: str) -> bool:
    """Whether operators of `kind` slide a window."""
    return kind in POOLINGS or kind in CONVOLUTIONS


def window_fields(operator: Operator, tensors: Sequence[Tensor]) -> dict[str, int]:
    """The options that follow from the window of `operator`, by TFLite's names.

    Raises:
        ValueError: it has no window, or padding that is neither SAME nor VALID.
    """
    window = operator.window
    if window is None:
        raise ValueError(f"operator {operator.name}: a {operator.kind} needs a window")
    maps, _ = _maps(operator.kind, operator.inputs, operator.outputs, tensors)
    scheme = scheme_of(window, _size(maps))
    if scheme is None:
        raise ValueError(
            f"operator {operator.name}: padding {window.pads} of {maps.shape[1]}×{maps.shape[2]} maps is "
            "neither TFLite's SAME nor VALID; lower the network with fused_pad=False"
        )
    fields = {
        "padding": scheme,
        "stride_h": window.strides[0],
        "stride_w": window.strides[1],
        "dilation_h": window.dilations[0],
        "dilation_w": window.dilations[1],
        "filter_h": window.kernel[0],
        "filter_w": window.kernel[1],
    }
    if operator.kind == "DEPTHWISE_CONV_2D":
        data, weights = (tensors[number] for number in operator.inputs[:2])
        fields["depth_multiplier"] = weights.shape[-1] // data.shape[-1]
    return fields


def read_window(
    kind: str,
    fields: Mapping[str, Any],
    inputs: Sequence[int],
    outputs: Sequence[int],
    tensors: Sequence[Tensor],
) -> Window:
    """The window of an operator that a file describes.

    Raises:
        ValueError: it does not fit the shapes of its tensors.
    """
    maps, steps = _maps(kind, inputs, outputs, tensors)
    window = Window(
        _kernel(kind, fields, inputs, tensors),
        (fields["stride_h"], fields["stride_w"]),
        dilations=(fields.get("dilation_h", 1), fields.get("dilation_w", 1)),
    )
    if not all(0 < number < _LARGEST for number in (*window.kernel, *window.strides, *window.dilations)):
        raise ValueError(
            f"a window of {window.kernel}, strides {window.strides}, dilations {window.dilations}"
        )
    if fields["padding"] not in (SAME, VALID):
        raise ValueError(f"padding {fields['padding']} is neither SAME (0) nor VALID (1)")
    pads = pads_of(fields["padding"], window, _size(maps))
    window = Window(window.kernel, window.strides, pads, window.dilations)
    if output_size(window, _size(maps)) != _size(steps):
        raise ValueError(f"a window of {window.kernel} over {maps.shape} does not make {steps.shape}")
    return window


def _maps(
    kind: str, inputs: Sequence[int], outputs: Sequence[int], tensors: Sequence[Tensor]
) -> tuple[Tensor, Tensor]:
    """The maps that the window slides over, and those with one place for each of its steps.

    A transposed convolution undoes a convolution: its window slides over its output.
    """
    source, result = tensors[inputs[2 if kind == "TRANSPOSE_CONV" else 0]], tensors[outputs[0]]
    for tensor in (source, result):
        if len(tensor.shape) != 4:
            raise ValueError(f"a {kind} of maps of shape {tensor.shape}; (1, h, w, c) is needed")
    return (result, source) if kind == "TRANSPOSE_CONV" else (source, result)


def _size(maps: Tensor) -> tuple[int, int]:
    return maps.shape[1], maps.shape[2]


def _kernel(
    kind: str, fields: Mapping[str, Any], inputs: Sequence[int], tensors: Sequence[Tensor]
) -> tuple[int, int]:
    if kind in POOLINGS:
        return fields["filter_h"], fields["filter_w"]
    shape = tensors[inputs[1]].shape
    if len(shape) != 4:
        raise ValueError(f"weights of shape {shape}; four axes are needed")
    return shape[1], shape[2]
