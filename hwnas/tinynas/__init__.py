"""Choosing a search space for a device before any network is trained.

>>> from hwnas.tinynas import mcunet_grid, select_space
>>> grid = mcunet_grid(widths=(0.3, 0.5), resolutions=(96, 160))
>>> select_space(grid, sram="256kB", flash="1MB", samples=50).best.name
'w0.5-r160'
"""

from hwnas.tinynas.grid import mcunet_grid
from hwnas.tinynas.latency import LatencyMetric
from hwnas.tinynas.limit import Limit
from hwnas.tinynas.sampling import Nearest
from hwnas.tinynas.select import select_space
from hwnas.tinynas.selection import Selection
from hwnas.tinynas.statistics import CRITERIA, SpaceStatistics
from hwnas.tinynas.unmet import NoFeasibleSpaceError

__all__ = [
    "CRITERIA",
    "LatencyMetric",
    "Limit",
    "Nearest",
    "NoFeasibleSpaceError",
    "Selection",
    "SpaceStatistics",
    "mcunet_grid",
    "select_space",
]
