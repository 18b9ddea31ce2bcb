"""Penalties: pure functions of a loss, expected costs and constraints, differentiable in loss and costs."""

from hwnas.objectives.penalties.base import Penalty
from hwnas.objectives.penalties.lagrangian import Lagrangian
from hwnas.objectives.penalties.product import Product
from hwnas.objectives.penalties.registry import PENALTIES, penalty
from hwnas.objectives.penalties.sums import Hinge, Ratio

__all__ = ["PENALTIES", "Hinge", "Lagrangian", "Penalty", "Product", "Ratio", "penalty"]
