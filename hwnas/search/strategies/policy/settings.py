"""What REINFORCE and PPO can be told about their policy and how it is taught."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hwnas.objectives import Reward
from hwnas.search.strategies.policy.controller import CONTROLLERS
from hwnas.search.strategies.warm_up import check_warm_up


@dataclass(frozen=True, kw_only=True)
class PolicySettings:
    """Settings that all policy gradients share.

    Attributes:
        controller: `factorized` or `rnn`.
        reward: of accuracy and costs: a name of `hwnas.objectives.REWARDS` with its settings, or a `Reward`.
        score: how the maximised metric becomes an accuracy from 0 to 1, see `Rewarded`.
        learning_rate: of Adam; that of `PolicyGradient.learning_rates` where None.
        momentum: of the baseline, a moving average of the batches' mean rewards.
        entropy: weight of the policy's entropy beside the rewards.
        batch: rewards to wait for before the policy is changed.
        warm_up: number of proposals that the metric `warm_up_by` is maximised by at first.
        warm_up_by: the cheap metric; needed for a warm-up.

    Raises:
        ValueError: a setting that is out of range or unknown.
    """

    controller: str
    reward: str | Reward
    score: str
    learning_rate: float | None
    momentum: float
    entropy: float
    batch: int
    warm_up: int
    warm_up_by: str | None

    def __post_init__(self) -> None:
        if self.controller not in CONTROLLERS:
            raise ValueError(f"unknown controller {self.controller!r}; known: {', '.join(CONTROLLERS)}")
        rate = self.learning_rate
        if rate is not None and not (math.isfinite(rate) and rate > 0):
            raise ValueError(f"learning_rate must be above 0, not {rate}")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum must be at least 0 and below 1, not {self.momentum}")
        if not (math.isfinite(self.entropy) and self.entropy >= 0):
            raise ValueError(f"entropy must be at least 0, not {self.entropy}")
        if self.batch < 1:
            raise ValueError(f"batch must be at least 1, not {self.batch}")
        check_warm_up(self.warm_up, self.warm_up_by)
