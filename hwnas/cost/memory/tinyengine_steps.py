"""What TinyEngine executes of a program: paddings, reshapes and quantisations vanish, gates are one step."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import NamedTuple

from hwnas.network.program import Operator, Program, UnsupportedOperatorError
from hwnas.network.program.pads import fuse_pads

KINDS = frozenset(
    {
        "ADD",
        "AVERAGE_POOL_2D",
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "FULLY_CONNECTED",
        "MAX_POOL_2D",
        "MEAN",
        "RESIZE_NEAREST_NEIGHBOR",
    }
)
_RENAMING = ("DEQUANTIZE", "RESHAPE")


class Step(NamedTuple):
    """An operator that runs.

    Attributes:
        operator: it, with its paddings.
        position: in the program.
        inputs: numbers of the tensors that it reads in memory.
        outputs: numbers of the tensors that it writes.
    """

    operator: Operator
    position: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class Steps(NamedTuple):
    """The steps, and the tensors that stand for the program's inputs and outputs."""

    steps: tuple[Step, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def tinyengine_steps(program: Program) -> Steps:
    """What TinyEngine's converter makes of `program`.

    A PAD is taken into the convolution behind it. QUANTIZE, DEQUANTIZE and RESHAPE are left out: inputs and
    outputs are int8. A mean over one axis after the other (behind a TRANSPOSE, as files from torch have it)
    is one pooling; the ADD, MUL and MUL of a squeeze-excite gate with a hard sigmoid are one step.

    Raises:
        UnsupportedOperatorError: TinyEngine lacks an operator, or runs it on int8 only.
    """
    return _Reading(program).steps()


class _Reading:
    def __init__(self, program: Program) -> None:
        self.tensors = program.tensors
        self.program = program
        self.positions = {operator.outputs: at for at, operator in enumerate(program.operators)}
        self.operators = fuse_pads(program).operators
        self.uses = Counter([*(n for o in self.operators for n in o.inputs), *program.outputs])
        self.same: dict[int, int] = {}

    def steps(self) -> Steps:
        inputs = list(self.program.inputs)
        gates = self._gates()
        steps = []
        for index, operator in enumerate(self.operators):
            source = operator.inputs[0] if operator.inputs else -1
            if operator.kind == "QUANTIZE" and source in inputs:
                inputs[inputs.index(source)] = operator.outputs[0]
            elif operator.kind in _RENAMING or index in gates or self._is_part_of_a_mean(index):
                self.same[operator.outputs[0]] = self.same.get(source, source)
            else:
                self._check(operator, is_gate=index - 1 in gates)
                steps.append(self._step(operator))
        outputs = tuple([self.same.get(number, number) for number in self.program.outputs])
        return Steps(tuple(steps), tuple(inputs), outputs)

    def _step(self, operator: Operator) -> Step:
        inputs = [self.same.get(number, number) for number in operator.inputs if number >= 0]
        read = tuple([number for number in inputs if not self.tensors[number].is_constant])
        return Step(operator, self.positions[operator.outputs], read, operator.outputs)

    def _gates(self) -> set[int]:
        """The ADDs and first MULs of squeeze-excite gates: only the last MUL of each runs."""
        found: set[int] = set()
        for index in range(len(self.operators) - 2):
            three = self.operators[index : index + 3]
            if [operator.kind for operator in three] != ["ADD", "MUL", "MUL"]:
                continue
            follows = all(
                self.uses[a.outputs[0]] == 1 and a.outputs[0] in b.inputs for a, b in pairwise(three)
            )
            if follows and all(self._scales_by_constant(operator) for operator in three[:2]):
                found |= {index, index + 1}
        return found

    def _scales_by_constant(self, operator: Operator) -> bool:
        return self.tensors[operator.inputs[1]].is_constant

    def _is_part_of_a_mean(self, index: int) -> bool:
        """A TRANSPOSE or MEAN that only the next operator, a MEAN, reads."""
        operator = self.operators[index]
        if operator.kind not in ("TRANSPOSE", "MEAN") or index + 1 == len(self.operators):
            return False
        after, output = self.operators[index + 1], operator.outputs[0]
        return after.kind == "MEAN" and after.inputs[0] == output and self.uses[output] == 1

    def _check(self, operator: Operator, *, is_gate: bool) -> None:
        if operator.kind not in KINDS and not (operator.kind == "MUL" and is_gate):
            raise UnsupportedOperatorError(
                f"operator {operator.name}: TinyEngine has no {operator.kind}; it has "
                f"{', '.join(sorted(KINDS))}, and MUL at the end of a squeeze-excite gate with a hard sigmoid"
            )
        dtype = self.tensors[operator.outputs[0]].dtype
        if dtype != "int8":
            raise UnsupportedOperatorError(
                f"operator {operator.name}: TinyEngine runs {operator.kind} on int8, not on {dtype}"
            )
