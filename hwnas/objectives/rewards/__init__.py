"""Rewards: pure functions of accuracy, costs and constraints."""

from hwnas.objectives.rewards.base import Reward
from hwnas.objectives.rewards.chamnet import Penalized
from hwnas.objectives.rewards.lagrangian import Lagrangian
from hwnas.objectives.rewards.monas import AccuracyConstrained, Mixed
from hwnas.objectives.rewards.product import Hard, Soft
from hwnas.objectives.rewards.registry import REWARDS, reward
from hwnas.objectives.rewards.sums import Absolute, Weighted

__all__ = [
    "REWARDS",
    "Absolute",
    "AccuracyConstrained",
    "Hard",
    "Lagrangian",
    "Mixed",
    "Penalized",
    "Reward",
    "Soft",
    "Weighted",
    "reward",
]
