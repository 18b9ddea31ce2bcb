"""REINFORCE (Williams, "Simple statistical gradient-following algorithms", Machine Learning 8, 1992)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from hwnas.objectives import Objective, Reward
from hwnas.search.strategies.policy import PolicyGradient, PolicySettings, Sample
from hwnas.search.strategies.policy.sample import Floats
from hwnas.search.strategy import register
from hwnas.spaces import SearchSpace


def reinforce_weights(now: Floats, before: Floats, advantages: Floats) -> Floats:
    """`[n]`: the weight of each gradient of log p: the advantage times p_now / p_before, over n.

    Args:
        now: log-probabilities [n] at the policy that is changed.
        before: log-probabilities [n] at the one that drew.
        advantages: `[n]`.
    """
    return advantages * np.exp(now - before) / len(advantages)


@register("reinforce")
class Reinforce(PolicyGradient):
    """θ ← θ + Adam((r - b)·∇ log p(a)), b a moving average that has r in it already.

    The defaults are those of NAS-Bench-201's baseline (Dong and Yang, ICLR 2020, and the code of
    NATS-Bench, `reinforce.py`): a factorised policy, a learning rate of 0.01, a momentum of 0.9, one
    reward per step, no entropy. For all arguments, and the errors raised, see `PolicySettings`.
    """

    learning_rates: ClassVar = {"factorized": 0.01, "rnn": 0.001}

    def __init__(
        self,
        space: SearchSpace,
        objective: Objective,
        *,
        controller: str = "factorized",
        reward: str | Reward = "hard",
        score: str = "auto",
        learning_rate: float | None = None,
        momentum: float = 0.9,
        entropy: float = 0.0,
        batch: int = 1,
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

    def _learn(self, samples: Sequence[Sample], before: Floats, advantages: Floats, entropy: float) -> None:
        self.controller.ascend(samples, lambda now: reinforce_weights(now, before, advantages), entropy)
