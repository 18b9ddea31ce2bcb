"""From probabilities to an architecture: the most probable one, moved as little as needed to keep limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from hwnas.differentiable.limits import Limits, Violations
from hwnas.spaces import Architecture
from hwnas.spaces.supernetwork import Probabilities, Supernetwork

MOST_PAIRS = 16
"""How often two decisions are changed at once."""
_LEAST_PROBABILITY = float(np.finfo(float).tiny)

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


def derive(supernetwork: Supernetwork, probabilities: Probabilities, limits: Limits) -> Architecture:
    """The most probable architecture, or one that keeps the limits and is nearly as probable.

    From the most probable one decision after another is changed: always the one that loses the least
    log-probability for what it takes from the violation, as a knapsack is filled (Dantzig, "Discrete-Variable
    Extremum Problems", Operations Research, 1957). Where no change of one decision takes anything, two are
    changed at once, up to `MOST_PAIRS` times: where targets contradict each other there are pairs without
    end that each take next to nothing.

    What is given is never further outside the limits than the most probable architecture, and where it is
    outside, no change of one decision brings it nearer; there may be others within the limits further away.
    Its output depends on its input, if a change of one or two decisions of the most probable one can bring
    that about, as it always can in NAS-Bench-201.
    """
    walk = _Walk(supernetwork, probabilities, limits)
    derived, pairs = supernetwork.derive(probabilities), 0
    while walk.violation(derived) > 0:
        nearer = walk.by_one(derived)
        if nearer is None and pairs < MOST_PAIRS:
            nearer, pairs = walk.by_two(derived), pairs + 1
        if nearer is None:
            break
        derived = nearer
    return derived


class _Walk:
    """Steps from one architecture to another that is less outside."""

    def __init__(self, supernetwork: Supernetwork, probabilities: Probabilities, limits: Limits) -> None:
        self.supernetwork = supernetwork
        self.violations = Violations(supernetwork, limits)
        self.logs = [
            np.log(np.maximum(probabilities[group], _LEAST_PROBABILITY)) for group in supernetwork.groups
        ]

    def violation(self, architecture: Architecture) -> float:
        return float(self.violations(_choices(self.supernetwork, [architecture]))[0])

    def by_one(self, start: Architecture) -> Architecture | None:
        """The best neighbour that is less outside, if one is."""
        near = list(self.supernetwork.space.neighbours(start))
        best_first = self._best_first(start, _choices(self.supernetwork, near))
        return near[best_first[0]] if len(best_first) else None

    def by_two(self, start: Architecture) -> Architecture | None:
        """The best that is less outside of those that differ in two decisions, if one is."""
        encodings, choices = _pairs(self.supernetwork, start)
        space, outside = self.supernetwork.space, self.violation(start)
        for number in self._best_first(start, choices):
            found = Architecture(space, space.effective(tuple(encodings[number].tolist())))
            if space.is_valid(found) and self.violation(found) < outside:
                return found
        return None

    def _best_first(self, start: Architecture, choices: Rows) -> npt.NDArray[np.intp]:
        """The numbers of those that are less outside, that which loses least for what it takes first."""
        here = _choices(self.supernetwork, [start])
        taken = self.violations(here) - self.violations(choices)
        nearer = np.flatnonzero(taken > 0)
        gained = self._log_probabilities(choices[nearer]) - self._log_probabilities(here)
        return nearer[np.argsort(-gained / taken[nearer], kind="stable")]

    def _log_probabilities(self, choices: Rows) -> Floats:
        total: Floats = sum(
            (logs[chosen] for logs, chosen in zip(self.logs, choices.T, strict=True)), np.zeros(len(choices))
        )
        return total


def _choices(supernetwork: Supernetwork, architectures: Iterable[Architecture]) -> Rows:
    """A row for each: `[n, groups]`."""
    rows = [list(supernetwork.choices(one).values()) for one in architectures]
    return np.array(rows, dtype=np.int64).reshape(-1, len(supernetwork.groups))


def _pairs(supernetwork: Supernetwork, start: Architecture) -> tuple[Rows, Rows]:
    """All ways to change two decisions, valid or not: encodings `[n, decisions]`, choices `[n, groups]`.

    Choices are those of each change alone put together; where both change one group they are asked for.
    """
    here = _choices(supernetwork, [start])
    alone = _changes(start)
    changed = _choices(supernetwork, _of(start, alone))
    first, second = np.triu_indices(len(alone), k=1)
    is_other = alone != start.encoding
    apart = ~(is_other[first] & is_other[second]).any(axis=1)
    first, second = first[apart], second[apart]
    encodings = np.where(is_other[second], alone[second], alone[first])
    moved = changed != here
    choices = np.where(moved[second], changed[second], changed[first])
    meet = (moved[first] & moved[second]).any(axis=1)
    choices[meet] = _choices(supernetwork, _of(start, encodings[meet]))
    return encodings, choices


def _changes(start: Architecture) -> Rows:
    """All encodings that differ in one decision, valid or not, `[n, decisions]`."""
    changed = [
        [*start.encoding[:position], index, *start.encoding[position + 1 :]]
        for position, choices in enumerate(start.space.choices)
        for index in range(len(choices))
        if index != start.encoding[position]
    ]
    return np.array(changed, dtype=np.int64).reshape(-1, len(start.encoding))


def _of(start: Architecture, encodings: Rows) -> Iterator[Architecture]:
    return (Architecture(start.space, tuple(encoding)) for encoding in encodings.tolist())
