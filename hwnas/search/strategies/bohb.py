"""BOHB (Falkner et al., "BOHB: Robust and Efficient Hyperparameter Optimization at Scale", ICML 2018)."""

from __future__ import annotations

from collections.abc import Container, Mapping

import numpy as np

from hwnas.objectives import Fitness, Objective
from hwnas.search.strategies.hyperband import Hyperband
from hwnas.search.strategies.predictor.density import ChoiceDensity
from hwnas.search.strategies.predictor.features import Rows
from hwnas.search.strategy import Proposal, register
from hwnas.spaces import Architecture, SearchSpace

RANDOM, GOOD, SAMPLES, WIDER = 1 / 3, 0.15, 64, 3.0
"""The paper's ρ, q, N_s and b_w: the share drawn at random, the share that is good, draws from the good ones'
density for one proposal, and how much wider than that density they are."""


@register("bohb")
class BOHB(Hyperband):
    """Hyperband whose networks a model of the good ones proposes, but for a third that are random.

    The model knows the results after the longest part of the training of which there are N_min + 2, where
    N_min is one more than the space has decisions. It is the ratio of two densities over the choices: that of
    the best max(N_min, 15 %) of these results, and that of the others (eq. 2 to 4); of draws from the first
    the one with the greatest ratio is proposed, and none that was trained so far already. With `rungs=1`
    there are full trainings alone: a search by a model without parts, of any metric.

    Differences from the paper: bandwidths follow from the variance of one-hot choices, which have no order;
    a bracket begins while full trainings of the last are under way, and other rungs are completed first.

    For all arguments, and the errors raised, see `Hyperband`.
    """

    def __init__(
        self, space: SearchSpace, objective: Objective, *, eta: int = 3, rungs: int = 3, seed: int = 0
    ) -> None:
        super().__init__(space, objective, eta=eta, rungs=rungs, seed=seed)
        self._results: dict[float, list[tuple[Fitness, Architecture]]] = {}
        self._sizes = np.array([len(choices) for choices in space.choices])

    def tell(self, proposal: Proposal, metrics: Mapping[str, float]) -> None:
        """How good the network is among those of its rung, and of all after this part of the training."""
        super().tell(proposal, metrics)
        fitness = self.objective.fitness(metrics, proposal.maximize)
        self._results.setdefault(proposal.fidelity, []).append((fitness, proposal.architecture))

    def draw(self, known: Container[Architecture]) -> Architecture | None:
        """What the model proposes, or a random network."""
        results = self._informative()
        if results is None or self._generator.random() < RANDOM:
            return super().draw(known)
        best_first = [one for _, one in sorted(results, key=lambda told: told[0], reverse=True)]
        return self._likely_good(self.space.integers(best_first), known) or super().draw(known)

    def _informative(self) -> list[tuple[Fitness, Architecture]] | None:
        """The results at the highest fidelity with enough of them."""
        enough = [part for part, results in self._results.items() if len(results) >= self._least + 2]
        return self._results[max(enough)] if enough else None

    @property
    def _least(self) -> int:
        return len(self._sizes) + 1

    def _likely_good(self, best_first: Rows, known: Container[Architecture]) -> Architecture | None:
        """The best of new draws by the ratio of the densities; None where nothing new is drawn."""
        count = len(best_first)
        good_count = max(self._least, int(GOOD * count))
        good = ChoiceDensity.of(best_first[:good_count], self._sizes)
        bad = ChoiceDensity.of(best_first[-max(self._least, count - good_count) :], self._sizes)
        drawn = good.sample(SAMPLES, WIDER, self._generator)
        for row in np.argsort(bad.log(drawn) - good.log(drawn), kind="stable"):
            encoding = self.space.effective(tuple(drawn[row].tolist()))
            architecture = Architecture(self.space, encoding)
            if architecture not in known and self.space.is_valid(architecture) and self._keeps(architecture):
                return architecture
        return None

    def _keeps(self, architecture: Architecture) -> bool:
        return self.screen is None or self.screen.violation(architecture) == 0
