"""A collapsed network computed with torch: distinct channels only, images innermost in memory.

Tensors are (K, B, height, width) in the channels-last format, or (K, B): torch's pooling then runs over
contiguous images, which makes the sum over a window cheap.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from hwnas.network.collapse import Collapsed, Operand, Step
from hwnas.network.torch_functions import FUNCTIONS
from hwnas.network.torch_layers import MODULES

Evaluate: TypeAlias = Callable[[list[Tensor], float], Tensor]


class CollapsedModule:
    """Computes the outputs of a network whose weights are all one number.

    Args:
        collapsed: from `hwnas.network.collapse.collapse`.
        images: (B, *input).
    """

    def __init__(self, collapsed: Collapsed, images: Tensor) -> None:
        self.collapsed = collapsed
        self.images = _images_innermost(images.transpose(0, 1))
        self.steps = [(step, _evaluate(step, self.images)) for step in collapsed.steps]
        self.labels = torch.from_numpy(collapsed.labels).to(images.device)
        read = [one.tensor for step in collapsed.steps for one in step.operands if isinstance(one, Operand)]
        self.readers = Counter([*read, collapsed.output])

    @torch.no_grad()
    def outputs(self, weight: float) -> Tensor:
        """Return the outputs for weights of `weight` and biases of 0, flattened from (B, *output) to (N,)."""
        tensors = {self.collapsed.input: self.images}
        waiting = self.readers.copy()
        for step, evaluate in self.steps:
            operands = [self._read(tensors, one) for one in step.operands]
            tensors[step.output] = evaluate(operands, weight)
            for one in step.operands:
                if isinstance(one, Operand):
                    waiting[one.tensor] -= 1
                    if not waiting[one.tensor]:
                        del tensors[one.tensor]
        return tensors[self.collapsed.output].index_select(0, self.labels).transpose(0, 1).flatten()

    def _read(self, tensors: Mapping[str, Tensor], operand: Operand | float) -> Tensor:
        if not isinstance(operand, Operand):
            return self.images.new_tensor(operand)
        tensor = tensors[operand.tensor]
        return tensor if operand.rows is None else _images_innermost(tensor[list(operand.rows)])


def _images_innermost(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last if x.ndim == 4 else torch.contiguous_format)


def _evaluate(step: Step, images: Tensor) -> Evaluate:
    """The function of one step: from its operands and the weight to a tensor."""
    if step.layer.op == "ConstantOfShape":
        return _constant(step, images)
    if step.layer.op in _OWN:
        return _OWN[step.layer.op](step)
    if step.layer.op in MODULES:
        module = MODULES[step.layer.op](step.layer, [step.layer.output.shape], [])
        return lambda operands, weight: _tensor(module(operands[0]))
    function, settings = FUNCTIONS[step.layer.op](step.layer, [step.layer.output.shape])
    return lambda operands, weight: _tensor(function(*operands, **settings))


def _tensor(result: Tensor) -> Tensor:
    return result


def _conv(step: Step) -> Evaluate:
    # The weight comes first and the counts last: tiny values then vanish where the full network's do.
    a: Any = step.layer.attributes
    sum_windows = _window_sum(a["kernel_shape"], a["strides"], a["pads"], a["dilations"])
    if step.counts is not None and step.counts.shape == (1, 1):
        times = float(step.counts[0, 0])
        return lambda operands, weight: sum_windows(operands[0] * weight).mul_(times)
    mix = _mixing(step)
    return lambda operands, weight: sum_windows(mix(operands[0] * weight))


def _mixing(step: Step) -> Callable[[Tensor], Tensor]:
    """(K, B, ...) -> (K', B, ...): the sums of channels that `step.counts` (K', K) asks for."""
    counts = step.counts
    if counts is None:
        return lambda x: x
    matrix = torch.from_numpy(counts)

    def mixed(x: Tensor) -> Tensor:
        last = x.permute(0, *range(2, x.ndim), 1)
        sums = matrix.to(x) @ last.reshape(len(x), -1)
        return sums.reshape(len(sums), *last.shape[1:]).movedim(-1, 1)

    return mixed


def _window_sum(
    kernel: tuple[int, ...], strides: tuple[int, ...], pads: tuple[int, ...], dilations: tuple[int, ...]
) -> Callable[[Tensor], Tensor]:
    """Sums over windows, (K, B, h, w) -> (K, B, h', w')."""
    if set(kernel) == set(strides) == {1} and not any(pads):
        return lambda x: x
    begins, ends = pads[:2], pads[2:]
    inside = begins == ends and all(2 * pad <= size for pad, size in zip(begins, kernel, strict=True))
    around = (begins[1], ends[1], begins[0], ends[0])

    def pooled(x: Tensor) -> Tensor:
        if inside:
            return functional.avg_pool2d(x, kernel, strides, begins, divisor_override=1)
        return functional.avg_pool2d(functional.pad(x, around), kernel, strides, divisor_override=1)

    def dilated(x: Tensor) -> Tensor:
        return _dilated_sum(functional.pad(x, around), kernel, strides, dilations)

    return pooled if set(dilations) == {1} else dilated


def _dilated_sum(
    x: Tensor, kernel: tuple[int, ...], strides: tuple[int, ...], dilations: tuple[int, ...]
) -> Tensor:
    rows = (x.shape[2] - dilations[0] * (kernel[0] - 1) - 1) // strides[0] * strides[0] + 1
    columns = (x.shape[3] - dilations[1] * (kernel[1] - 1) - 1) // strides[1] * strides[1] + 1
    total: Tensor | None = None
    for i in range(0, kernel[0] * dilations[0], dilations[0]):
        for j in range(0, kernel[1] * dilations[1], dilations[1]):
            tap = x[:, :, i : i + rows : strides[0], j : j + columns : strides[1]]
            total = _images_innermost(tap).clone() if total is None else total.add_(tap)
    assert total is not None
    return total


def _gemm(step: Step) -> Evaluate:
    alpha: Any = step.layer.attributes["alpha"]
    mix = _mixing(step)
    return lambda operands, weight: mix(operands[0] * (weight * alpha))


def _batch_norm(step: Step) -> Evaluate:
    epsilon: Any = step.layer.attributes["epsilon"]
    return lambda operands, weight: _normalised(operands[0], weight, epsilon)


def _normalised(x: Tensor, weight: float, epsilon: float) -> Tensor:
    """Batch normalisation of each channel of x (K, B, ...) by its own statistics, times `weight`."""
    axes = tuple(range(1, x.ndim))
    centred = x - x.mean(axes, keepdim=True)
    variance = centred.square().mean(axes, keepdim=True)
    return centred.mul_(weight / (variance + epsilon).sqrt())


def _prelu(step: Step) -> Evaluate:
    return lambda operands, weight: torch.where(operands[0] < 0, operands[0] * weight, operands[0])


def _concat(step: Step) -> Evaluate:
    return lambda operands, weight: torch.cat(operands)


def _flatten(step: Step) -> Evaluate:
    return lambda operands, weight: operands[0].movedim(1, -1).flatten(0, -2).contiguous()


def _unsqueeze(step: Step) -> Evaluate:
    ones = (1,) * (len(step.layer.output.shape) - 1)
    return lambda operands, weight: operands[0].reshape(*operands[0].shape, *ones)


def _constant(step: Step, images: Tensor) -> Evaluate:
    shape = (1, images.shape[1], *step.layer.output.shape[1:])
    value = float(str(step.layer.attributes["value"]))
    return lambda operands, weight: _images_innermost(images.new_full(shape, value))


_OWN: Mapping[str, Callable[[Step], Evaluate]] = {
    "Conv": _conv,
    "Gemm": _gemm,
    "BatchNormalization": _batch_norm,
    "PRelu": _prelu,
    "Concat": _concat,
    "Flatten": _flatten,
    "Unsqueeze": _unsqueeze,
}
