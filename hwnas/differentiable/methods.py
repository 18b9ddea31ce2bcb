"""The published searches by gradients: what they draw, how they step, when they begin.

`share` is always the part of the search that is done, from 0 to 1. Each method has its paper's settings; its
fields are what a person changes, `darts:order=2,rate=0.01`. The rates are for the papers' searches of
thousands of steps: where there are hundreds, logits need greater ones to get anywhere.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from hwnas.differentiable.supernet.relaxations import Logits, Relaxed, gumbel_softmax, softmax, two_paths
from hwnas.objectives.by_name import by_name


@dataclass(frozen=True)
class Method(ABC):
    """A search by gradients.

    Attributes:
        rate: of Adam on the logits.
        weight_rate: of SGD on the weights at its start; it falls along a cosine to `floor` times as much.
        betas, decay: Adam's, and its weight decay.
        floor, momentum, nesterov, weight_decay, clip: SGD's; `clip` is the highest norm of its gradient.
        validation_share: of the train images, held out for the logits.
        warm_up: share of the epochs in which the logits stay as they are.
        every: steps of the weights for each step of the logits.
        uses_auxiliary: whether supernets get skips beside the mixtures, see `auxiliary`.

    Raises:
        ValueError: a rate that is not above 0.
    """

    rate: float = 3e-4
    weight_rate: float = 0.025
    betas: ClassVar[tuple[float, float]] = (0.5, 0.999)
    decay: ClassVar[float] = 1e-3
    floor: ClassVar[float] = 0.04
    momentum: ClassVar[float] = 0.9
    nesterov: ClassVar[bool] = False
    weight_decay: ClassVar[float] = 3e-4
    clip: ClassVar[float] = 5.0
    validation_share: ClassVar[float] = 0.5
    warm_up: ClassVar[float] = 0.0
    every: ClassVar[int] = 1
    uses_auxiliary: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for name, value in (("rate", self.rate), ("weight_rate", self.weight_rate)):
            if not 0 < value < math.inf:
                raise ValueError(f"{name} must be a finite number above 0, not {value:g}")

    @abstractmethod
    def for_weights(self, logits: Logits, share: float, rng: np.random.Generator) -> Relaxed:
        """What a step of the weights mixes."""

    def for_logits(self, logits: Logits, share: float, rng: np.random.Generator) -> Relaxed:
        """What a step of the logits mixes, as a step of the weights does unless a method says otherwise."""
        return self.for_weights(logits, share, rng)

    def priced(self, logits: Logits, drawn: Relaxed) -> Mapping[str, Tensor]:
        """The probabilities at which costs are expected: the softmax of the logits, whatever was drawn."""
        return softmax(logits).probabilities

    def settle(self, logits: Logits, before: Logits, drawn: Relaxed) -> None:  # noqa: B027
        """Correct the logits in place after a step from `before` on what was drawn; most methods do not."""

    @property
    def looks_ahead(self) -> bool:
        """Whether a step of the logits looks ahead by a step of the weights: second order."""
        return False

    def temperature(self, share: float) -> float | None:
        """That of the relaxation; None where it has none."""
        return None

    def auxiliary(self, share: float) -> float:
        """What the auxiliary skips count for."""
        return 0.0

    def weight_rate_at(self, share: float) -> float:
        """SGD's rate: half a cosine from `weight_rate` to `floor` times that (arXiv:1608.03983)."""
        lowest = self.floor * self.weight_rate
        return lowest + (self.weight_rate - lowest) * (1 + math.cos(math.pi * share)) / 2


@dataclass(frozen=True)
class DARTS(Method):
    """Liu et al., "DARTS: Differentiable Architecture Search", ICLR 2019, section 2.3 and appendix A.1.1.

    Raises:
        ValueError: an `order` other than 1 and 2.
    """

    order: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.order not in (1, 2):
            raise ValueError(f"order must be 1 or 2, not {self.order:g}")

    @property
    def looks_ahead(self) -> bool:
        """Where the order is 2."""
        return self.order == 2

    def for_weights(self, logits: Logits, share: float, rng: np.random.Generator) -> Relaxed:
        """Everything at once."""
        return softmax(logits)


@dataclass(frozen=True)
class DARTSMinus(DARTS):
    """Chu et al., "DARTS-: Robustly Stepping out of Performance Collapse Without Indicators", ICLR 2021.

    A skip beside every mixture takes over what skips do for training, β·x, with β from 1 to 0 (equations 7
    and 8); so the skip among the candidates is preferred for itself only.
    """

    uses_auxiliary: ClassVar[bool] = True

    def auxiliary(self, share: float) -> float:
        """Β: linear from 1 to 0."""
        return 1 - share


