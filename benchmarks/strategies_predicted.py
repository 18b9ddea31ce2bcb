"""A search on predicted latencies, judged by the recorded ones: what a user has who measured a few networks.

Twenty networks of a device are looked up and a predictor is fitted on them, as in `benchmarks.budgets`. The
search sees the predictions, or the bounds that the latencies stay below with 90 %, in place of the latencies;
whether its answer keeps the budget is judged by the recorded latency. Nothing is measured in between: a run
of `hwnas search` measures its answer, which is what `benchmarks.budgets` is about.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.budgets import Estimate, estimates
from benchmarks.public_latencies import nasbench201
from benchmarks.strategies_setting import BEST, PROXIES, SHARES, TRAINED, Setting
from benchmarks.transfer import Known
from hwnas.objectives import Constraint, Objective
from hwnas.search.comparison import contestants

DEVICES = ("pixel3", "gold_6240")
FITS = 10
CONFIDENCE = 0.9
PREDICTION, BOUND = "the prediction", "the 90 % bound"

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """All searches on a device under a budget by predictions of one kind.

    Attributes:
        device: whose latencies.
        share: of the architectures that keep the budget.
        by: what the search compares with the budget.
        regrets: `[searches]`: what the answer lacks of the best accuracy within the budget; NaN where it
            breaks the budget or there is none.
        excesses: `[violations]`: how far the answers are over the budget, as a fraction of it.
    """

    device: str
    share: float
    by: str
    regrets: Floats
    excesses: Floats


def predicted(setting: Setting) -> list[Judged]:
    """Every device, budget and kind; each tenth of the searches has another fit of the predictor."""
    data = nasbench201(setting.data)
    known = Known(data)
    places = setting.recorded.rows(data.architectures)
    found: dict[tuple[str, float, str], list[Judged]] = {}
    for fit in range(FITS):
        for device, estimate in estimates(data, known, fit, references=False, devices=DEVICES).items():
            for by, latency_ms in _seen(estimate).items():
                column = np.full(len(setting.recorded.is_architecture), np.nan)
                column[places] = latency_ms
                for share in SHARES:
                    one = _searched(setting, device, share, by, column, fit)
                    found.setdefault((device, share, by), []).append(one)
    return [_joined(parts) for parts in found.values()]


def _seen(estimate: Estimate) -> dict[str, Floats]:
    upper = 1 + estimate.calibration.upper(CONFIDENCE) * estimate.relative_std
    return {PREDICTION: estimate.latency_ms, BOUND: estimate.latency_ms * upper}


def _searched(setting: Setting, device: str, share: float, by: str, latency_ms: Floats, fit: int) -> Judged:
    repeats = max(1, setting.slow_repeats // FITS)
    bound = setting.budget_ms(device, share)
    objective = Objective("accuracy", (Constraint("latency_ms", bound),))
    seen, truth = setting.seen(latency_ms), setting.seen(setting.latency_ms(device))
    feasible = int(seen.feasible(objective).sum())
    if not feasible:
        return Judged(device, share, by, np.full(repeats, np.nan), np.empty(0))
    chosen = [one for one in contestants(["bayesian"], PROXIES) if one.label == BEST]
    print(f"{device}, {share:.0%}, by {by}, fit {fit}", flush=True)
    done = setting.compare(chosen, seen, objective, min(TRAINED, feasible), repeats, seed=fit * repeats)
    answers = done.entries[0].answers
    times, accuracies = (
        np.array([np.nan if one is None else truth.metrics[name].at(one) for one in answers])
        for name in ("latency_ms", "accuracy")
    )
    regrets = np.where(times <= bound, truth.optimum(objective) - accuracies, np.nan)
    return Judged(device, share, by, regrets, times[times > bound] / bound - 1)


def _joined(parts: list[Judged]) -> Judged:
    one = parts[0]
    regrets = np.concatenate([part.regrets for part in parts])
    return Judged(one.device, one.share, one.by, regrets, np.concatenate([part.excesses for part in parts]))


def predicted_rows(found: list[Judged]) -> list[list[str]]:
    """A row for each device, budget and kind, and the sums of each kind."""
    rows = [[one.device, f"{one.share:.0%}", one.by, *_figures([one])] for one in found]
    sums = [["all", "", by, *_figures([one for one in found if one.by == by])] for by in (PREDICTION, BOUND)]
    return rows + sums


def _figures(found: list[Judged]) -> list[str]:
    """Searches, violations, mean excess of these, how many have no answer, mean regret of those that hold."""
    regrets = np.concatenate([one.regrets for one in found])
    excesses = np.concatenate([one.excesses for one in found])
    held = regrets[np.isfinite(regrets)]
    unanswered = len(regrets) - len(held) - len(excesses)
    return [
        str(len(regrets)),
        str(len(excesses)),
        f"{excesses.mean():.1%}" if len(excesses) else "",
        str(unanswered),
        f"{held.mean():.3f}" if len(held) else "",
    ]
