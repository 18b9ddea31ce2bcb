"""The choices of the least sum of tables, each over a few groups: exact, by eliminating group after group.

Dechter, "Bucket elimination: a unifying framework for reasoning", Artificial Intelligence, 1999.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Table(NamedTuple):
    """A number for each combination of choices of some groups: an axis for each group."""

    groups: tuple[str, ...]
    values: npt.NDArray[np.float64]


def cheapest(sizes: Mapping[str, int], tables: Iterable[Table]) -> dict[str, int]:
    """A choice for each group, so that the sum of what the tables say of the choices is least.

    Of equals a lower choice is taken. Time and memory grow with the largest table over the groups that one
    group shares tables with.

    Args:
        sizes: number of choices of each group.
        tables: of these groups.
    """
    waiting, left = list(tables), dict(sizes)
    eliminated: list[tuple[str, Table]] = []
    while left:
        group = min(left, key=lambda one: _joint_size(one, waiting, sizes))
        del left[group]
        joint = _sum(group, sizes, [table for table in waiting if group in table.groups])
        others = joint.groups[1:]
        eliminated.append((group, Table(others, joint.values.argmin(axis=0))))
        waiting = [table for table in waiting if group not in table.groups]
        if others:
            waiting.append(Table(others, joint.values.min(axis=0)))
    chosen: dict[str, int] = {}
    for group, (others, best) in reversed(eliminated):
        chosen[group] = int(best[tuple(chosen[other] for other in others)])
    return chosen


def _scope(group: str, tables: Iterable[Table]) -> tuple[str, ...]:
    """`group`, and those that it shares tables with."""
    shared = (other for table in tables if group in table.groups for other in table.groups)
    return tuple(dict.fromkeys((group, *shared)))


def _joint_size(group: str, tables: Iterable[Table], sizes: Mapping[str, int]) -> int:
    return math.prod(sizes[one] for one in _scope(group, tables))


def _sum(group: str, sizes: Mapping[str, int], tables: list[Table]) -> Table:
    """The sum of `tables` over all their groups, `group` first."""
    scope = _scope(group, tables)
    total = np.zeros([sizes[one] for one in scope])
    for groups, values in tables:
        order = sorted(range(len(groups)), key=lambda axis: scope.index(groups[axis]))
        shape = [sizes[one] if one in groups else 1 for one in scope]
        total += values.transpose(order).reshape(shape)
    return Table(scope, total)
