"""What a network costs, computed from its description alone."""

from hwnas.cost.count import Counts, NetworkCounts, count

__all__ = ["Counts", "NetworkCounts", "count"]
