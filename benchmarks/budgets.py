"""Search under latency budgets on tabular NAS-Bench-201: do they hold, and what accuracy do they cost?

A pair is a device and a budget, a percentile of the device's latencies. Twenty architectures are measured
(looked up), a predictor is fitted, a few candidates are verified by the product's own choice
(`hwnas.search.choose`), and the most accurate architecture that was measured to be within the budget is
returned: with `hwnas search --table` one of the twenty may be, without it only a verified one. The accuracy
(CIFAR-10, test) is known of all, so that what is lost is due to the latencies alone.

`python -m benchmarks.budgets` prints each pair and the means; `--references` lets the predictor know all
other devices, `--seeds` repeats it with other architectures to choose from.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from benchmarks.public_latencies import DATA, PublicLatencies, nasbench201
from benchmarks.transfer import Known
from hwnas.latency.predictors.calibration import Calibration
from hwnas.latency.transfer.design import design
from hwnas.latency.transfer.encoder import Encoder
from hwnas.latency.transfer.predictor import TransferPredictor
from hwnas.search.choose import verify_in_turn

DEVICES = ("titan_rtx_32", "gold_6240", "pixel3", "samsung_s7", "1080ti_1", "silver_4210r")
PERCENTILES = (10, 30, 50, 70)
MEASURED, POPULATION = 20, 1000

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Estimate:
    """What a predictor says of all architectures, `[n]`, and the architectures that it was fitted on."""

    latency_ms: Floats
    relative_std: Floats
    calibration: Calibration
    measured: Indices


@dataclass(frozen=True)
class Case:
    """A device and a budget: what is true, and what is estimated."""

    device: str
    percentile: int
    budget_ms: float
    latency_ms: Floats
    accuracy: Floats
    estimate: Estimate


@dataclass(frozen=True)
class Answer:
    """The architecture that a policy returns (None: no answer), and what it verified."""

    architecture: int | None
    verified: int


Policy = Callable[[Case, int], Answer]


def estimates(
    data: PublicLatencies, known: Known, seed: int, references: bool, devices: Sequence[str] = DEVICES
) -> dict[str, Estimate]:
    """For each of the devices a predictor fitted on designed networks of a random population."""
    population = np.random.default_rng(seed).permutation(len(data.networks))[:POPULATION]
    networks = [data.networks[i] for i in population]
    others = [device for device in data.latency_ms if device not in DEVICES] if references else []
    encoder = Encoder.of(networks, [known.predictor(device) for device in others])
    measured = population[design(encoder, networks, MEASURED)]
    found = {}
    for device in devices:
        predictor = TransferPredictor(encoder)
        predictor.fit([data.networks[i] for i in measured], data.latency_ms[device][measured])
        found[device] = Estimate(
            *predictor.prediction(data.networks),
            Calibration((), predictor.freedom),
            measured,
        )
    return found


def cases(data: PublicLatencies, accuracy: Floats, estimated: dict[str, Estimate]) -> Iterator[Case]:
    for device, estimate in estimated.items():
        latency_ms = data.latency_ms[device]
        for percentile in PERCENTILES:
            budget_ms = float(np.percentile(latency_ms, percentile))
            yield Case(device, percentile, budget_ms, latency_ms, accuracy, estimate)


def most_accurate_by_bound(case: Case, most: int) -> Answer:
    """The most accurate architectures whose upper 90 % bound is within the budget."""
    estimate = case.estimate
    upper = estimate.latency_ms * (1 + estimate.calibration.upper(0.9) * estimate.relative_std)
    allowed = np.flatnonzero(upper <= case.budget_ms)
    ranked = allowed[np.argsort(-case.accuracy[allowed], kind="stable")][:most].tolist()
    return Answer(_most_accurate(case, ranked), len(ranked))


def expected_improvement(case: Case, most: int) -> Answer:
    """Those that are expected to improve the most on what is verified."""
    return _verified_in_turn(case, most, [])


def expected_improvement_on_known(case: Case, most: int) -> Answer:
    """The same where the networks that were measured for the fit are known."""
    return _verified_in_turn(case, most, case.estimate.measured.tolist())


def _verified_in_turn(case: Case, most: int, known: list[int]) -> Answer:
    estimate = case.estimate
    scores = (case.budget_ms / estimate.latency_ms - 1) / estimate.relative_std
    merits = case.accuracy.copy()
    merits[known] = np.nan
    best = _most_accurate(case, known)
    verified = verify_in_turn(
        merits,
        estimate.calibration.probability_below(scores),
        most,
        lambda chosen: (case.latency_ms[chosen] <= case.budget_ms).tolist(),
        None if best is None else float(case.accuracy[best]),
    )
    return Answer(_most_accurate(case, [*known, *verified]), len(verified))


def _most_accurate(case: Case, measured: Sequence[int]) -> int | None:
    """The most accurate of the `measured` architectures that is within the budget."""
    within = [i for i in measured if case.latency_ms[i] <= case.budget_ms]
    return max(within, key=lambda i: float(case.accuracy[i]), default=None)


POLICIES: dict[str, Policy] = {
    "most accurate by the 90 % bound": most_accurate_by_bound,
    "expected improvement": expected_improvement,
    "expected improvement, fit's networks known": expected_improvement_on_known,
}


def regret(case: Case, answer: Answer) -> float:
    """By how many points the best architecture within the budget is better; NaN without an answer."""
    best = float(case.accuracy[case.latency_ms <= case.budget_ms].max())
    return np.nan if answer.architecture is None else best - float(case.accuracy[answer.architecture])


def is_violated(case: Case, answer: Answer) -> bool:
    return answer.architecture is not None and case.latency_ms[answer.architecture] > case.budget_ms


def accuracies(folder: Path = DATA) -> Floats:
    """Test accuracies on CIFAR-10 in per cent, in the benchmark's order."""
    with (folder / "nasbench201" / "cifar10_accuracy.csv").open(newline="") as file:
        return np.array([float(row["test_accuracy"]) for row in csv.DictReader(file)])


