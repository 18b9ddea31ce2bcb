"""When a search has collapsed or is done, and what it then answers.

Liang et al., "DARTS+: Improved Differentiable Architecture Search with Early Stopping", 2019
(arXiv:1909.06035); Chen et al., "Progressive Differentiable Architecture Search", ICCV 2019.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hwnas.differentiable.records import Epoch
from hwnas.differentiable.skips import skips_of_cells
from hwnas.spaces.supernetwork import Supernetwork


@dataclass(frozen=True)
class Guard:
    """Ends a search early, and bounds the skips of its answer.

    Attributes:
        most_skips: the search ends where a cell has more (DARTS+, criterion 1), and so many are the most of a
            cell of the answer (P-DARTS, section 3.3).
        stable_epochs: the search ends where the candidates of every group kept their order for so many epochs
            (DARTS+, criterion 1*).

    Raises:
        ValueError: `most_skips` below 0, or `stable_epochs` below 2.
    """

    most_skips: int = 1
    stable_epochs: int = 10

    def __post_init__(self) -> None:
        if self.most_skips < 0:
            raise ValueError(f"most_skips must be at least 0, not {self.most_skips}")
        if self.stable_epochs < 2:
            raise ValueError(f"stable_epochs must be at least 2, not {self.stable_epochs}")

    def reason_to_stop(
        self, supernetwork: Supernetwork, choices: Mapping[str, int], epochs: Sequence[Epoch]
    ) -> str:
        """Why to stop after these epochs; empty where there is no reason.

        Args:
            supernetwork: of the search.
            choices: of the architecture that would be derived now.
            epochs: those in which the logits moved, in order.
        """
        if not epochs:
            return ""
        for cell, skips in skips_of_cells(supernetwork, choices).items():
            if skips > self.most_skips:
                return f"epoch {epochs[-1].number}: {cell} has {skips} skips, more than {self.most_skips}"
        latest = epochs[-self.stable_epochs :]
        if len(latest) == self.stable_epochs and all(_order(one) == _order(latest[0]) for one in latest):
            return f"epoch {epochs[-1].number}: no candidate changed its rank for {self.stable_epochs} epochs"
        return ""


def _order(epoch: Epoch) -> list[list[int]]:
    return [np.argsort(shares, kind="stable").tolist() for shares in epoch.probabilities.values()]
