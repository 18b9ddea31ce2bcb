"""When a search has collapsed or is done, and what it then answers.

Liang et al., "DARTS+: Improved Differentiable Architecture Search with Early Stopping", 2019
(arXiv:1909.06035); Chen et al., "Progressive Differentiable Architecture Search", ICCV 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwnas.differentiable.records import Epoch
from hwnas.differentiable.skips import decided_skips_of_cells
from hwnas.differentiable.zeros import without_zeros
from hwnas.spaces.supernetwork import Supernetwork


@dataclass(frozen=True)
class Guard:
    """Ends a search early, bounds the skips of its answer, and bars zeros where no cost has a target.

    Attributes:
        most_skips: of a cell of the answer, of every kind (P-DARTS, section 3.3, allows 2 in the 8 edges of
            DARTS' normal cells, and any number in the others); the search ends where a cell has more
            (DARTS+, criterion 1). For that a skip counts only once it is twice as probable as it would be if
            all candidates but zeros were equal: while logits are almost equal, cells have some by chance.
        stable_epochs: the search ends where the candidates of every group kept their order for so many epochs
            (DARTS+, criterion 1*).
        patience: for how many epochs in a row a cell has too many skips before the search ends.

    Raises:
        ValueError: `most_skips` below 0, `stable_epochs` below 2 or `patience` below 1.
    """

    most_skips: int = 1
    stable_epochs: int = 10
    patience: int = 3

    def __post_init__(self) -> None:
        for name, value, least in (
            ("most_skips", self.most_skips, 0),
            ("stable_epochs", self.stable_epochs, 2),
            ("patience", self.patience, 1),
        ):
            if value < least:
                raise ValueError(f"{name} must be at least {least}, not {value}")

    def is_collapsed(self, supernetwork: Supernetwork, epoch: Epoch) -> bool:
        """Whether a cell has too many skips after an epoch."""
        return _most_skips(supernetwork, epoch) > self.most_skips

    def reason_to_stop(self, supernetwork: Supernetwork, epochs: Sequence[Epoch]) -> str:
        """Why to stop after these epochs, in which the logits moved; empty where there is no reason."""
        recent = epochs[-self.patience :]
        if len(recent) == self.patience and all(self.is_collapsed(supernetwork, one) for one in recent):
            return (
                f"epoch {epochs[-1].number}: a cell has {_most_skips(supernetwork, epochs[-1])} skips, more "
                f"than {self.most_skips} for {self.patience} epochs"
            )
        latest = epochs[-self.stable_epochs :]
        if len(latest) == self.stable_epochs and all(_order(one) == _order(latest[0]) for one in latest):
            return f"epoch {epochs[-1].number}: no candidate changed its rank for {self.stable_epochs} epochs"
        return ""


def _most_skips(supernetwork: Supernetwork, epoch: Epoch) -> int:
    probabilities = {group: np.array(shares) for group, shares in epoch.probabilities.items()}
    choices = supernetwork.choices(supernetwork.derive(without_zeros(supernetwork, probabilities)))
    return max(decided_skips_of_cells(supernetwork, choices, probabilities).values(), default=0)


def _order(epoch: Epoch) -> list[list[int]]:
    return [np.argsort(shares, kind="stable").tolist() for shares in epoch.probabilities.values()]
