"""Search under constraints: strategies, the loop, run folders, verified answers."""

from hwnas.executors import process_pool
from hwnas.search.records import RunRecord, Trial
from hwnas.search.run import Best, Events, NothingFeasibleError, Run, load, run
from hwnas.search.store import CorruptRunError
from hwnas.search.strategies import GeneticSearch, RandomSearch, RegularizedEvolution
from hwnas.search.strategy import STRATEGIES, Proposal, Strategy, register
from hwnas.search.trained import Training

__all__ = [
    "STRATEGIES",
    "Best",
    "CorruptRunError",
    "Events",
    "GeneticSearch",
    "NothingFeasibleError",
    "Proposal",
    "RandomSearch",
    "RegularizedEvolution",
    "Run",
    "RunRecord",
    "Strategy",
    "Training",
    "Trial",
    "load",
    "process_pool",
    "register",
    "run",
]
