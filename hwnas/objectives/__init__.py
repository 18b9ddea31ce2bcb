"""Metrics, constraints and objectives: pure definitions."""

from hwnas.objectives.constraint import Constraint
from hwnas.objectives.metric import Metric, MetricError, MultiFidelityMetric
from hwnas.objectives.objective import Fitness, Objective
from hwnas.objectives.penalties import PENALTIES, Penalty, penalty
from hwnas.objectives.quantity import format_quantity, parse_quantity
from hwnas.objectives.rewards import REWARDS, Reward, reward

__all__ = [
    "PENALTIES",
    "REWARDS",
    "Constraint",
    "Fitness",
    "Metric",
    "MetricError",
    "MultiFidelityMetric",
    "Objective",
    "Penalty",
    "Reward",
    "format_quantity",
    "parse_quantity",
    "penalty",
    "reward",
]
