"""Data sets, training, and accuracy as a metric."""

from hwnas.training.augment import Augmentation, augment
from hwnas.training.dataset import DataSet
from hwnas.training.datasets import KNOWN, load
from hwnas.training.evaluate import accuracy
from hwnas.training.loop import train
from hwnas.training.metric import TrainedAccuracy
from hwnas.training.reduced import ReducedAccuracy, Reduction
from hwnas.training.result import Progress, TrainingDiverged, TrainingResult
from hwnas.training.schedule import learning_rate, parameter_groups
from hwnas.training.settings import TrainingSettings

__all__ = [
    "KNOWN",
    "Augmentation",
    "DataSet",
    "Progress",
    "ReducedAccuracy",
    "Reduction",
    "TrainedAccuracy",
    "TrainingDiverged",
    "TrainingResult",
    "TrainingSettings",
    "accuracy",
    "augment",
    "learning_rate",
    "load",
    "parameter_groups",
    "train",
]
