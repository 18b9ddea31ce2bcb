"""Which channels of a network are equal when all its weights are one constant, and the network of the others.

With one constant as every weight, all channels that a full convolution makes are equal, and so is what
follows them: the network need only compute its *distinct* channels. A convolution is then the sum over its
window of the distinct channels, each taken as often as it occurs. The equalities are proved layer by layer,
from the image's own channels, which are all distinct; a layer for which there is no rule is an error here.
"""

from __future__ import annotations

from typing import NamedTuple

from hwnas.network.collapse_rules import RULES
from hwnas.network.collapse_steps import Collapser, Labels, NotCollapsibleError, Operand, Step
from hwnas.network.network import Network

__all__ = ["Collapsed", "NotCollapsibleError", "Operand", "Step", "collapse"]


class Collapsed(NamedTuple):
    """The steps that compute a network whose weights are constant.

    Attributes:
        input: the name of the tensor of images (channels, B, *spatial) or features (F, B).
        steps: in order. Flatten makes (K, B, *spatial) into (K * positions, B), Unsqueeze (K, B) into
            (K, B, 1, ...), Concat joins distinct channels; the others keep the meaning of ONNX.
        output: the name of the tensor of results.
        labels: for each of the network's outputs (without spatial axes), the distinct one that it equals.
    """

    input: str
    steps: tuple[Step, ...]
    output: str
    labels: Labels


def collapse(network: Network, *, training: bool) -> Collapsed:
    """The network of the distinct channels of `network` for constant weights and zero biases.

    Args:
        network: dead layers are left out.
        training: whether batch normalisation uses the statistics of the batch and dropout is active.

    Raises:
        NotCollapsibleError: naming the first layer whose channels are not proved equal.
    """
    live = network.live
    if len(live.inputs) != 1 or len(live.outputs) != 1:
        raise NotCollapsibleError("the network must have one input and one output")
    collapser = Collapser(live, training)
    for layer in live.layers:
        if layer.op not in RULES:
            raise NotCollapsibleError(f"layer {layer.name} ({layer.op}): there is no rule for its channels")
        RULES[layer.op](collapser, layer)
    result = collapser.values[live.flat_outputs[0].name]
    return Collapsed(live.inputs[0].name, tuple(collapser.steps), result.tensor, result.labels.ravel())
