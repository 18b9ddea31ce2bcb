"""Skips: what collapsed searches consist of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress

import torch
from torch import Tensor

from hwnas.differentiable.supernet.weights import CandidateWeights
from hwnas.network.network import Network
from hwnas.spaces.supernetwork import Candidate, Probabilities, Supernetwork

LABELS = frozenset({"skip", "skip_connect"})
"""What spaces call a choice that passes its input on, if need be through a projection to another shape."""
NEARLY_ALL = 0.9
"""Twice the equal share of two candidates is more than they have."""


def is_skip(supernetwork: Supernetwork, candidate: Candidate) -> bool:
    """Whether a candidate is the identity, or is chosen by a choice of that name."""
    if candidate.network is None:
        return False
    labels = {supernetwork.groups[term.group][choice] for term in candidate.terms for choice in term.choices}
    return not candidate.network.items or not labels.isdisjoint(LABELS)


def auxiliary_networks(supernetwork: Supernetwork) -> dict[str, Network]:
    """The skip among the candidates of each mixture, by path.

    Raises:
        ValueError: a mixture has none.
    """
    found = {
        path: [one.network for one in candidates if one.network and is_skip(supernetwork, one)]
        for path, candidates in supernetwork.mixtures.items()
    }
    lacking = [path for path, networks in found.items() if not networks]
    if lacking:
        raise ValueError(
            f"space {supernetwork.space.name}: {lacking[0]} can be no skip, which darts_minus needs of every "
            "mixture; use another method"
        )
    return {path: networks[0] for path, networks in found.items()}


def count_skips(supernetwork: Supernetwork, choices: Mapping[str, int]) -> int:
    """How many connections skip; those that are alike in several cells of a kind count once.

    Args:
        supernetwork: of a space.
        choices: an index for each group.
    """
    return len({candidate.terms for _, candidate in _chosen(supernetwork, choices)})


def skips_by_row(weights: CandidateWeights) -> Tensor:
    """How many skips of each cell have a row of the candidates' weights, `[cells, rows]`, in float64."""
    supernetwork = weights.supernetwork
    rows: dict[str, Counter[int]] = {}
    for path, candidates in supernetwork.mixtures.items():
        skips = [is_skip(supernetwork, one) for one in candidates]
        for cell in _cells(supernetwork, path):
            rows.setdefault(cell, Counter()).update(compress(weights.rows[path], skips))
    found = torch.zeros(len(rows), len(weights), dtype=torch.float64)
    for number, times in enumerate(rows.values()):
        found[number, list(times)] = torch.tensor(list(times.values()), dtype=torch.float64)
    return found


def skips_of_cells(supernetwork: Supernetwork, choices: Mapping[str, int]) -> dict[str, int]:
    """How many connections skip in each cell that has any; a chain of blocks has no cells."""
    return _by_cell(supernetwork, (path for path, _ in _chosen(supernetwork, choices)))


def decided_skips_of_cells(
    supernetwork: Supernetwork, choices: Mapping[str, int], probabilities: Probabilities
) -> dict[str, int]:
    """The same of connections whose skip has twice its equal share of what is not of zeros, or nearly all.

    Why zeros do not count says `hwnas.differentiable.zeros`.
    """
    decided = (
        path
        for path, candidate in _chosen(supernetwork, choices)
        if _is_decided(candidate, supernetwork.mixtures[path], probabilities)
    )
    return _by_cell(supernetwork, decided)


def _is_decided(candidate: Candidate, of: Sequence[Candidate], probabilities: Probabilities) -> bool:
    others = [one.weight(probabilities) for one in of if one.network is not None]
    return candidate.weight(probabilities) >= min(2 / len(others), NEARLY_ALL) * sum(others)


def _by_cell(supernetwork: Supernetwork, paths: Iterable[str]) -> dict[str, int]:
    return dict(Counter(cell for path in paths for cell in _cells(supernetwork, path)))


def _cells(supernetwork: Supernetwork, path: str) -> list[str]:
    """The cell that a mixture stands in, if it stands in one."""
    names = (item.name for item in supernetwork.skeleton.items)
    return [name for name in names if path.startswith(f"{name}.")]


def _chosen(supernetwork: Supernetwork, choices: Mapping[str, int]) -> Iterator[tuple[str, Candidate]]:
    """The skips among the chosen candidates, with the path of each."""
    for path, candidates in supernetwork.mixtures.items():
        for candidate in candidates:
            if candidate.is_chosen(choices) and is_skip(supernetwork, candidate):
                yield path, candidate
