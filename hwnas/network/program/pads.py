"""Padding: inside the windows of convolutions and poolings, or as operators of its own.

TFLite's windows know two paddings: VALID (none) and SAME (as much as makes the output the input divided by
the stride, rounded up; the odd pixel below and to the right). What neither expresses needs a PAD before it,
which holds a padded copy of the map.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hwnas.network.program.program import Operator, Program, Tensor, UnsupportedOperatorError, Window

_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_NONE = (0, 0, 0, 0)


def same_pads(window: Window, height: int, width: int) -> tuple[int, int, int, int]:
    """TFLite's SAME padding `(top, left, bottom, right)` of a window over a map of this size."""
    begins, ends = [], []
    for size, k, s, d in zip((height, width), window.kernel, window.strides, window.dilations, strict=True):
        total = max(0, (-(-size // s) - 1) * s + (k - 1) * d + 1 - size)
        begins.append(total // 2)
        ends.append(total - total // 2)
    return (begins[0], begins[1], ends[0], ends[1])


def is_tflite_padding(window: Window, height: int, width: int) -> bool:
    """Whether TFLite's VALID or SAME is the padding of this window."""
    return window.pads == _NONE or window.pads == same_pads(window, height, width)


def explicit_pads(program: Program) -> Program:
    """`program` with a PAD before each window whose padding TFLite does not know; numbered anew.

    A MAX_POOL_2D is padded by PADV2 with the least value.

    Raises:
        UnsupportedOperatorError: an average pooling has such a padding, which it does not count.
    """
    renumbering = _Renumbering(program)
    for operator in program.operators:
        window = operator.window
        source = program.tensors[operator.inputs[0]] if operator.inputs else None
        if window is None or source is None or not _needs_pad(operator, window, source):
            renumbering.keep(operator)
        else:
            renumbering.pad(operator, window, source)
    return renumbering.program()


def _needs_pad(operator: Operator, window: Window, source: Tensor) -> bool:
    return operator.kind != "TRANSPOSE_CONV" and not is_tflite_padding(window, *source.shape[1:3])


class _Renumbering:
    """The new program, its tensors numbered in the order in which they are first named."""

    def __init__(self, program: Program) -> None:
        self._old = program
        self._tensors: list[Tensor] = []
        self._new: dict[int, int] = {-1: -1}
        self._operators: list[Operator] = []
        for number in program.inputs:
            self._number(number)

    def _number(self, old: int) -> int:
        if old not in self._new:
            self._new[old] = len(self._tensors)
            self._tensors.append(self._old.tensors[old])
        return self._new[old]

    def keep(self, operator: Operator) -> None:
        inputs = tuple([self._number(number) for number in operator.inputs])
        outputs = tuple([self._number(number) for number in operator.outputs])
        self._operators.append(replace(operator, inputs=inputs, outputs=outputs))

    def pad(self, operator: Operator, window: Window, source: Tensor) -> None:
        if operator.kind == "AVERAGE_POOL_2D":
            raise UnsupportedOperatorError(
                f"operator {operator.name}: an average pooling padded by {window.pads}, which it does not "
                "count, has no form in TFLite"
            )
        top, left, bottom, right = window.pads
        n, h, w, c = source.shape
        name = f"{operator.name}.pad"
        inputs = [self._number(operator.inputs[0]), len(self._tensors)]
        paddings = (0, 0, top, bottom, left, right, 0, 0)
        self._tensors.append(Tensor(f"{name}.paddings", (4, 2), "int32", True, 0, paddings))
        kind = "PAD"
        if operator.kind == "MAX_POOL_2D":
            kind = "PADV2"
            inputs.append(len(self._tensors))
            least = Tensor(f"{name}.least", (1,), source.dtype, True, source.scales, (float("-inf"),))
            self._tensors.append(least)
        padded = len(self._tensors)
        self._tensors.append(replace(source, name=name, shape=(n, h + top + bottom, w + left + right, c)))
        self._operators.append(Operator(name, kind, tuple(inputs), (padded,), layers=operator.layers[:1]))
        others = tuple([self._number(number) for number in operator.inputs[1:]])
        outputs = tuple([self._number(number) for number in operator.outputs])
        self._operators.append(
            replace(
                operator,
                inputs=(padded, *others),
                outputs=outputs,
                window=replace(window, pads=_NONE),
            )
        )

    def program(self) -> Program:
        outputs = tuple([self._number(number) for number in self._old.outputs])
        inputs = tuple([self._number(number) for number in self._old.inputs])
        return Program(tuple(self._tensors), tuple(self._operators), inputs, outputs)


def fuse_pads(program: Program) -> Program:
    """`program` with each PAD that only a convolution reads taken into its window; numbers stay.

    As TinyEngine does with the PADs of a .tflite file. Those of other operators stay.
    """
    uses = Counter([*(number for o in program.operators for number in o.inputs), *program.outputs])
    readers = {number: o for o in program.operators for number in o.inputs[:1]}
    pads: dict[int, Operator] = {}
    kept: list[Operator] = []
    for operator in program.operators:
        reader = readers.get(operator.outputs[0]) if operator.outputs else None
        if operator.kind == "PAD" and reader and uses[operator.outputs[0]] == 1 and _takes_pads(reader):
            pads[operator.outputs[0]] = operator
        elif operator.inputs and operator.inputs[0] in pads:
            kept.append(_padded(program, operator, pads[operator.inputs[0]]))
        else:
            kept.append(operator)
    return replace(program, operators=tuple(kept)) if pads else program


def _takes_pads(operator: Operator) -> bool:
    return operator.kind in _CONVOLUTIONS and operator.window is not None


def _padded(program: Program, operator: Operator, pad: Operator) -> Operator:
    assert operator.window is not None
    before, after = program.tensors[pad.inputs[0]].shape, program.tensors[pad.outputs[0]].shape
    values = program.tensors[pad.inputs[1]].values
    if values is None:
        extra = [b - a for a, b in zip(before[1:3], after[1:3], strict=True)]
        added = (extra[0] // 2, extra[1] // 2, -(-extra[0] // 2), -(-extra[1] // 2))
    else:
        added = (int(values[2]), int(values[4]), int(values[3]), int(values[5]))
    pads = tuple(p + q for p, q in zip(operator.window.pads, added, strict=True))
    window = replace(operator.window, pads=pads)  # type: ignore[arg-type]
    return replace(operator, inputs=(pad.inputs[0], *operator.inputs[1:]), window=window)
