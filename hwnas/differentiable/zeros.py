"""Choices that give zeros: their probabilities mean little, and nothing is derived from them alone.

Whatever share zeros have of a sum, a normalisation behind it undoes that: the loss does not tell how probable
they are to be, and they become probable where the other candidates are of little use yet (Liu et al., "DARTS:
Differentiable Architecture Search", ICLR 2019, section 2.4, which therefore derives from all others).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hwnas.spaces.supernetwork import Probabilities, Supernetwork

LABEL = "none"
"""What spaces call a choice that gives zeros."""


def without_zeros(
    supernetwork: Supernetwork, probabilities: Probabilities
) -> dict[str, npt.NDArray[np.float64]]:
    """The probabilities of all other choices as they are; 0 of those that give zeros."""
    return {
        group: np.where([label == LABEL for label in labels], 0.0, probabilities[group])
        for group, labels in supernetwork.groups.items()
    }
