"""NSGA-II: sorting into fronts, crowding, selection, and the strategy made of them."""

from hwnas.search.strategies.nsga2.front import front
from hwnas.search.strategies.nsga2.strategy import NSGA2

__all__ = ["NSGA2", "front"]