def summary(name: str, most: int, found: Sequence[tuple[Case, Answer]]) -> list[str]:
    regrets = np.array([regret(case, answer) for case, answer in found])
    answered = regrets[~np.isnan(regrets)]
    return [
        name,
        str(most),
        f"{np.mean([answer.verified for _, answer in found]):.1f}",
        str(sum(is_violated(case, answer) for case, answer in found)),
        f"{100 * np.isnan(regrets).mean():.0f} %",
        *(f"{figure:.3f}" for figure in (answered.mean(), np.median(answered), answered.max())),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--verify", type=int, nargs="+", default=[5, 10])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--references", action="store_true")
    options = parser.parse_args()
    data, accuracy = nasbench201(), accuracies()
    known = Known(data)
    all_cases = [
        case
        for seed in range(options.seeds)
        for case in cases(data, accuracy, estimates(data, known, seed, options.references))
    ]
    detail = Table("device", "budget", "returned", "measured", "accuracy", "regret", box=None, pad_edge=False)
    for case in all_cases[: len(DEVICES) * len(PERCENTILES)]:
        detail.add_row(*_row(case, expected_improvement_on_known(case, options.verify[0])))
    means = Table(
        "policy", "verify", "verified", "violations", "no answer", "mean regret", "median", "largest",
        title=f"{len(all_cases)} pairs, {MEASURED} measured networks each", box=None, pad_edge=False,
    )  # fmt: skip
    for most in options.verify:
        for name, policy in POLICIES.items():
            means.add_row(*summary(name, most, [(case, policy(case, most)) for case in all_cases]))
    Console(width=150).print(detail, means)


def _row(case: Case, answer: Answer) -> list[str]:
    head = [case.device, f"{case.budget_ms:.2f} ms ({case.percentile} %)"]
    if answer.architecture is None:
        return [*head, "none", "", "", ""]
    i = answer.architecture
    figures = f"{case.latency_ms[i]:.2f} ms", f"{case.accuracy[i]:.2f} %", f"{regret(case, answer):.2f}"
    return [*head, str(i), *figures]


if __name__ == "__main__":
    main()
