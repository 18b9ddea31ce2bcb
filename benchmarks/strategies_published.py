"""NAS-Bench-201's published rows beside ours, at an equal number of trained networks.

The published searches choose by the validation accuracy after 12 epochs, from one seed, for 12,000 simulated
seconds, and report the test accuracy of their choice after 200. The table at hand has neither that accuracy
nor seconds. So ours train `NETWORKS` networks: an epoch of the benchmark's architecture 284 takes 9.75 s
(issue 4 of github.com/D-X-Y/NATS-Bench), twelve of them 117 s, and 12,000 s are 103 of these. They search
twice: by the test accuracy itself, which is never misled, and by the test accuracy with normal noise of
`NOISE` points. That is the width with which random search gives its published row; the other rows then
follow without anything to choose.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.strategies_setting import BOHB, REA, Setting
from hwnas.objectives import Objective
from hwnas.search.comparison import Contestant, RecordedSpace, contestants

ROWS = Path("tests/reference/nasbench201_strategies.csv")
NETWORKS = 100
NOISE = 0.35
NOISES = 10
"""Draws of the noise; each is the truth of a tenth of the searches."""
OURS = {
    "random search": ("random", NETWORKS),
    "REA": (REA, NETWORKS),
    "REINFORCE": ("reinforce", NETWORKS),
    "BOHB": (BOHB, NETWORKS),
    "AREA": ("area", NETWORKS),
    "NASWOT (N=10)": ("naswot:samples=10", 1),
    "NASWOT (N=100)": ("naswot:samples=100", 1),
    "NASWOT (N=1000)": ("naswot", 1),
    "best of 10 random": ("random", 10),
    "best of 100 random": ("random", 100),
    "best of 1000 random": ("random", 1000),
}
"""Of published methods: ours of the same, and how many networks it trains."""
BY_TRUTH = tuple(method for method in OURS if method.startswith(("best of", "NASWOT")))
"""Published rows that choose by the accuracy that they report, or by no accuracy."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """A published row, of test accuracies in per cent where it has them, and ours of the same method.

    Attributes:
        published: the columns of `ROWS`.
        networks: that ours train.
        by_truth: `[searches]`: test accuracies of answers chosen by these; None where ours takes no part.
        by_noise: the same, chosen by accuracies with noise.
    """

    published: dict[str, str]
    networks: int
    by_truth: Floats | None
    by_noise: Floats | None


def published(setting: Setting) -> list[Row]:
    """All rows of `ROWS`."""
    with ROWS.open() as file:
        rows = list(csv.DictReader(file))
    found = []
    for row in rows:
        label, networks = OURS[row["method"]]
        print(f"{row['method']}: {label}", flush=True)
        one = _contestant(setting, label)
        by_truth = by_noise = None
        if one is not None:
            by_truth = _by_truth(setting, one, networks)
            by_noise = None if row["method"] in BY_TRUTH else _by_noise(setting, one, networks)
        found.append(Row(row, networks, by_truth, by_noise))
    return found


def _contestant(setting: Setting, label: str) -> Contestant | None:
    """Ours; None where it needs scores that are not there."""
    (one,) = contestants([label], score=setting.score)
    return one if set(one.proxies) <= set(setting.recorded.metrics) else None


def _by_truth(setting: Setting, one: Contestant, networks: int) -> Floats:
    return _answers(setting, one, setting.seen(), networks, setting.repeats, 0)


def _by_noise(setting: Setting, one: Contestant, networks: int) -> Floats:
    repeats = max(1, setting.repeats // NOISES)
    return np.concatenate(
        [
            _answers(setting, one, noisy(setting.seen(), draw), networks, repeats, draw * repeats)
            for draw in range(NOISES)
        ]
    )


def noisy(recorded: RecordedSpace, draw: int) -> RecordedSpace:
    """The same with noise on each architecture's accuracy."""
    accuracy = recorded.metrics["accuracy"]
    noise = NOISE * np.random.default_rng([draw, 201]).normal(size=len(accuracy.values))
    return replace(
        recorded, metrics={**recorded.metrics, "accuracy": replace(accuracy, values=accuracy.values + noise)}
    )


def _answers(
    setting: Setting, one: Contestant, seen: RecordedSpace, networks: int, repeats: int, seed: int
) -> Floats:
    """`[repeats]`: the true accuracies of what is chosen."""
    done = setting.compare([one], seen, Objective("accuracy"), networks, repeats, seed)
    truth = setting.recorded.metrics["accuracy"]
    return np.array([truth.at(answer) for answer in done.entries[0].answers if answer is not None])


def published_rows(found: Sequence[Row]) -> list[list[str]]:
    """Method, budget, published test accuracy; ours by truth and by noise, and whether within its std."""
    rows = []
    for one in found:
        mean, std = one.published["test_mean"], one.published["test_std"]
        stated = f"{mean} ± {std}" if mean else _validation(one.published)
        cells = [cell for ours in (one.by_truth, one.by_noise) for cell in _beside(ours, mean, std)]
        rows.append([one.published["method"], one.published["budget"], stated, str(one.networks), *cells])
    return rows


def _validation(row: dict[str, str]) -> str:
    return f"validation {row['validation_mean']} ± {row['validation_std']}"


def _beside(ours: Floats | None, mean: str, std: str) -> list[str]:
    """Ours, and whether its mean is within a published standard deviation of the published mean."""
    if ours is None:
        return ["", ""]
    text = f"{ours.mean():.2f} ± {ours.std():.2f} ({len(ours)})"
    if not mean:
        return [text, ""]
    return [text, "yes" if abs(ours.mean() - float(mean)) <= float(std) else "no"]
