"""Scores of networks at their initialisation: one seed, one batch, isomorphic networks alike."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from hwnas.cost import count
from hwnas.network.network import Network
from hwnas.network.to_torch import to_torch
from hwnas.network.untrained import UntrainedForm, is_disconnected, untrained_form
from hwnas.proxies.isolation import isolated
from hwnas.proxies.registry import get
from hwnas.proxies.result import ProxyResult
from hwnas.proxies.score import score
from hwnas.proxies.stages import stages_at
from hwnas.threads import one_torch_thread

COUNTED = ("params", "flops", "live_params", "live_flops")
DISCONNECTED = "disconnected: the outputs do not depend on the inputs"


def score_network(
    network: Network, proxies: Sequence[str], inputs: Tensor, targets: Tensor, *, seed: int = 0
) -> dict[str, ProxyResult]:
    """Score an untrained network: networks whose untrained modules cannot be told apart score alike.

    `params` and `flops` are those of the whole network; all else is computed on its live layers, in train
    mode, initialised by torch's defaults.

    Args:
        network: what to score.
        proxies: names.
        inputs: images (B, ...), float32.
        targets: labels (B,).
        seed: of the initialisation, and of what the module and the proxies draw.

    Returns:
        By name; all but the counts are undefined where the network is disconnected, which is not built.

    Raises:
        ValueError: as `hwnas.proxies.score`.
    """
    others = [name for name in proxies if name not in COUNTED]
    found = count_network(network) if len(others) < len(proxies) else {}
    if others:
        found |= score_form(untrained_form(network), others, inputs, targets, seed=seed)
    return {name: found[name] for name in proxies}


def count_network(network: Network) -> dict[str, ProxyResult]:
    """The proxies `COUNTED`, which need no module."""
    counts = count(network)
    return {
        "params": _plain("params", counts.whole.params),
        "flops": _plain("flops", counts.whole.flops),
        "live_params": _plain("live_params", counts.live.params),
        "live_flops": _plain("live_flops", counts.live.flops),
    }


def score_form(
    form: UntrainedForm, proxies: Sequence[str], inputs: Tensor, targets: Tensor, *, seed: int
) -> dict[str, ProxyResult]:
    """Score the module of an untrained form; arguments, result and errors as `score_network`."""
    if is_disconnected(form.network):
        return {name: _plain(name, math.nan, DISCONNECTED) for name in proxies}
    with one_torch_thread():
        with isolated(seed, inputs.device):
            module = to_torch(form.network).train().to(inputs.device)
        stages = stages_at(form.network, form.stages)
        return score(module, inputs, targets, proxies, network=form.network, stages=stages, seed=seed)


def _plain(name: str, value: float, reason: str | None = None) -> ProxyResult:
    return ProxyResult(
        proxy=name,
        value=float(value),
        higher_is_better=get(name).higher_is_better,
        mode="none",
        dtype="int",
        seconds=0.0,
        reason=reason,
        layers_used=0,
        layers_skipped=(),
    )
