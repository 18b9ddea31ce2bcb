"""Latency predictors: fitted on measured networks, plain arrays, fast for one network and for many."""

from hwnas.latency.predictors.base import Predictor, UnseenLayersWarning, kinds, predictor_class, register
from hwnas.latency.predictors.gbm import GbmPredictor
from hwnas.latency.predictors.gp import GpPredictor
from hwnas.latency.predictors.linear import LinearPredictor
from hwnas.latency.predictors.lookup import LookupPredictor, MissingBlockError

__all__ = [
    "GbmPredictor",
    "GpPredictor",
    "LinearPredictor",
    "LookupPredictor",
    "MissingBlockError",
    "Predictor",
    "UnseenLayersWarning",
    "kinds",
    "predictor_class",
    "register",
]
