"""Proximal policy optimisation (Schulman et al., "Proximal Policy Optimization Algorithms", 2017)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from hwnas.objectives import Objective, Reward
from hwnas.search.strategies.policy import PolicyGradient, PolicySettings, Sample
from hwnas.search.strategies.policy.sample import Floats
from hwnas.search.strategy import register
from hwnas.spaces import SearchSpace


def ppo_weights(now: Floats, before: Floats, advantages: Floats, clip: float) -> Floats:
    """`[n]`: the weight of each gradient of log p in that of the clipped surrogate, equation 7.

    The surrogate is the mean of min(ρ·A, clamp(ρ, 1-ε, 1+ε)·A) with ρ = p_now / p_before; it is flat, so
    the weight is 0, where ρ has gone beyond the clamp in the direction of the advantage.

    Args:
        now: log-probabilities [n] at the policy that is changed.
        before: log-probabilities [n] at the one that drew.
        advantages: A, `[n]`.
        clip: ε.
    """
    ratios = np.exp(now - before)
    is_flat = np.where(advantages > 0, ratios > 1 + clip, ratios < 1 - clip)
    return np.where(is_flat, 0.0, advantages * ratios) / len(advantages)


@register("ppo")
class PPO(PolicyGradient):
    """Several steps on each batch; a draw no longer counts once its probability has changed by `clip`.

    MnasNet (Tan et al., CVPR 2019) searches by it, with the controller and the settings of NASNet (Zoph et
    al., CVPR 2018, appendix A): an LSTM, batches of 20, a baseline of momentum 0.95. Their learning rate of
    0.00035 and entropy weight of 0.00001 are for some 8000 trained networks; the defaults are those that
    found the best networks of NAS-Bench-201 within 300, of a few tried. With their entropy weight a policy
    that was warmed up draws the same 100 networks over and over.

    Args:
        space: where to search.
        objective: what for.
        controller: this and the others that are not listed, as `PolicySettings`.
        clip: by how much a probability may change, relatively.
        epochs: steps on each batch.
        seed: of all draws.

    Raises:
        ValueError: a setting that is out of range or unknown.
    """

    learning_rates: ClassVar = {"factorized": 0.1, "rnn": 0.003}

    def __init__(
        self,
        space: SearchSpace,
        objective: Objective,
        *,
        controller: str = "rnn",
        reward: str | Reward = "hard",
        score: str = "auto",
        learning_rate: float | None = None,
        momentum: float = 0.95,
        entropy: float = 0.003,
        batch: int = 20,
        clip: float = 0.2,
        epochs: int = 5,
        warm_up: int = 0,
        warm_up_by: str | None = None,
        seed: int = 0,
    ) -> None:
        policy = PolicySettings(
            controller=controller,
            reward=reward,
            score=score,
            learning_rate=learning_rate,
            momentum=momentum,
            entropy=entropy,
            batch=batch,
            warm_up=warm_up,
            warm_up_by=warm_up_by,
        )
        super().__init__(space, objective, policy, seed)
        if not 0 < clip < 1:
            raise ValueError(f"clip must be above 0 and below 1, not {clip}")
        if epochs < 1:
            raise ValueError(f"epochs must be at least 1, not {epochs}")
        self.clip, self.epochs = clip, epochs

    def settings(self) -> Mapping[str, Any]:
        """All but the seed."""
        return {**super().settings(), "clip": self.clip, "epochs": self.epochs}

    def _learn(self, samples: Sequence[Sample], before: Floats, advantages: Floats, entropy: float) -> None:
        for _ in range(self.epochs):
            self.controller.ascend(
                samples, lambda now: ppo_weights(now, before, advantages, self.clip), entropy
            )
