"""Latency predictors: fitted on measured networks, plain arrays, fast for one network and for many."""

from hwnas.latency.predictors.base import Predictor, UnseenLayersWarning, kinds, predictor_class, register
from hwnas.latency.predictors.gbm import GbmPredictor
from hwnas.latency.predictors.gcn import GcnPredictor
from hwnas.latency.predictors.gp import GpPredictor
from hwnas.latency.predictors.kernel import KernelPredictor
from hwnas.latency.predictors.linear import LinearPredictor
from hwnas.latency.predictors.lookup import LookupPredictor
from hwnas.latency.predictors.neighbours import InterpolatedWarning
from hwnas.latency.predictors.parts import MissingBlockError, PartsPredictor

__all__ = [
    "GbmPredictor",
    "GcnPredictor",
    "GpPredictor",
    "InterpolatedWarning",
    "KernelPredictor",
    "LinearPredictor",
    "LookupPredictor",
    "MissingBlockError",
    "PartsPredictor",
    "Predictor",
    "UnseenLayersWarning",
    "kinds",
    "predictor_class",
    "register",
]
