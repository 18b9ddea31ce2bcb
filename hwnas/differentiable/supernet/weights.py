"""The weights of a supernetwork's candidates as a differentiable function of the probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hwnas.spaces.supernetwork import Supernetwork, Term


class CandidateWeights:
    """From probabilities by group to a weight for each distinct product of terms: `[rows]`, in float64.

    Candidates whose terms are equal, such as those of one edge in all cells of a kind, share a row.

    Attributes:
        supernetwork: whose candidates they are.
        rows: the row of each candidate, by the mixture's path.
    """

    def __init__(self, supernetwork: Supernetwork) -> None:
        self.supernetwork = supernetwork
        numbers: dict[tuple[Term, ...], int] = {}
        self.rows: dict[str, tuple[int, ...]] = {
            path: tuple([numbers.setdefault(candidate.terms, len(numbers)) for candidate in candidates])
            for path, candidates in supernetwork.mixtures.items()
        }
        self._terms = list(numbers)
        self._sums, self._absent = _term_sums(supernetwork, self._terms)

    def __len__(self) -> int:
        return self._absent.shape[1]

    def __call__(self, probabilities: Mapping[str, Tensor]) -> Tensor:
        """Π_(terms) Σ_(its choices) p, `[rows]`: the probability that a row's candidates are chosen.

        Args:
            probabilities: of every group, `[choices]`.
        """
        ordered = torch.cat([probabilities[group].double() for group in self.supernetwork.groups])
        return (self._sums @ ordered + self._absent).prod(dim=0)

    def at(self, choices: NDArray[np.int64]) -> Tensor:
        """The weights of 0 and 1 of many architectures, `[rows, n]` for choices `[n, groups]`."""
        columns = dict(zip(self.supernetwork.groups, choices.T, strict=True))
        chosen = {term: _is_of(term, columns[term.group]) for terms in self._terms for term in terms}
        every = np.ones(len(choices), dtype=bool)
        rows = [reduce(np.logical_and, [chosen[term] for term in terms], every) for terms in self._terms]
        return torch.from_numpy(np.stack(rows).astype(np.float64))


def _is_of(term: Term, choices: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each of the choices is one of the term's."""
    found: NDArray[np.bool_] = reduce(np.logical_or, [choices == one for one in term.choices])
    return found


def _term_sums(supernetwork: Supernetwork, rows: list[tuple[Term, ...]]) -> tuple[Tensor, Tensor]:
    """For the first, second, ... term of each row the choices that it sums, and 1 where there is no such.

    `[terms, rows, choices of all groups]` and `[terms, rows]`.
    """
    starts, total = {}, 0
    for group, labels in supernetwork.groups.items():
        starts[group], total = total, total + len(labels)
    most = max((len(terms) for terms in rows), default=0)
    sums = torch.zeros(most, len(rows), total, dtype=torch.float64)
    absent = torch.ones(most, len(rows), dtype=torch.float64)
    for row, terms in enumerate(rows):
        for number, term in enumerate(terms):
            absent[number, row] = 0
            for choice in term.choices:
                sums[number, row, starts[term.group] + choice] = 1
    return sums, absent
