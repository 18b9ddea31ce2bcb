"""The activation size that MCUNet's tables print ("Act")."""

from __future__ import annotations

from hwnas.network.network import Layer, Network


def mcunet_activation_bytes(network: Network) -> int:
    """Bytes of int8 activations by the formula that MCUNet's published tables use.

    The largest sum of input and output over convolutions and matrix products; while the depthwise
    convolution of a residual block runs, the block's input counts too, while its projection runs it does
    not (mit-han-lab/mcunet, `count_peak_activation_size`). This is neither an upper nor a lower bound of
    what a runtime needs: see `hwnas.cost.memory` for that.

    Raises:
        ValueError: there is no convolution and no matrix product.
    """
    sizes = [size for _, block in network.blocks() for size in _sizes(block)]
    if not sizes:
        raise ValueError("a network without convolutions and matrix products has no activation size")
    return max(sizes)


def _sizes(block: Network) -> list[int]:
    kept = sum(value.size for value in block.inputs) if any(i.op == "Add" for i in block.layers) else 0
    return [
        block.values[layer.inputs[0]].size + layer.output.size + (kept if _is_depthwise(layer) else 0)
        for layer in block.layers
        if layer.op in ("Conv", "Gemm")
    ]


def _is_depthwise(layer: Layer) -> bool:
    return layer.op == "Conv" and layer.attributes["group"] == layer.output.shape[0] > 1
