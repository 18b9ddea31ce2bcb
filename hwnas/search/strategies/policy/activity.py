"""Which decisions of an architecture have an effect: only those are the policy's doing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hwnas.spaces import SearchSpace


def active_decisions(space: SearchSpace, encoding: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """`[decisions]`: whether another choice of each would make another architecture.

    `encoding` is an effective one (`SearchSpace.effective`), so a decision without effect has its first
    choice there, and stays there whatever it is changed to.
    """
    active = np.ones(len(encoding), dtype=np.bool_)
    if type(space).effective is SearchSpace.effective:
        return active
    for position, index in enumerate(encoding):
        if index == 0 and len(space.choices[position]) > 1:
            changed = space.effective((*encoding[:position], 1, *encoding[position + 1 :]))
            active[position] = changed != encoding
    return active
