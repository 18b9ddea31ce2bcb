"""Several proxies, judged on the architectures of which both scores and truth are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwnas.proxies.correlation.correlate import Correlation, correlate
from hwnas.proxies.correlation.ranks import Floats

BASELINES = ("params", "live_params", "flops", "live_flops")
_SIZES = ("params", "live_params")
_SHOWN = 120


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of numbers for some architectures.

    Attributes:
        architectures: their texts, each once.
        columns: by name, one number per architecture [N].
    """

    architectures: Sequence[str]
    columns: Mapping[str, Floats]


@dataclass(frozen=True, eq=False)
class Judged:
    """A column of scores, and how well it ranks.

    Attributes:
        name: of the column.
        scores: [N], NaN or infinite where undefined.
        higher_is_better: the direction in which it is meant to rank.
        baseline: whether it is a size that every proxy has to beat (`BASELINES`).
        correlation: with the truth.
    """

    name: str
    scores: Floats
    higher_is_better: bool
    baseline: bool
    correlation: Correlation


@dataclass(frozen=True, eq=False)
class Comparison:
    """Proxies judged on the same N architectures.

    Attributes:
        truth_name: what the truth is called.
        architectures: texts of the N architectures that have a row of scores and a known truth.
        truth: [N].
        judged: baselines first, then the proxies in the order of the columns.
        size: trainable parameters [N], where a column of them is among the scores.
        listed: number of architectures in the table of scores.
    """

    truth_name: str
    architectures: tuple[str, ...]
    truth: Floats
    judged: tuple[Judged, ...]
    size: Floats | None
    listed: int

    @property
    def baselines(self) -> tuple[str, ...]:
        """Names of the baselines among the scores."""
        return tuple(one.name for one in self.judged if one.baseline)


def compare(
    scores: Table,
    truth: Table,
    truth_name: str,
    *,
    higher_is_better: Mapping[str, bool],
    seed: int = 0,
    resamples: int = 200,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Comparison:
    """Judge columns of `scores` by the column `truth_name` of `truth`, joined by architecture.

    Args:
        scores: a column for each proxy.
        truth: a column of that name; an architecture where it is not finite is left out.
        truth_name: such as "test_accuracy"; higher is better.
        higher_is_better: the columns to judge, and the direction of each. The columns in `BASELINES` are
            judged next to them in any case.
        seed: of the bootstrap.
        resamples: of the bootstrap.
        progress: called with (columns judged, of how many).

    Raises:
        ValueError: no architecture is in both tables with a known truth.
    """
    rows, values = _joined(scores, truth, truth_name)
    names = [name for name in BASELINES if name in scores.columns]
    names += [name for name in higher_is_better if name not in BASELINES]
    judged = []
    for done, name in enumerate(names):
        progress(done, len(names))
        column, better = scores.columns[name][rows], higher_is_better.get(name, True)
        found = correlate(column, values, higher_is_better=better, seed=seed, resamples=resamples)
        judged.append(Judged(name, column, better, name in BASELINES, found))
    progress(len(names), len(names))
    size = next((scores.columns[name][rows] for name in _SIZES if name in scores.columns), None)
    architectures = tuple(scores.architectures[row] for row in rows)
    return Comparison(truth_name, architectures, values, tuple(judged), size, len(scores.architectures))


def _joined(scores: Table, truth: Table, name: str) -> tuple[NDArray[np.intp], Floats]:
    """Rows of `scores` whose architecture has a finite truth, and the truth of each."""
    place = {architecture: row for row, architecture in enumerate(truth.architectures)}
    found = [(row, place[text]) for row, text in enumerate(scores.architectures) if text in place]
    if not found:
        ours, theirs = (text[0][:_SHOWN] for text in (scores.architectures, truth.architectures))
        raise ValueError(
            "no architecture of the scores is in the truth: they are written "
            f"{ours!r} in the scores and {theirs!r} in the truth"
        )
    here, there = np.array(found, dtype=np.intp).T
    values = truth.columns[name][there]
    known = np.isfinite(values)
    if not known.any():
        raise ValueError(f"{name} is not known of any of the {len(found)} architectures that have scores")
    return here[known], values[known]
