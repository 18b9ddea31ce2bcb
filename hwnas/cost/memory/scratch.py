"""Scratch buffers: what the kernels of TFLite Micro ask for beside their tensors, while they run."""

from __future__ import annotations

from collections.abc import Callable

from hwnas.cost.memory.buffers import aligned
from hwnas.network.program import Operator, Program

Scratch = Callable[[Program, Operator], tuple[int, ...]]


def reference_scratch(program: Program, operator: Operator) -> tuple[int, ...]:
    """Bytes of each scratch buffer of the reference kernels for `operator`, in the order of their requests.

    Reductions over axes and mirrored paddings keep two lists of indices, int8 means and sums their int32 sums
    as well, which a transposed convolution keeps of its output, too.
    """
    formula = _REFERENCE.get(operator.kind)
    return formula(program, operator) if formula else ()


def cmsis_nn_scratch(program: Program, operator: Operator) -> tuple[int, ...]:
    """Bytes of each scratch buffer of CMSIS-NN's int8 kernels on cores with DSP instructions (M4, M7, M33).

    A k×k convolution unfolds two patches into int16 (CMSIS-NN, `arm_convolve_s8_get_buffer_size`), a
    depthwise one other than 3×3 padded by at most one unfolds one (`arm_depthwise_conv_s8_opt`), an average
    pooling keeps int32 sums of a pixel. What CMSIS-NN lacks runs in the reference kernels.
    """
    formula = _CMSIS_NN.get(operator.kind)
    if formula is None or program.tensors[operator.inputs[0]].dtype != "int8":
        return reference_scratch(program, operator)
    size = formula(program, operator)
    return (size,) if size else ()


def _sums(program: Program, operator: Operator) -> tuple[int, ...]:
    # [outputs] int32, and the lists
    if program.tensors[operator.inputs[0]].dtype == "float32":
        return _lists(program, operator)
    return (4 * program.tensors[operator.outputs[0]].size, *_lists(program, operator))


def _lists(program: Program, operator: Operator) -> tuple[int, ...]:
    # one int32 for each axis of the input, and for each axis that is reduced
    source, axes = (program.tensors[number] for number in operator.inputs[:2])
    return (4 * len(source.shape), 4 * axes.size)


def _sizes(program: Program, operator: Operator) -> tuple[int, ...]:
    # one int32 for each axis of the input, and of the output
    return tuple([4 * len(program.tensors[n].shape) for n in (operator.inputs[0], operator.outputs[0])])


def _transposed_sums(program: Program, operator: Operator) -> tuple[int, ...]:
    # [h, w, c] int32
    output = program.tensors[operator.outputs[0]]
    return (4 * output.size,) if output.dtype == "int8" else ()


def _convolution(program: Program, operator: Operator) -> int:
    # two columns of kh·kw·ci int16, each a multiple of 4 long
    assert operator.window is not None
    kh, kw = operator.window.kernel
    if (kh, kw) == (1, 1) and not any(operator.window.pads):
        return 0
    return 4 * aligned(kh * kw * program.tensors[operator.inputs[0]].shape[-1], 4)


def _depthwise(program: Program, operator: Operator) -> int:
    # kh·kw·c int16
    assert operator.window is not None
    (kh, kw), (top, left, _, _) = operator.window.kernel, operator.window.pads
    source, output = (program.tensors[n] for n in (operator.inputs[0], operator.outputs[0]))
    if operator.window.dilations != (1, 1) or source.shape[-1] != output.shape[-1]:
        return 0
    if (kh, kw) == (3, 3) and top <= 1 and left <= 1:
        return 0
    return 2 * kh * kw * source.shape[-1]


def _average_pool(program: Program, operator: Operator) -> int:
    # [c] int32
    return 4 * program.tensors[operator.inputs[0]].shape[-1]


_REFERENCE: dict[str, Scratch] = {
    "MEAN": _sums,
    "MIRROR_PAD": _sizes,
    "SUM": _sums,
    "REDUCE_MAX": _lists,
    "REDUCE_MIN": _lists,
    "TRANSPOSE_CONV": _transposed_sums,
}

_CMSIS_NN: dict[str, Callable[[Program, Operator], int]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "AVERAGE_POOL_2D": _average_pool,
}
