"""Rewards by name, as the command line gives them: `soft:alpha=0,beta=-1`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hwnas.objectives.by_name import by_name
from hwnas.objectives.rewards.base import Reward
from hwnas.objectives.rewards.chamnet import Penalized
from hwnas.objectives.rewards.lagrangian import Lagrangian
from hwnas.objectives.rewards.monas import AccuracyConstrained, Mixed
from hwnas.objectives.rewards.product import Hard, Soft
from hwnas.objectives.rewards.sums import Absolute, Weighted

REWARDS: dict[str, Callable[..., Reward]] = {
    "hard": Hard,
    "soft": Soft,
    "mnasnet_hard": partial(Soft, alpha=0.0, beta=-1.0),
    "proxylessnas": partial(Soft, alpha=-0.1, beta=-0.1),
    "weighted": Weighted,
    "absolute": Absolute,
    "monas_mixed": Mixed,
    "monas_power": Hard,
    "monas_accuracy": AccuracyConstrained,
    "chamnet": Penalized,
    "lagrangian": Lagrangian,
}

PAPERS = {
    "hard": "an indicator; as MONAS's power-constrained reward",
    "soft": "MnasNet (Tan et al., CVPR 2019), equation 2",
    "mnasnet_hard": "MnasNet (Tan et al., CVPR 2019), equation 3",
    "proxylessnas": "ProxylessNAS (Cai et al., ICLR 2019)",
    "weighted": "weighted sum of accuracy and slack",
    "absolute": "TuNAS (Bender et al., CVPR 2020), section 4",
    "monas_mixed": "MONAS (Hsu et al., 2018)",
    "monas_power": "MONAS (Hsu et al., 2018)",
    "monas_accuracy": "MONAS (Hsu et al., 2018)",
    "chamnet": "ChamNet (Dai et al., CVPR 2019)",
    "lagrangian": "Boyd and Vandenberghe, 2004, chapter 5; Tessler et al., ICLR 2019, equation 7",
}
"""Of the rewards, by name."""


def reward(text: str) -> Reward:
    """The reward called `text`: a name of `REWARDS`, which may end in `:setting=number,...`.

    Raises:
        ValueError: an unknown name or setting, or a setting out of range; says what would be right.
    """
    return by_name("reward", REWARDS, text)
