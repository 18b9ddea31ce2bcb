"""Bayesian optimisation with a Gaussian process and constrained expected improvement."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwnas.objectives import Constraint, Objective
from hwnas.search.strategies.predictor.features import Candidates, Floats, Rows
from hwnas.search.strategies.predictor.gaussian_process import Posterior, fitted
from hwnas.search.strategies.predictor.guided import PredictorGuided
from hwnas.search.strategies.predictor.settings import LEAST, GuidedSettings
from hwnas.search.strategies.predictor.targets import standardised
from hwnas.search.strategy import register
from hwnas.spaces import SearchSpace

GROWTH = 10
"""A process is refitted when its results have grown by one part in this many."""
ROOM = 16
LEAST_SHARE = 1e-9
"""Of a bound: what is below it counts as much."""


@register("bayesian")
class BayesianOptimization(PredictorGuided):
    """Proposes the greatest expected improvement on the best network that keeps the constraints.

    The surrogate is a Gaussian process on choices and proxies (ChamNet, Dai et al., CVPR 2019, has one on
    its genes). A constraint whose metric is cheap is kept exactly; for one that is only known from results,
    the improvement is weighted with the probability of a process of its own that it is kept (Gardner et
    al., "Bayesian Optimization with Inequality Constraints", ICML 2014, eq. 4), and as long as nothing
    keeps it this probability alone counts. For all arguments, and the errors raised, see
    `GuidedSettings`.
    """

    def __init__(
        self,
        space: SearchSpace,
        objective: Objective,
        *,
        initial: int = 10,
        proxies: Sequence[str] | str = (),
        scored: int = 200,
        relatives: int = 20,
        seed: int = 0,
    ) -> None:
        guided = GuidedSettings(initial=initial, proxies=proxies, scored=scored, relatives=relatives)
        super().__init__(space, objective, guided, seed)
        self._processes: dict[str, _Process] = {}

    def choose(self, candidates: Candidates, free: Rows) -> int:
        """As `PredictorGuided.choose`."""
        asked = self.asked()
        likely = np.ones(len(free))
        for constraint in self._unscreened():
            likely *= self._probability(constraint, asked, candidates)[free]
        numbers, values = self.known()
        kept = [self.objective.fitness(self._asked[number].metrics or {}).rank == 2 for number in numbers]
        if not any(kept):
            return int(free[np.argmax(likely)])
        targets = standardised(values)
        mean, std = self._predict(self.objective.maximize, asked, candidates, numbers, targets)
        gain = expected_improvement(mean[free], std[free], float(targets[kept].max()))
        return int(free[np.argmax(gain * likely)])

    @property
    def is_informed(self) -> bool:
        """Whether there are results enough for one of the processes."""
        names = [self.objective.maximize, *(c.metric for c in self._unscreened())]
        return any(len(self.known(name)[0]) >= LEAST for name in names)

    def _probability(self, constraint: Constraint, asked: Candidates, candidates: Candidates) -> Floats:
        """With which probability each candidate keeps the constraint, `[n]`, by the values' logarithms."""
        from scipy.special import ndtr

        numbers, values = self.known(constraint.metric)
        if len(numbers) < LEAST:
            return np.ones(len(candidates.architectures))
        excess = np.log(np.maximum(values, LEAST_SHARE * constraint.bound)) - np.log(constraint.bound)
        centre, scale = float(excess.mean()), max(float(excess.std()), 1e-9)
        mean, std = self._predict(constraint.metric, asked, candidates, numbers, (excess - centre) / scale)
        return np.asarray(ndtr(-(mean + centre / scale) / std))

    def _predict(
        self, name: str, asked: Candidates, candidates: Candidates, numbers: list[int], targets: Floats
    ) -> tuple[Floats, Floats]:
        process = self._processes.setdefault(name, _Process())
        return process.predict(asked, candidates, numbers, targets)

    def _unscreened(self) -> list[Constraint]:
        """The constraints that only results tell."""
        if self.screen is None:
            return list(self.objective.constraints)
        metrics = self.screen.metrics
        return [c for c in self.objective.constraints if metrics[c.metric].expensive]


class _Process:
    """A Gaussian process that is refitted now and then, and told the proposals in between."""

    def __init__(self) -> None:
        self._due = 0
        self._posterior: Posterior | None = None
        self._candidates: Candidates | None = None

    def predict(
        self, asked: Candidates, candidates: Candidates, numbers: list[int], targets: Floats
    ) -> tuple[Floats, Floats]:
        """Means and standard deviations of all candidates, `[n]`."""
        posterior, total = self._posterior, len(asked.architectures)
        if posterior is None or len(numbers) >= self._due:
            kernel = fitted(asked.rows(numbers), targets)
            self._due = len(numbers) + max(1, len(numbers) // GROWTH)
            posterior = Posterior(kernel, asked, candidates, self._due - len(numbers) + ROOM)
        elif candidates is not self._candidates or total > posterior.size:
            posterior = Posterior(posterior.kernel, asked, candidates, ROOM)
        while posterior.count < total:
            posterior.join(asked.rows([posterior.count]))
        self._posterior, self._candidates = posterior, candidates
        return posterior.predict(numbers, targets)


def expected_improvement(mean: Floats, std: Floats, best: float) -> Floats:
    """E[max(0, f − best)] of f normal, `[n]` (Jones et al., 1998, eq. 15 for maximising)."""
    from scipy.special import ndtr

    gap = (mean - best) / std
    density = np.exp(-0.5 * gap**2) / np.sqrt(2 * np.pi)
    return np.asarray(std * (gap * ndtr(gap) + density))
