"""Graph convolutions that give each node of a batch its cost; trained in torch, evaluated in NumPy.

One formula serves both: tensors and arrays, dense and sparse, share the operators that it needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.predictors.graph_batch import GraphBatch

Floats32 = NDArray[np.float32]
Weights = dict[str, Any]

HIDDEN, CONVOLUTIONS = 64, 2
STEPS, CHECK_EVERY, PATIENCE = 400, 5, 100
LEARNING_RATE, WEIGHT_DECAY = 5e-3, 1e-3
VALIDATED = 0.2
"""Share of the networks that decide when to stop."""

_HUBER = 0.05
_GAIN = 20.0
_OVERHEAD = -2.0
_LARGEST_LOG = 30.0


def shapes(columns: int) -> dict[str, tuple[int, ...]]:
    """The shape of each array of weights, for nodes of `columns` descriptors."""
    found: dict[str, tuple[int, ...]] = {"embedding": (columns, HIDDEN), "embedding_bias": (HIDDEN,)}
    for layer in range(CONVOLUTIONS):
        found |= {f"{part}_{layer}": (HIDDEN, HIDDEN) for part in ("own", "producers", "readers")}
        found[f"bias_{layer}"] = (HIDDEN,)
    return {**found, "cost": (HIDDEN,), "cost_bias": (1,), "overhead": (1,)}


def log_costs(weights: Mapping[str, Any], x: Any, kind_of: Any, producers: Any, readers: Any) -> Any:
    """The logarithm of each node's cost, `[n]`.

    A graph convolution (Kipf and Welling, ICLR 2017; for latency Dudziak et al., NeurIPS 2020), with
    weights of their own for a node, those that it reads and those that read it, and a residual connection.

    Args:
        weights: arrays or tensors of `shapes`.
        x: `[k, columns]`, standardised descriptors of the kinds of nodes.
        kind_of: `[n]`, each node's kind.
        producers: `[n, n]`, averages over those read.
        readers: `[n, n]`, averages over those that read.
    """
    hidden = (x @ weights["embedding"] + weights["embedding_bias"]).clip(0)[kind_of]
    for layer in range(CONVOLUTIONS):
        own = hidden @ weights[f"own_{layer}"]
        around = (producers @ hidden) @ weights[f"producers_{layer}"]
        around = around + (readers @ hidden) @ weights[f"readers_{layer}"]
        hidden = hidden + (own + around + weights[f"bias_{layer}"]).clip(0)
    return hidden @ weights["cost"] + weights["cost_bias"]


def evaluate(weights: Mapping[str, Floats32], x: Floats32, batch: GraphBatch) -> NDArray[np.float64]:
    """The cost of each network, `[networks]`: an overhead and the sum of its nodes' costs."""
    logs = log_costs(weights, x, batch.kind_of, batch.producers, batch.readers)
    costs, overhead = (
        np.exp(np.minimum(part, _LARGEST_LOG)) for part in (logs, weights["overhead"] + _OVERHEAD)
    )
    return np.asarray(batch.total @ costs + overhead, dtype=np.float64)


@dataclass(frozen=True)
class Training:
    """What the weights are fitted on.

    Attributes:
        x: `[k, columns]`, standardised descriptors of the kinds of nodes.
        batch: the graphs of the networks.
        target: `[networks]`, what their costs should be; of the order of 1.
        importance: `[networks]`, what relative errors weigh.
        seed: of the initial weights and of which networks decide when to stop.
    """

    x: Floats32
    batch: GraphBatch
    target: NDArray[np.float64]
    importance: NDArray[np.float64]
    seed: int

    def run(self) -> dict[str, Floats32]:
        """The weights with the least error on the networks that were not trained on."""
        import torch

        weights = self._initial(torch.Generator().manual_seed(self.seed))
        optimiser = torch.optim.AdamW(weights.values(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
        trained, validated = self._split()
        importance = torch.tensor(self.importance, dtype=torch.float32)
        errors_of = self._errors_of()
        best, best_step, kept = np.inf, 0, weights
        for step in range(STEPS):
            errors = errors_of(weights)
            if step % CHECK_EVERY == 0:
                error = float((errors.detach().abs() * importance)[validated].mean())
                if error < best:
                    best, best_step = error, step
                    kept = {name: value.detach().clone() for name, value in weights.items()}
                elif step - best_step >= PATIENCE:
                    break
            huber = torch.nn.functional.huber_loss(
                errors, torch.zeros_like(errors), delta=_HUBER, reduction="none"
            )
            loss = _GAIN * (huber * importance)[trained].mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
        return {name: value.detach().numpy() for name, value in kept.items()}

    def _initial(self, generator: Any) -> Weights:
        """Gaussian weights and zero biases, such that a node costs about its share of 1."""
        import torch

        made: Weights = {}
        for name, shape in shapes(self.x.shape[1]).items():
            gain = {"embedding": 1.4, "cost": 0.3}.get(name, 0.5)
            is_weight = len(shape) == 2 or name == "cost"
            made[name] = (
                torch.randn(shape, generator=generator) * gain / np.sqrt(shape[0])
                if is_weight
                else torch.zeros(shape)
            )
        made["cost_bias"] -= float(np.log(self.batch.total.sum(axis=1).mean()))
        return {name: value.requires_grad_() for name, value in made.items()}

    def _split(self) -> tuple[Any, Any]:
        import torch

        n = len(self.target)
        order = torch.tensor(np.random.default_rng(self.seed).permutation(n))
        held_out = max(1, round(VALIDATED * n))
        return order[held_out:], order[:held_out]

    def _errors_of(self) -> Any:
        """A function from weights to log(cost / target), `[networks]`."""
        import torch

        x, kind_of = torch.tensor(self.x), torch.tensor(self.batch.kind_of)
        producers, readers, total = map(_sparse, (self.batch.producers, self.batch.readers, self.batch.total))
        logs = torch.tensor(np.log(self.target), dtype=torch.float32)

        def errors(weights: Weights) -> Any:
            costs = torch.exp(log_costs(weights, x, kind_of, producers, readers))
            return torch.log(total @ costs + torch.exp(weights["overhead"] + _OVERHEAD)) - logs

        return errors


def _sparse(matrix: Any) -> Any:
    import torch

    entries = matrix.tocoo()
    places = torch.tensor(np.stack([entries.row, entries.col]).astype(np.int64))
    return torch.sparse_coo_tensor(
        places, torch.tensor(entries.data), entries.shape, check_invariants=True
    ).coalesce()