@dataclass(frozen=True)
class GDAS(Method):
    """Dong and Yang, "Searching for a Robust Neural Architecture in Four GPU Hours", CVPR 2019.

    One candidate of each mixture at a time; the temperature falls in a line from 10 to 0.1. Rates, decays and
    Nesterov's momentum are of NAS-Bench-201 (Dong and Yang, ICLR 2020).
    """

    nesterov: ClassVar[bool] = True
    weight_decay: ClassVar[float] = 5e-4

    def for_weights(self, logits: Logits, share: float, rng: np.random.Generator) -> Relaxed:
        """The greatest after Gumbel noise."""
        return gumbel_softmax(logits, rng, temperature=self.temperature(share), hard=True)

    def temperature(self, share: float) -> float:
        """From 10 to 0.1."""
        return 10 - 9.9 * share


@dataclass(frozen=True)
class FBNetSearch(Method):
    """Wu et al., "FBNet: Hardware-Aware Efficient ConvNet Design via Differentiable NAS", CVPR 2019.

    All candidates at once, mixed by Gumbel noise. The temperature falls from 5 by exp(-0.045) an epoch, for
    90 epochs, in the first tenth of which the logits stay. The logits learn from a fifth of the images, which
    they pass as often as the weights pass theirs. Costs are expected of what is drawn (equation 6).
    """

    rate: float = 0.01
    weight_rate: float = 0.1
    betas: ClassVar[tuple[float, float]] = (0.9, 0.999)
    decay: ClassVar[float] = 5e-4
    floor: ClassVar[float] = 0.0
    weight_decay: ClassVar[float] = 1e-4
    validation_share: ClassVar[float] = 0.2
    warm_up: ClassVar[float] = 0.1
    every: ClassVar[int] = 4

    def for_weights(self, logits: Logits, share: float, rng: np.random.Generator) -> Relaxed:
        """The softmax after Gumbel noise."""
        return gumbel_softmax(logits, rng, temperature=self.temperature(share))

    def priced(self, logits: Logits, drawn: Relaxed) -> Mapping[str, Tensor]:
        """What was drawn."""
        return drawn.probabilities

    def temperature(self, share: float) -> float:
        """From 5 to 0.087."""
        return 5 * math.exp(-0.045 * 90 * share)


@dataclass(frozen=True)
class ProxylessNASSearch(Method):
    """Cai et al., "ProxylessNAS: Direct Neural Architecture Search on Target Task and Hardware", ICLR 2019.

    The weights are trained on one path, drawn by the probabilities; before each fifth of their steps there is
    one of the logits, on two paths. The logits stay for 40 of 160 epochs (the released settings).
    """

    rate: float = 1e-3
    betas: ClassVar[tuple[float, float]] = (0.0, 0.999)
    decay: ClassVar[float] = 0.0
    floor: ClassVar[float] = 0.0
    nesterov: ClassVar[bool] = True
    weight_decay: ClassVar[float] = 4e-5
    validation_share: ClassVar[float] = 0.1
    warm_up: ClassVar[float] = 0.25
    every: ClassVar[int] = 5

    def for_weights(self, logits: Logits, share: float, rng: np.random.Generator) -> Relaxed:
        """One path: the greatest after Gumbel noise has the probabilities of the softmax."""
        return gumbel_softmax(logits, rng, temperature=1.0, hard=True)

    def for_logits(self, logits: Logits, share: float, rng: np.random.Generator) -> Relaxed:
        """Two paths, of which one is passed on."""
        return two_paths(logits, rng)

    def settle(self, logits: Logits, before: Logits, drawn: Relaxed) -> None:
        """Shift the two sampled logits so that together they are as probable as before (section 3.2.1).

        What was not sampled then keeps its probability, but for what the penalty's gradient moves.
        """
        for group, values in logits.items():
            two = drawn.active[group]
            values[two] -= values[two].logsumexp(0) - before[group][two].logsumexp(0)


METHODS: dict[str, type[Method]] = {
    "darts": DARTS,
    "darts_minus": DARTSMinus,
    "gdas": GDAS,
    "fbnet": FBNetSearch,
    "proxylessnas": ProxylessNASSearch,
}


def method(text: str) -> Method:
    """The method called `text`: a name of `METHODS`, which may end in `:setting=number,...`.

    Raises:
        ValueError: an unknown name or setting, or a setting out of range; says what would be right.
    """
    return by_name("method", METHODS, text)
