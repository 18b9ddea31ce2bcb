"""Expected costs of a supernetwork as differentiable functions of the probabilities.

An expectation is a dot product of the candidates' weights with constants that are found once. With one-hot
probabilities it is the cost of that architecture's network.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from hwnas.cost import Counts, count
from hwnas.differentiable.supernet.weights import CandidateWeights
from hwnas.latency.predictors.composition import Composition
from hwnas.latency.predictors.parts import PartsPredictor
from hwnas.network.network import Block, Network
from hwnas.spaces.architecture import Architecture

Costs = Callable[[Sequence[Network]], Sequence[float]]
"""What each of some blocks costs; of a network it is the sum over its blocks."""


class ExpectedCost:
    """Σ_(fixed) cost + Σ_(mixtures) Σ_o weight_o · cost_o, composed: a number in float64.

    The expected FLOPs of DARTS with the FLOPs regulariser, Σ_(i,j) Σ_o softmax(α^(i,j))_o · FLOP_o^(i,j), and
    the expected latency of FBNet (Wu et al., CVPR 2019, equation 6) and ProxylessNAS (Cai et al., ICLR 2019,
    equation 5). Candidates that give zeros, and the identity, cost nothing.

    Args:
        weights: of the supernetwork's candidates.
        costs: of blocks.
        composition: from the sum to the cost, which for a measured latency is a line.
    """

    def __init__(
        self, weights: CandidateWeights, costs: Costs, composition: Composition | None = None
    ) -> None:
        self.weights = weights
        self.composition = composition or Composition()
        self._fixed, self._constants = _constants(weights, costs)

    def __call__(self, probabilities: Mapping[str, Tensor]) -> Tensor:
        """The expectation at these probabilities, which are given for every group, `[choices]`."""
        return self.at(self.weights(probabilities))

    def at(self, weights: Tensor) -> Tensor:
        """The expectation, `[*]`, at these weights of the candidates, `[rows, *]`."""
        return _composed(self._fixed + self._constants @ weights, self.composition)

    def fit_fixed(self, architecture: Architecture, total: float) -> None:
        """Set the fixed part so that the sum over the blocks of `architecture` is `total`."""
        one_hot = self.weights.supernetwork.one_hot(architecture)
        weights = self.weights({group: torch.as_tensor(values) for group, values in one_hot.items()})
        self._fixed += total - float(self._fixed + self._constants @ weights)


def expected_count(weights: CandidateWeights, name: str) -> ExpectedCost:
    """The expected `flops`, `macs` or `params`, of every layer as `hwnas.cost.count(network).whole` has it.

    Raises:
        ValueError: another name.
    """
    if name not in _COUNTS:
        raise ValueError(f"no expected count {name!r}; there are {', '.join(_COUNTS)}")
    return ExpectedCost(weights, block_counts(name))


def block_counts(name: str) -> Costs:
    """The `flops`, `macs` or `params` of every layer of blocks."""
    of = _COUNTS[name]
    return lambda blocks: [of(count(block).whole) for block in blocks]


_COUNTS: dict[str, Callable[[Counts], int]] = {
    "flops": lambda counts: counts.flops,
    "macs": lambda counts: counts.macs,
    "params": lambda counts: counts.params,
}


def expected_latency(weights: CandidateWeights, predictor: PartsPredictor) -> ExpectedCost:
    """The expected latency in milliseconds by a look-up of blocks, its line included.

    Exact at one-hot probabilities of chains and of DARTS' cells, whose networks all have as many additions:
    the fixed part is that of the network of most layers, not of the skeleton with all its edges. An edge
    `none` of NAS-Bench-201 saves an addition, which is counted here nevertheless.

    Raises:
        MissingBlockError: the table lacks blocks of the space; says how many and describes some.
    """
    expected = ExpectedCost(weights, block_latencies(predictor), predictor.composition)
    deepest = weights.supernetwork.cheapest(lambda block: -len(block.layers))
    expected.fit_fixed(deepest, float(predictor.sums([deepest.network])[0]))
    return expected


def block_latencies(predictor: PartsPredictor) -> Costs:
    """The latencies of blocks in milliseconds before the line; raises `MissingBlockError`."""
    return lambda blocks: predictor.sums([_called(block) for block in blocks]).tolist()


def _called(block: Network) -> Network:
    """A network that calls `block`, which a look-up then takes as one block."""
    name = "block"
    outputs = tuple(value._replace(name=f"{name}:{i}") for i, value in enumerate(block.outputs))
    call = Block(name, block, tuple(value.name for value in block.inputs), outputs)
    return Network(block.inputs, outputs, (call,), {})


def _constants(weights: CandidateWeights, costs: Costs) -> tuple[float, Tensor]:
    """The fixed part, and by row the summed costs of its candidates, `[rows]`; each block is asked once."""
    candidates = [
        (row, candidate.network)
        for path, mixture in weights.supernetwork.mixtures.items()
        for row, candidate in zip(weights.rows[path], mixture, strict=True)
        if candidate.network is not None and candidate.network.items
    ]
    fixed = Counter(weights.supernetwork.fixed)
    distinct = list(dict.fromkeys([*fixed, *(network for _, network in candidates)]))
    cost_of = dict(zip(distinct, costs(distinct), strict=True))
    constants = torch.zeros(len(weights), dtype=torch.float64)
    for row, network in candidates:
        constants[row] += cost_of[network]
    return float(sum(times * cost_of[network] for network, times in fixed.items())), constants


def _composed(total: Tensor, line: Composition) -> Tensor:
    """`Composition.apply` of sums, with its gradient."""
    above = line.offset_ms + line.slope * total
    if line.offset_ms >= 0:
        return above
    straight = (line.offset_ms + line.slope * line.smallest_sum_ms) / line.smallest_sum_ms
    return torch.where(total < line.smallest_sum_ms, total * straight, above)
