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


def reward(text: str) -> Reward:
    """The reward called `text`: a name of `REWARDS`, which may end in `:setting=number,...`.

    Raises:
        ValueError: an unknown name or setting, or a setting out of range; says what would be right.
    """
    return by_name("reward", REWARDS, text)
