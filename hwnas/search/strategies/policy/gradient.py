"""What REINFORCE and PPO share: a controller that draws, and is taught by the rewards of its draws."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from hwnas.objectives import Objective, Reward
from hwnas.objectives import reward as reward_of
from hwnas.search.strategies.candidates import first_feasible
from hwnas.search.strategies.policy.activity import active_decisions
from hwnas.search.strategies.policy.baseline import Baseline
from hwnas.search.strategies.policy.controller import CONTROLLERS, make_controller
from hwnas.search.strategies.policy.rewarded import Rewarded
from hwnas.search.strategies.policy.sample import Floats, Sample
from hwnas.search.strategy import Proposal, Strategy
from hwnas.spaces import Architecture, SearchSpace


class _Told(NamedTuple):
    sample: Sample
    log_probability: float
    maximize: str
    reward: float


class PolicyGradient(Strategy):
    """A policy over the decisions, moved towards the architectures whose reward is above the average.

    Draws that are no valid architecture, or break a cheap constraint, are drawn again, `TRIES` times at
    most; then the nearest to the bounds is proposed, and a uniform draw where none was valid. So the
    policy is the controller's distribution given that these hold. The gradient leaves out that condition's
    own probability: it does not depend on the architecture, and what does not has an expectation of 0
    where the baseline is the mean reward.

    A reward may come after the policy has changed (`Strategy`: several proposals are under way). Its
    gradient is taken at the policy of then and weighted by how much more probable the architecture has
    become since it was drawn, which keeps its expectation right; with one proposal under way the weight is 1.

    Failed trials teach nothing. Decisions without effect (`SearchSpace.effective`) are not the policy's
    doing: their log-probability, entropy and gradient are left out.

    Args:
        space: where to search.
        objective: what for; its constraints' bounds are those of the reward.
        controller: `factorized` or `rnn`.
        reward: of accuracy and costs: a name of `hwnas.objectives.REWARDS` with its settings, or a `Reward`.
        score: how the maximised metric becomes an accuracy from 0 to 1, see `Rewarded`.
        learning_rate: of Adam; that of `learning_rates` where None.
        momentum: of the baseline, a moving average of the batches' mean rewards.
        entropy: weight of the policy's entropy beside the rewards.
        batch: rewards to wait for before the policy is changed.
        warm_up: number of proposals that the metric `warm_up_by` is maximised by at first (Abdelfattah et
            al., "Zero-Cost Proxies for Lightweight NAS", ICLR 2021).
        warm_up_by: the cheap metric; needed for a warm-up. It has a baseline of its own.
        seed: of all draws.

    Attributes:
        learning_rates: the default of each controller.

    Raises:
        ValueError: a setting that is out of range or unknown.
    """

    learning_rates: ClassVar[Mapping[str, float]]

    def __init__(
        self,
        space: SearchSpace,
        objective: Objective,
        *,
        controller: str,
        reward: str | Reward,
        score: str,
        learning_rate: float | None,
        momentum: float,
        entropy: float,
        batch: int,
        warm_up: int,
        warm_up_by: str | None,
        seed: int,
    ) -> None:
        super().__init__(space, objective, seed=seed)
        if controller not in CONTROLLERS:
            raise ValueError(f"unknown controller {controller!r}; known: {', '.join(CONTROLLERS)}")
        rate = self.learning_rates[controller] if learning_rate is None else learning_rate
        _check(rate, momentum, entropy, batch, warm_up, warm_up_by)
        self.momentum, self.entropy, self.batch = momentum, entropy, batch
        self.warm_up, self.warm_up_by = warm_up, warm_up_by
        self._rewarded = Rewarded(objective, reward_of(reward) if isinstance(reward, str) else reward, score)
        self._settings = {
            "controller": controller,
            "reward": repr(self._rewarded.reward),
            "score": score,
            "learning_rate": rate,
            "momentum": momentum,
            "entropy": entropy,
            "batch": batch,
            "warm_up": warm_up,
            "warm_up_by": warm_up_by,
        }
        self._generator = np.random.default_rng(seed)
        self.controller = make_controller(controller, space, learning_rate=rate, generator=self._generator)
        self._asked = 0
        self._waiting: deque[tuple[Architecture, Sample, float]] = deque()
        self._told: list[_Told] = []
        self._baselines: dict[str, Baseline] = {}

    @abstractmethod
    def _learn(self, samples: Sequence[Sample], before: Floats, advantages: Floats) -> None:
        """Change the policy.

        Args:
            samples: what was drawn, n of them.
            before: `[n]`: log-probabilities when they were drawn.
            advantages: `[n]`: rewards less their baseline.
        """

    def settings(self) -> Mapping[str, Any]:
        """All but the seed."""
        return self._settings

    @property
    def reward(self) -> Reward:
        """The reward as it is now; a `Lagrangian` changes."""
        return self._rewarded.reward

    def probability(self, architecture: Architecture) -> float:
        """With which the controller draws `architecture`, before any constraint or validity."""
        return math.exp(self.controller.log_probabilities([self._sample(architecture)])[0])

    @property
    def beforehand(self) -> int:
        """The warm-up."""
        return self.warm_up

    def ask(self) -> Proposal:
        """A draw of the policy."""
        architecture = first_feasible(self._drawn, self.screen, ()) or self.space.random(self._generator)
        sample = self._sample(architecture)
        log_probability = float(self.controller.log_probabilities([sample])[0])
        self._waiting.append((architecture, sample, log_probability))
        self._asked += 1
        by_proxy = self.warm_up_by is not None and self._asked <= self.warm_up
        return Proposal(architecture, str(self.warm_up_by) if by_proxy else self.objective.maximize)

    def tell(self, proposal: Proposal, metrics: Mapping[str, float]) -> None:
        """A reward; the policy changes once a batch of them is complete.

        Raises:
            ValueError: results that come in another order than they were asked in, or a maximised metric
                that is not what `score` says.
        """
        if not self._waiting or self._waiting[0][0] != proposal.architecture:
            raise ValueError(f"{proposal.architecture} is not the next that a result is expected of")
        _, sample, log_probability = self._waiting.popleft()
        reward = self._rewarded(metrics, proposal.maximize, is_fraction=self._is_fraction)
        if reward is None:
            return
        self._told.append(_Told(sample, log_probability, proposal.maximize, reward))
        if len(self._told) == self.batch:
            told, self._told = self._told, []
            self._learn(
                [one.sample for one in told],
                np.array([one.log_probability for one in told]),
                self._advantages(told),
            )

    def _advantages(self, told: Sequence[_Told]) -> Floats:
        """`[n]`: rewards less the baseline of their metric, with this batch's mean already in it."""
        by_metric: dict[str, list[float]] = {}
        for one in told:
            by_metric.setdefault(one.maximize, []).append(one.reward)
        baselines = {
            name: self._baselines.setdefault(name, Baseline(self.momentum)).updated(sum(found) / len(found))
            for name, found in by_metric.items()
        }
        return np.array([one.reward - baselines[one.maximize] for one in told])

    @property
    def _is_fraction(self) -> bool:
        """Whether the maximised metric is one: by its unit, or its name where a run does not tell."""
        known = self.screen.metrics.get(self.objective.maximize) if self.screen else None
        return (known is not None and known.unit == "fraction") or self.objective.maximize.endswith(
            "accuracy"
        )

    def _drawn(self) -> Architecture | None:
        """A draw of the controller; None where it is not valid."""
        encoding = self.space.effective(self.controller.draw(self._generator))
        architecture = Architecture(self.space, encoding)
        return architecture if self.space.is_valid(architecture) else None

    def _sample(self, architecture: Architecture) -> Sample:
        return Sample(architecture.encoding, active_decisions(self.space, architecture.encoding))


def _check(
    learning_rate: float, momentum: float, entropy: float, batch: int, warm_up: int, warm_up_by: str | None
) -> None:
    if not (math.isfinite(learning_rate) and learning_rate > 0):
        raise ValueError(f"learning_rate must be above 0, not {learning_rate}")
    if not 0 <= momentum < 1:
        raise ValueError(f"momentum must be at least 0 and below 1, not {momentum}")
    if not (math.isfinite(entropy) and entropy >= 0):
        raise ValueError(f"entropy must be at least 0, not {entropy}")
    if batch < 1:
        raise ValueError(f"batch must be at least 1, not {batch}")
    if warm_up < 0:
        raise ValueError(f"warm_up must be at least 0, not {warm_up}")
    if bool(warm_up) != bool(warm_up_by):
        raise ValueError("warm_up needs warm_up_by, the metric to score by, and the other way round")
