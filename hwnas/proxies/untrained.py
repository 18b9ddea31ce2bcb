"""Scores of networks at their initialisation: one seed, one batch, isomorphic networks alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from hwnas.cost import count
from hwnas.network.network import Network
from hwnas.network.to_torch import to_torch
from hwnas.network.untrained import UntrainedForm, is_disconnected, untrained_form
from hwnas.proxies.isolation import isolated
from hwnas.proxies.score import score
from hwnas.proxies.stages import stages_at
from hwnas.threads import one_torch_thread

COUNTED = ("params", "flops", "live_params", "live_flops")
DISCONNECTED = "disconnected: the outputs do not depend on the inputs"


@dataclass(frozen=True)
class Score:
    """A value, why it is not finite (None exactly when it is), and what its reader must know."""

    value: float
    reason: str | None = None
    note: str | None = None


def whole_counts(network: Network) -> dict[str, Score]:
    """The proxies that depend on dead layers too, and need no module."""
    counts = count(network)
    return {
        "params": Score(float(counts.whole.params)),
        "flops": Score(float(counts.whole.flops)),
        "live_params": Score(float(counts.live.params)),
        "live_flops": Score(float(counts.live.flops)),
    }


def score_form(
    form: UntrainedForm, proxies: Sequence[str], inputs: Tensor, targets: Tensor, *, seed: int
) -> dict[str, Score]:
    """Score the module of an untrained form, in train mode, initialised by torch's defaults from `seed`.

    Args:
        form: of the network, see `hwnas.network.untrained`.
        proxies: names.
        inputs: images (B, ...), float32.
        targets: labels (B,).
        seed: of the initialisation and of what the module and the proxies draw.

    Returns:
        By name; all undefined for a network that is disconnected, which is not built.

    Raises:
        ValueError: as `hwnas.proxies.score`.
    """
    if is_disconnected(form.network):
        return {name: Score(math.nan, DISCONNECTED) for name in proxies}
    with one_torch_thread():
        with isolated(seed, inputs.device):
            module = to_torch(form.network).train().to(inputs.device)
        results = score(
            module,
            inputs,
            targets,
            proxies,
            network=form.network,
            stages=stages_at(form.network, form.stages),
            seed=seed,
        )
    return {name: Score(result.value, result.reason, result.note) for name, result in results.items()}


def score_network(
    network: Network, proxies: Sequence[str], inputs: Tensor, targets: Tensor, *, seed: int = 0
) -> dict[str, Score]:
    """Score an untrained network: what an untrained module of it cannot be told from scores the same.

    `params` and `flops` are those of the whole network; all else is computed on its live layers. Arguments,
    errors and result as `score_form`.
    """
    counted = whole_counts(network) if set(proxies) & set(COUNTED) else {}
    others = [name for name in proxies if name not in COUNTED]
    scored = score_form(untrained_form(network), others, inputs, targets, seed=seed) if others else {}
    return {name: (counted | scored)[name] for name in proxies}

