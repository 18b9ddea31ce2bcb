"""Warm-up (Abdelfattah et al., ICLR 2021): a cheap metric chooses which random architectures come first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from hwnas.objectives import Fitness, Objective
from hwnas.search.screen import Screen
from hwnas.search.strategies.proxy_fitness import proxy_fitness
from hwnas.search.strategy import Proposal
from hwnas.spaces import Architecture, SearchSpace


class WarmUp:
    """Uniform draws that are scored by the metric `by`, and then known best first.

    A small space is drawn from without repeats, at most all of it.

    Args:
        space: where to draw.
        objective: whose constraints come before the score.
        samples: number of draws.
        by: name of the cheap metric.
        generator: of the draws.
    """

    def __init__(
        self, space: SearchSpace, objective: Objective, samples: int, by: str, generator: np.random.Generator
    ) -> None:
        self.objective, self.by = objective, by
        self.samples = min(samples, space.size) if samples and space.is_small else samples
        self._draws = _draws(space, self.samples, generator)
        self._scored: list[tuple[Fitness, Architecture]] = []

    @property
    def is_over(self) -> bool:
        """Whether all draws are scored."""
        return len(self._scored) >= self.samples

    def ask(self) -> Proposal | None:
        """The next draw to score, or None to wait for scores."""
        drawn = next(self._draws, None)
        return None if drawn is None else Proposal(drawn, self.by)

    def tell(self, proposal: Proposal, metrics: Mapping[str, float], screen: Screen | None) -> None:
        """A draw's metrics."""
        fitness = proxy_fitness(self.objective, metrics, self.by, screen)
        self._scored.append((fitness, proposal.architecture))

    def best_first(self) -> list[Architecture]:
        """The architectures drawn, each once, best first; those of equal score as they were drawn."""
        ordered = sorted(self._scored, key=lambda scored: scored[0], reverse=True)
        return list(dict.fromkeys(architecture for _, architecture in ordered))


def _draws(space: SearchSpace, samples: int, generator: np.random.Generator) -> Iterator[Architecture]:
    if space.is_small:
        yield from space.sample(samples, seed=generator)
    else:
        for _ in range(samples):
            yield space.random(generator)


def check_warm_up(samples: int, by: str | None) -> None:
    """Raise ValueError where only one of a warm-up's two settings is given."""
    if samples < 0:
        raise ValueError(f"warm_up must be 0 or the number of architectures to score, not {samples}")
    if bool(samples) != bool(by):
        raise ValueError("warm_up needs warm_up_by, the metric to score by, and the other way round")
