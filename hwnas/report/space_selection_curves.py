"""The CDFs of a selection's spaces, as both figures draw them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwnas.report.colours import BLUE, GREEN, ORANGE, SKY, VERMILION
from hwnas.report.text import count, percent
from hwnas.tinynas import Selection, SpaceStatistics

COLOURS = (VERMILION, BLUE, GREEN, ORANGE, SKY)
P80 = 0.8
_POINTS = 101


@dataclass(frozen=True)
class Curve:
    """The CDF of one space.

    Attributes:
        space: whose it is.
        macs: `[points]`, ascending.
        fraction: `[points]`, of the satisfying networks that have at most so many MACs.
        label: what a legend says.
        colour: None for those in the background.
    """

    space: SpaceStatistics
    macs: NDArray[np.float64]
    fraction: NDArray[np.float64]
    label: str
    colour: str | None


def curves(selection: Selection) -> list[Curve]:
    """Of all spaces with satisfying networks, the first ones in colours."""
    satisfied = [one for one in selection.ranked if one.satisfying]
    colours = [*COLOURS, *[None] * len(satisfied)]
    return [_curve(one, colour) for one, colour in zip(satisfied, colours, strict=False)]


def _curve(space: SpaceStatistics, colour: str | None) -> Curve:
    fraction = np.linspace(0, 1, _POINTS)
    label = f"{space.name}: mean {count(space.mean_macs)}, {percent(space.feasible)} satisfy"
    return Curve(space, np.quantile(space.cdf, fraction), fraction, label, colour)
