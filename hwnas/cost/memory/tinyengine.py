"""SRAM of TinyEngine (Lin et al., "MCUNet", NeurIPS 2020): depthwise convolutions in place, and two buffers.

Read off the code generator of mit-han-lab/tinyengine: tensors are rounded up to 4 bytes and placed by first
fit, the largest first. A depthwise convolution writes over its input. One buffer holds unfolded patches
(`im2col`), one the int16 weights of a k×k convolution (`kernel`); each is as large as the operator that
needs most of it asks for, and stands behind the tensors all the time.
"""

from __future__ import annotations

from collections.abc import Mapping

from hwnas.cost.memory.buffers import Buffer, Layout, aligned
from hwnas.cost.memory.first_fit import first_fit, highest_end, largest_first
from hwnas.cost.memory.tinyengine_steps import Step, Steps, tinyengine_steps
from hwnas.network.program import Program

_ALIGNMENT = 4


def tinyengine_layout(program: Program) -> Layout:
    """The buffers of `program` as TinyEngine places them.

    Raises:
        UnsupportedOperatorError: TinyEngine lacks an operator; the message names it.
    """
    steps = tinyengine_steps(program)
    tensors = _tensors(program, steps)
    sizes = [buffer.size for buffer in tensors]
    births, deaths = [buffer.birth for buffer in tensors], [buffer.death for buffer in tensors]
    offsets = first_fit(sizes, births, deaths, largest_first(sizes))
    buffers = [b._replace(offset=offset) for b, offset in zip(tensors, offsets, strict=True)]
    end = highest_end(sizes, offsets)
    for kind, needs in (("im2col", im2col_bytes), ("kernel", kernel_bytes)):
        size, name = max([(needs(program, s), s.operator.name) for s in steps.steps], default=(0, ""))
        if size:
            buffers.append(Buffer(name, kind, size, 0, max(0, len(program.operators) - 1), end))
            end += size
    return Layout(tuple(buffers), end)


def im2col_bytes(program: Program, step: Step) -> int:
    """Two columns of k·k·ci int16 for a convolution, int16 of one padded channel for a depthwise one."""
    operator = step.operator
    shape = program.tensors[operator.inputs[0]].shape
    if operator.kind == "FULLY_CONNECTED":
        return 4 * program.tensors[operator.inputs[1]].shape[-1]
    if operator.window is None or operator.kind not in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        return 0
    kh, kw = operator.window.kernel
    if operator.kind == "CONV_2D":
        return 4 * kh * kw * shape[-1]
    pad = kh // 2
    return 2 * (shape[1] + 2 * pad) * (shape[2] + 2 * pad)


def kernel_bytes(program: Program, step: Step) -> int:
    """The int16 weights of a convolution larger than 1×1."""
    operator = step.operator
    if operator.kind != "CONV_2D" or operator.window is None or operator.window.kernel[0] == 1:
        return 0
    return 2 * program.tensors[operator.inputs[1]].size


def _tensors(program: Program, steps: Steps) -> list[Buffer]:
    """One buffer for each tensor, or for several where a depthwise convolution writes over its input."""
    last = max(0, len(program.operators) - 1)
    births = dict.fromkeys(steps.inputs, 0)
    deaths = dict(births)
    for step in steps.steps:
        deaths.update(dict.fromkeys(step.inputs, step.position))
        births.update(dict.fromkeys(step.outputs, step.position))
        deaths.update(dict.fromkeys(step.outputs, step.position))
    deaths.update(dict.fromkeys(steps.outputs, last))
    homes = _homes(program, steps, deaths)
    held: dict[int, list[int]] = {}
    for number in births:
        held.setdefault(homes.get(number, number), []).append(number)
    return [
        Buffer(
            program.tensors[numbers[0]].name,
            _kind(steps, numbers),
            aligned(max(program.tensors[number].bytes for number in numbers), _ALIGNMENT),
            births[home],
            max(deaths[number] for number in numbers),
            None,
            tuple(numbers),
        )
        for home, numbers in held.items()
    ]


def _homes(program: Program, steps: Steps, deaths: Mapping[int, int]) -> dict[int, int]:
    """The tensor in whose memory the output of each depthwise convolution stands, where it is in place.

    That is so where nothing reads the input later and the output is no larger.
    """
    homes: dict[int, int] = {}
    for step in steps.steps:
        if step.operator.kind != "DEPTHWISE_CONV_2D":
            continue
        (source,), (output,) = step.inputs, step.outputs
        is_last = deaths[source] == step.position and source not in steps.outputs
        if is_last and program.tensors[output].bytes <= program.tensors[source].bytes:
            homes[output] = homes.get(source, source)
    return homes


def _kind(steps: Steps, numbers: list[int]) -> str:
    if any(number in steps.inputs for number in numbers):
        return "input"
    return "output" if any(number in steps.outputs for number in numbers) else "activation"
