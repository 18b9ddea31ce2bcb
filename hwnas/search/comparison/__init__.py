"""Strategies compared on recorded results: what each finds, after how many trained networks."""

from hwnas.search.comparison.compare import Entry, StrategyComparison, compare
from hwnas.search.comparison.contestants import Contestant, contestants, named, scale
from hwnas.search.comparison.journal import SearchJournal
from hwnas.search.comparison.peers import peers
from hwnas.search.comparison.recorded import SECONDS, RecordedMetric, RecordedSpace, counted, recorded_space
from hwnas.search.comparison.simulate import Search, simulate

__all__ = [
    "SECONDS",
    "Contestant",
    "Entry",
    "RecordedMetric",
    "RecordedSpace",
    "Search",
    "SearchJournal",
    "StrategyComparison",
    "compare",
    "contestants",
    "counted",
    "named",
    "peers",
    "recorded_space",
    "scale",
    "simulate",
]
