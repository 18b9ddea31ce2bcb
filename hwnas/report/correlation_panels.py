"""What a panel shows: a proxy's scores against the truth, on an axis on which they can be told apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwnas.proxies.correlation import Comparison, Judged
from hwnas.report.derived import wants_log
from hwnas.report.text import percent

Floats = NDArray[np.float64]

SHADES = ("#a9d3f0", "#56b4e9", "#0072b2", "#00416a", "#021a2b")
_MARGIN = 0.06
_TAIL = 0.01
_EXTREME = 0.025
_LONG_TAIL = 8
_EXPONENT = 307.0


@dataclass(frozen=True)
class ScoreAxis:
    """The axis of a panel's scores.

    Attributes:
        log: whether it is logarithmic.
        low: its lower end, in the scores' unit.
        high: its upper end.
    """

    log: bool
    low: float
    high: float

    def inside(self, scores: Floats) -> Floats:
        """The scores [N]; those beyond an end moved to it."""
        return np.clip(scores, self.low, self.high)

    def at(self, share: float) -> float:
        """The score at a `share` of the axis' length, 0 being the lower end."""
        if self.log:
            return float(self.low ** (1 - share) * self.high**share)
        return (1 - share) * self.low + share * self.high


@dataclass(frozen=True, eq=False)
class Panel:
    """One proxy's scores against the truth.

    Attributes:
        name: of the proxy.
        remark: its correlation in words.
        unit: what stands along the axis of scores.
        axis: of the scores.
        scored: positions [S] of the architectures with a score, those with fewer parameters first.
        undefined: positions of those without.
        beyond: how many scores lie beyond the axis.
    """

    name: str
    remark: str
    unit: str
    axis: ScoreAxis
    scored: NDArray[np.intp]
    undefined: NDArray[np.intp]
    beyond: int

    @property
    def lines(self) -> tuple[str, ...]:
        """What is said under the name."""
        edge = f"{self.beyond:,} beyond the axis, drawn at its edge"
        return (self.remark, edge) if self.beyond else (self.remark,)


def panel(comparison: Comparison, judged: Judged, shown: NDArray[np.intp] | None = None) -> Panel:
    """The panel of one column of scores; of the architectures at the positions `shown`, if given."""
    positions = np.arange(len(comparison.truth)) if shown is None else shown
    if comparison.size is not None:
        positions = positions[np.argsort(comparison.size[positions], kind="stable")]
    finite = np.isfinite(judged.scores)
    axis = score_axis(judged.scores[finite])
    drawn = judged.scores[positions[finite[positions]]]
    return Panel(
        name=f"{judged.name} (baseline)" if judged.baseline else judged.name,
        remark=_remark(judged),
        unit="score" if judged.higher_is_better else "score (lower is better)",
        axis=axis,
        scored=positions[finite[positions]],
        undefined=positions[~finite[positions]],
        beyond=int(((drawn < axis.low) | (drawn > axis.high)).sum()),
    )


def score_axis(scores: Floats) -> ScoreAxis:
    """An axis for finite scores [S]: logarithmic for a wide positive range.

    Where a hundredth of the scores at either end would take most of the axis, it ends before them.
    """
    if not len(scores):
        return ScoreAxis(False, 0.0, 1.0)
    with np.errstate(over="ignore"):
        log = wants_log(scores)
    values = np.log10(scores) if log else scores / 2
    low, high = float(values.min()), float(values.max())
    first, last = (float(v) for v in np.quantile(values, (_TAIL, 1 - _TAIL)))
    if last > first:
        spread = _LONG_TAIL * (last - first)
        low, high = (first if first - low > spread else low), (last if high - last > spread else high)
    margin = _MARGIN * (high - low) or abs(high) * _MARGIN or 1.0
    low, high = low - margin, high + margin
    if log:
        return ScoreAxis(True, 10 ** max(low, -_EXPONENT), 10 ** min(high, _EXPONENT))
    return ScoreAxis(False, _doubled(low), _doubled(high))


def colour_values(size: Floats | None) -> Floats | None:
    """log10 of the parameters [N], which set a point's darkness; None where they are not known."""
    if size is None or not (np.isfinite(size) & (size > 0)).all():
        return None
    return np.asarray(np.log10(size))


def colour_limits(colours: Floats) -> tuple[float, float]:
    """The ends of the colour scale for values [N]: few architectures may lie beyond."""
    low, high = np.quantile(colours, (_EXTREME, 1 - _EXTREME))
    return (float(low), float(high)) if high > low else (float(low) - 0.5, float(low) + 0.5)


def _doubled(half: float) -> float:
    """Twice the number, or the largest there is; scores are halved so that their range does not overflow."""
    return float(np.clip(half, np.finfo(np.float64).min / 2, np.finfo(np.float64).max / 2) * 2)


def _remark(judged: Judged) -> str:
    found = judged.correlation
    remark = f"Spearman {figure(found.spearman.value)}, Kendall {figure(found.kendall.value)}"
    return remark if found.coverage == 1 else f"{remark}, {percent(found.coverage)} scored"


def figure(value: float, digits: int = 3) -> str:
    """A figure with its digits, or a dash for NaN."""
    return "–" if np.isnan(value) else f"{value:.{digits}f}".replace("-", "−")
