"""The lines of a comparison of strategies, as both figures draw them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwnas.report.colours import BLUE, GREEN, INK, MUTED, ORANGE, SKY, VERMILION
from hwnas.report.comparison_text import REFERENCE, ranked
from hwnas.search.comparison import Entry, StrategyComparison

COLOURS = (VERMILION, BLUE, GREEN, ORANGE, SKY)
_ALWAYS = {REFERENCE: INK, "random": MUTED}


@dataclass(frozen=True)
class Line:
    """The curve of an entry; its colour is None in the background."""

    entry: Entry
    colour: str | None


def lines(comparison: StrategyComparison) -> list[Line]:
    """The best strategies and peers in colours, evolution and random search in greys, the others behind."""
    order = ranked(comparison)
    own = [one.label for one in order if not one.is_peer and one.label not in _ALWAYS]
    others = [one.label for one in order if one.is_peer]
    chosen = own[: len(COLOURS) - min(2, len(others))] + others[:2]
    colours = {**dict(zip(chosen, COLOURS, strict=False)), **_ALWAYS}
    return [Line(one, colours.get(one.label)) for one in order]


def limits(comparison: StrategyComparison) -> tuple[float, float]:
    """The values to show: from where most lines are after a twentieth of the networks up to the optimum."""
    start = max(0, comparison.queries // 20 - 1)
    medians = np.array([one.quantile(0.5) for one in comparison.entries])
    early = medians[:, start][np.isfinite(medians[:, start])]
    known = medians[np.isfinite(medians)]
    if not len(known):
        return comparison.optimum - 1, comparison.optimum
    low = float(np.quantile(early, 0.25)) if len(early) else float(known.min())
    room = max(comparison.optimum - low, 1e-9 * abs(comparison.optimum), 1e-12)
    return comparison.optimum - 1.15 * room, comparison.optimum + 0.08 * room
