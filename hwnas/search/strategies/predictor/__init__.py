"""What predictor-guided strategies share: candidates, their features, targets, and the surrogates."""

from hwnas.search.strategies.predictor.guided import PredictorGuided

__all__ = ["PredictorGuided"]
