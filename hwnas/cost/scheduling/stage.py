"""The first operators of a program, executed patch by patch of the map that they make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from hwnas.cost.scheduling.halo import Range, needed_ranges
from hwnas.cost.scheduling.macs import macs_per_output, operator_macs
from hwnas.network.program import Program

Lengths = Mapping[int, int]


@dataclass(frozen=True, eq=False)
class Stage:
    """The operators before `split`, executed once for each of `rows` × `columns` patches.

    Attributes:
        program: the whole program.
        split: number of operators that are executed in patches.
        target: number of the map that they make.
        rows: how many patches lie above one another.
        columns: how many lie side by side.
        clip: whether only what lies inside a map is held (see `needed_ranges`).
        keep: whether the map that they make is held to the end of the program.
    """

    program: Program
    split: int
    target: int
    rows: int
    columns: int
    clip: bool
    keep: bool

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates of all patches, positions outside the maps left out."""
        heights, widths = (self._total(axis) for axis in (0, 1))
        total = 0
        for operator in self.program.operators[: self.split]:
            per_output = macs_per_output(self.program, operator)
            if per_output and operator.outputs[0] in heights:
                output = operator.outputs[0]
                channels = self.program.tensors[output].shape[3]
                total += heights[output] * widths[output] * channels * per_output
        return total

    @cached_property
    def whole_macs(self) -> int:
        """Multiply-accumulates of the same operators executed once."""
        return sum(operator_macs(self.program, o) for o in self.program.operators[: self.split])

    def largest(self) -> Iterator[tuple[Lengths, Lengths]]:
        """Heights and widths of the maps (by tensor number) of the patches that no other contains."""
        heights, widths = (_maximal(self._lengths(axis, clip=self.clip)) for axis in (0, 1))
        for height in heights:
            for width in widths:
                yield height, width

    def patched(self, heights: Lengths, widths: Lengths) -> Program:
        """The program of one patch followed by the rest, as its memory is planned.

        The map that the rest reads is held from the first patch on, so it is an input; each patch makes its
        part of it in a tensor of its own.
        """
        tensors = list(self.program.tensors)
        for number, height in heights.items():
            n, _, _, channels = tensors[number].shape
            tensors[number] = replace(tensors[number], shape=(n, height, widths[number], channels))
        held = len(tensors)
        tensors.append(self.program.tensors[self.target])
        operators = tuple(
            operator
            if i < self.split
            else replace(operator, inputs=tuple([held if n == self.target else n for n in operator.inputs]))
            for i, operator in enumerate(self.program.operators)
        )
        outputs = tuple([held if number == self.target else number for number in self.program.outputs])
        if self.keep and held not in outputs:
            outputs = (*outputs, held)
        return Program(tuple(tensors), operators, (*self.program.inputs, held), outputs)

    def _total(self, axis: int) -> Lengths:
        """The rows (columns) of each map, summed over all patches."""
        total: dict[int, int] = {}
        for lengths in self._lengths(axis, clip=True):
            for number, length in lengths.items():
                total[number] = total.get(number, 0) + length
        return total

    def _lengths(self, axis: int, *, clip: bool) -> list[Lengths]:
        """The rows (columns) of each map for each row (column) of patches."""
        size = self.program.tensors[self.target].shape[1 + axis]
        found: list[Lengths] = []
        for wanted in parts(size, (self.rows, self.columns)[axis]):
            operators = self.program.operators[: self.split]
            ranges = needed_ranges(self.program, operators, self.target, wanted, axis, clip=clip)
            found.append({number: there.length for number, there in ranges.items()})
        return found


def parts(size: int, count: int) -> list[Range]:
    """`size` rows in `count` parts that differ by one row at most."""
    cuts = [i * size // count for i in range(count + 1)]
    return [Range(start, stop) for start, stop in pairwise(cuts)]


def _maximal(found: list[Lengths]) -> list[Lengths]:
    """Those that no other one contains, each once."""
    kept: list[Lengths] = []
    for one in sorted(found, key=lambda lengths: -sum(lengths.values())):
        if not any(all(one[n] <= other[n] for n in one) for other in kept):
            kept.append(one)
    return kept
