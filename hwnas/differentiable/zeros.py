"""Choices that give zeros: their probabilities mean little, and nothing is derived from them alone.

Whatever share zeros have of a sum, a normalisation behind it undoes that: the loss does not tell how probable
they are to be, and they become probable where the other candidates are of little use yet (Liu et al., "DARTS:
Differentiable Architecture Search", ICLR 2019, section 2.4, which therefore derives from all others).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hwnas.spaces.supernetwork import Probabilities, Supernetwork


def all_but_zeros(supernetwork: Supernetwork) -> dict[str, tuple[int, ...]]:
    """Every choice but those that stand for candidates of zeros alone, such as `none`."""
    gives = {
        (term.group, choice)
        for mixture in supernetwork.mixtures.values()
        for candidate in mixture
        if candidate.network is not None
        for term in candidate.terms
        for choice in term.choices
    }
    return {
        group: tuple([choice for choice in range(len(labels)) if (group, choice) in gives])
        for group, labels in supernetwork.groups.items()
    }


def without_zeros(
    supernetwork: Supernetwork, probabilities: Probabilities
) -> dict[str, npt.NDArray[np.float64]]:
    """The probabilities of all other choices as they are; 0 of those that give zeros."""
    found = {}
    for group, others in all_but_zeros(supernetwork).items():
        found[group] = np.zeros_like(probabilities[group])
        found[group][list(others)] = probabilities[group][list(others)]
    return found
