"""What the workers of a sweep do: nothing but pure functions of architectures and a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from hwnas.network.untrained import untrained_form
from hwnas.proxies.result import ProxyResult
from hwnas.proxies.untrained import count_network, score_form
from hwnas.spaces import Architecture


@dataclass(frozen=True)
class Score:
    """A value, why it is not finite (None exactly when it is), and what its reader must know."""

    value: float
    reason: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Batch:
    """Images (B, ...) and labels (B,), and the seed of the initialisation."""

    inputs: Tensor
    targets: Tensor
    seed: int


def keys_of(architectures: Sequence[Architecture]) -> list[str]:
    """The key of each architecture's untrained form."""
    return [untrained_form(architecture.network).key for architecture in architectures]


def counts_of(architecture: Architecture, names: Sequence[str]) -> dict[str, Score]:
    """The proxies that are counts of the whole network."""
    counts = count_network(architecture.network)
    return {name: _score(counts[name]) for name in names}


def scores_of(
    architectures: Sequence[Architecture], proxies: Sequence[str], batch: Batch
) -> list[dict[str, Score]]:
    """The scores of each architecture's untrained form.

    Raises:
        ValueError: as `hwnas.proxies.score`; the message names the architecture.
        MemoryError: the batch does not fit; it is never split, which would change the scores.
    """
    found = []
    for architecture in architectures:
        form = untrained_form(architecture.network)
        try:
            results = score_form(form, proxies, batch.inputs, batch.targets, seed=batch.seed)
        except ValueError as error:
            raise ValueError(f"{architecture}: {error}") from error
        found.append({name: _score(result) for name, result in results.items()})
    return found


def _score(result: ProxyResult) -> Score:
    return Score(result.value, result.reason, result.note)
