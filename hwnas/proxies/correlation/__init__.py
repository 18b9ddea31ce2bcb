"""How well a proxy ranks networks, judged by their true accuracy.

    found = correlate(scores, truth)
    found.spearman.value, found.spearman.low, found.coverage

`correlate` judges one proxy; `compare` joins columns of scores with a truth and judges each. Every figure is
a function of ranks alone, so it is the same for a score and for its logarithm. Figures that different papers
call by one name are kept apart: Spearman's and Kendall's coefficients, the share of pairs in the right order,
and each of them over the architectures that have a score or over all, the undefined ranked last.
"""

from hwnas.proxies.correlation.comparison import Comparison, Judged, Table, compare
from hwnas.proxies.correlation.correlate import Correlation, correlate
from hwnas.proxies.correlation.statistic import Statistic

__all__ = ["Comparison", "Correlation", "Judged", "Statistic", "Table", "compare", "correlate"]
