"""Which few networks to profile so that most kernels of a space are met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from hwnas.latency.kernels.lowering import kernel_networks
from hwnas.latency.measuring.networks import Measurable, network_of

Item = TypeVar("Item", bound=Measurable)

CANDIDATES = 256
"""Architectures among which a few are chosen, where a whole space is to be covered."""


def covering(candidates: Sequence[Item], count: int) -> list[Item]:
    """`count` of the candidates whose kernels make up most of what all candidates execute.

    Greedy: each choice adds the kernels that most of the candidates' executions are of, among those not
    met yet (within 1 - 1/e of the best choice: Nemhauser, Wolsey and Fisher, 1978). The first of equals.

    Raises:
        ValueError: fewer candidates than `count`, or a count below 1.
    """
    if not 1 <= count <= len(candidates):
        raise ValueError(f"{count} networks of {len(candidates)} candidates cannot be chosen")
    kernels = [{kernel.key for kernel in kernel_networks(network_of(c))} for c in candidates]
    common = Counter(key for keys in kernels for key in keys)
    left = list(range(len(candidates)))
    chosen: list[int] = []
    while len(chosen) < count:
        best = max(left, key=lambda i: sum(common[key] for key in kernels[i]))
        chosen.append(best)
        left.remove(best)
        for key in kernels[best]:
            common[key] = 0
    return [candidates[i] for i in chosen]
