"""The combined zero-cost score as a metric: ranks within a reference population of the space."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hwnas.search.batch import PROXY_BATCH, proxy_batch
from hwnas.spaces import Architecture, SearchSpace

if TYPE_CHECKING:
    from hwnas.proxies.ranks import ReferencePopulation

NAME = "zero_cost"
POPULATION = 200
REFERENCE = "reference.json"
SAY_EVERY_S = 15.0


@dataclass(frozen=True)
class ZeroCostMetric:
    """See `hwnas.proxies.ranks.zero_cost`; higher is better.

    Args:
        data: name or path of a data set to draw the batch from; standard normal noise where None.
        seed: of the initialisation and the batch.
        batch: images in the batch.
        reference: the population within which a network is ranked; the search draws and keeps it.
    """

    data: str | None = None
    seed: int = 0
    batch: int = PROXY_BATCH
    reference: ReferencePopulation | None = None
    name: str = NAME
    unit: str = ""
    expensive: bool = True
    higher_is_better: bool = True

    def __call__(self, architecture: Architecture) -> float:
        """The architecture's score; what is undefined ranks last.

        Raises:
            ValueError: there is no reference population.
        """
        from hwnas.proxies.ranks import ZERO_COST, zero_cost
        from hwnas.proxies.untrained import score_network

        if self.reference is None:
            raise ValueError(f"{self.name} ranks within a reference population: give it one")
        network = architecture.network
        inputs, targets = proxy_batch(
            self.data, network.inputs[0].shape, network.outputs[0].size, self.seed, self.batch
        )
        results = score_network(network, ZERO_COST, inputs, targets, seed=self.seed)
        return zero_cost({name: result.value for name, result in results.items()}, self.reference)

    def prepared(
        self, space: SearchSpace, folder: Path, say: Callable[[str], None], executor: Executor | None
    ) -> ZeroCostMetric:
        """The metric with a reference: its own, or the one in `folder`; see `reference_population`."""
        if self.reference is not None:
            return self
        return replace(self, reference=reference_population(self, space, folder, say, executor))


def _now_and_then(say: Callable[[str], None]) -> Callable[[int, int, str], None]:
    """Progress that is told at most every `SAY_EVERY_S` seconds."""
    told = time.monotonic()

    def report(done: int, total: int, what: str) -> None:
        nonlocal told
        if time.monotonic() - told >= SAY_EVERY_S:
            told = time.monotonic()
            say(f"{what} ({done} of {total})")

    return report


def reference_population(
    metric: ZeroCostMetric,
    space: SearchSpace,
    folder: Path,
    say: Callable[[str], None],
    executor: Executor | None = None,
) -> ReferencePopulation:
    """The population in `folder`; where there is none yet, `POPULATION` random architectures are scored.

    Raises:
        ValueError: the file is damaged.
    """
    from hwnas.proxies.ranks import ZERO_COST, ReferencePopulation
    from hwnas.proxies.sweep import score_architectures

    path = folder / REFERENCE
    if path.exists():
        return ReferencePopulation.load(path)
    size = min(POPULATION, space.size) if space.is_small else POPULATION
    chosen = space.sample(size, seed=metric.seed)
    say(f"scoring {size} random architectures, the population that {metric.name} ranks within")
    network = chosen[0].network
    inputs, targets = proxy_batch(
        metric.data, network.inputs[0].shape, network.outputs[0].size, metric.seed, metric.batch
    )
    journal = folder / "reference.journal"
    table = score_architectures(
        chosen,
        ZERO_COST,
        inputs,
        targets,
        seed=metric.seed,
        data=metric.data or "noise",
        executor=executor,
        journal=journal,
        progress=_now_and_then(say),
    )
    scores = {name: [score.value for score in column] for name, column in table.scores.items()}
    found = ReferencePopulation.of(scores, ZERO_COST)
    if found.undefined:
        say(f"{metric.name} goes without {', '.join(found.undefined)}: undefined for all of them")
    found.save(path)
    journal.unlink(missing_ok=True)
    return found
