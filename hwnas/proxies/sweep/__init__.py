"""Scores of many architectures: isomorphic ones scored once, on any executor, resumed when interrupted."""

from hwnas.proxies.sweep.settings import SweepSettings
from hwnas.proxies.sweep.sweep import score_architectures
from hwnas.proxies.sweep.table import ScoreTable

__all__ = ["ScoreTable", "SweepSettings", "score_architectures"]
