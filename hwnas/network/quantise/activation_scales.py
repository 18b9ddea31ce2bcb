"""The quantisation of every activation of a program, from the ranges that were observed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hwnas.network.program import Program
from hwnas.network.quantise.constants import Array
from hwnas.network.quantise.limits import least_output_scale
from hwnas.network.quantise.quantised import Quantisation
from hwnas.network.quantise.rules import fixed_output, fixed_quantisations, shared_quantisations
from hwnas.network.quantise.scales import activation_quantisation

Range = tuple[float, float]


def activation_quantisations(
    program: Program, ranges: Mapping[int, Range], constants: Mapping[int, Array]
) -> dict[int, Quantisation]:
    """The quantisation of each int8 tensor but weights, by number.

    Tensors that must share one get that of all their ranges together. A constant that is computed with (the
    gain of a normalisation that stands alone) is quantised as an activation is.

    Args:
        program: what is quantised.
        ranges: lowest and highest value of each tensor that was observed.
        constants: the contents of the constants.

    Raises:
        ValueError: tensors must share a quantisation and have several, or one that does not hold them.
    """
    groups = shared_quantisations(program)
    united: dict[int, Range] = {}
    for number, root in groups.items():
        found = ranges.get(number) or _range_of(constants.get(number))
        if found is not None:
            low, high = united.get(root, found)
            united[root] = (min(low, found[0]), max(high, found[1]))
    chosen = {root: activation_quantisation(*both) for root, both in united.items()}
    _raise_to_limits(program, groups, chosen)
    chosen.update(_fixed(program, groups, united))
    return {number: chosen[root] for number, root in groups.items() if root in chosen}


def _range_of(constant: Array | None) -> Range | None:
    """Lowest and highest finite value; None for minus infinity, with which poolings are padded."""
    finite = np.array([]) if constant is None else constant[np.isfinite(constant)]
    return (float(finite.min()), float(finite.max())) if finite.size else None


def _fixed(
    program: Program, groups: Mapping[int, int], united: Mapping[int, Range]
) -> dict[int, Quantisation]:
    """The quantisations that operators demand of their outputs, by group."""
    found = {groups[number]: demanded for number, demanded in fixed_quantisations(program).items()}
    for root, demanded in found.items():
        step = float(demanded.scales[0])
        low, high = ((limit - demanded.zero_point) * step for limit in (-128, 127))
        if united[root][0] < low - step or united[root][1] > high + step:
            raise ValueError(
                f"layer {_maker(program, groups, root)} has the int8 range {low:g} to {high:g}, and what "
                "it is joined with (concatenated, padded, compared) has another one"
            )
    return found


def _maker(program: Program, groups: Mapping[int, int], root: int) -> str:
    """Name and kind of the first operator that demands the quantisation of a group."""
    demanding = (o for o in program.operators if fixed_output(o.kind) and groups.get(o.outputs[0]) == root)
    return next(f"{operator.name}: {operator.kind}" for operator in demanding)


def _raise_to_limits(program: Program, groups: Mapping[int, int], chosen: dict[int, Quantisation]) -> None:
    """Raise scales that are too small for the operator that makes them, in the order of execution."""
    for operator in program.operators:
        scales = {n: float(chosen[groups[n]].scales[0]) for n in operator.inputs if groups.get(n) in chosen}
        least = least_output_scale(operator, scales)
        for number in operator.outputs:
            root = groups.get(number, -1)
            if root in chosen and float(chosen[root].scales[0]) < least:
                chosen[root] = replace(chosen[root], scales=np.array([least], np.float32))
