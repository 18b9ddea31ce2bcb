"""The costs that a differentiable search can be held to, and the targets that a space can meet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch

from hwnas.differentiable.costs.expected import (
    Costs,
    ExpectedCost,
    block_counts,
    block_latencies,
    expected_count,
    expected_latency,
)
from hwnas.differentiable.costs.peak import ExpectedPeak, live_bytes
from hwnas.differentiable.supernet.weights import CandidateWeights
from hwnas.latency.predictors.parts import PartsPredictor
from hwnas.objectives import Constraint
from hwnas.spaces import Architecture
from hwnas.spaces.supernetwork import Supernetwork

COUNTS = ("flops", "macs", "params")
UNITS = {**dict.fromkeys(COUNTS, ""), "latency_ms": "ms", "peak_sram_bytes": "bytes"}


@dataclass(frozen=True)
class Cost:
    """A cost of architectures that has a differentiable expectation.

    Attributes:
        name: of the metric.
        expected: by probabilities of every group; exact where they are one-hot, but for a latency where
            edges can be `none` (`expected_latency`).
        of_blocks: whose sum, or for a peak whose maximum, decides the cost of an architecture.
    """

    name: str
    expected: ExpectedCost | ExpectedPeak
    of_blocks: Costs

    def of(self, supernetwork: Supernetwork, architecture: Architecture) -> float:
        """The cost of an architecture."""
        one_hot = supernetwork.one_hot(architecture)
        return float(self.expected({group: torch.as_tensor(one) for group, one in one_hot.items()}))

    def extremes(self, supernetwork: Supernetwork) -> tuple[float, float]:
        """The least and the greatest cost of an architecture of the space."""
        cheapest = supernetwork.cheapest(lambda block: self.of_blocks([block])[0])
        dearest = supernetwork.cheapest(lambda block: -self.of_blocks([block])[0])
        return self.of(supernetwork, cheapest), self.of(supernetwork, dearest)


def costs(
    weights: CandidateWeights, names: Iterable[str], predictor: PartsPredictor | None = None
) -> dict[str, Cost]:
    """The costs of these names, each once.

    Args:
        weights: of a supernetwork's candidates.
        names: `flops`, `macs`, `params`, `latency_ms` and `peak_sram_bytes`. An expected peak exists of
            chains alone, and is a lower bound until probabilities are one-hot.
        predictor: of `latency_ms`.

    Raises:
        ValueError: another name, `latency_ms` without a predictor that sums blocks, a peak of a space that is
            no chain.
        MissingBlockError: the predictor's table lacks blocks of the space.
    """
    return {name: _cost(weights, name, predictor) for name in dict.fromkeys(names)}


def _cost(weights: CandidateWeights, name: str, predictor: PartsPredictor | None) -> Cost:
    if name in COUNTS:
        return Cost(name, expected_count(weights, name), block_counts(name))
    if name == "peak_sram_bytes":
        return Cost(name, ExpectedPeak(weights), lambda blocks: [live_bytes(block) for block in blocks])
    if name != "latency_ms":
        raise ValueError(f"no differentiable expectation of {name!r}; there are {', '.join(UNITS)}")
    if not isinstance(predictor, PartsPredictor):
        raise ValueError(
            "latency_ms needs a predictor that sums the blocks of a table: pass the `lookup` predictor that "
            f"hwnas.latency.fit gives as `predictor`, not {type(predictor).__name__}"
        )
    return Cost(name, expected_latency(weights, predictor), block_latencies(predictor))


def check_targets(
    supernetwork: Supernetwork, costs: Mapping[str, Cost], targets: Sequence[Constraint]
) -> None:
    """Raise ValueError where a target is not within what the space has; it says both ends."""
    for target in targets:
        least, greatest = costs[target.metric].extremes(supernetwork)
        if not least <= target.bound <= greatest:
            side = "below the smallest" if target.bound < least else "above the largest"
            raise ValueError(
                f"target {target} is {side} architecture of space {supernetwork.space.name}, whose "
                f"{target.metric} go from {least:.6g} to {greatest:.6g}"
            )
