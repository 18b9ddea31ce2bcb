"""Executing a program with less memory: in another order, or in patches."""

from hwnas.cost.scheduling.order import Order, best_order
from hwnas.cost.scheduling.patches import PatchPlan, best_patch_plan, patch_plan, splits

__all__ = ["Order", "PatchPlan", "best_order", "best_patch_plan", "patch_plan", "splits"]
