"""Data sets, training, and accuracy as a metric."""

from hwnas.training.augment import Augmentation, augment
from hwnas.training.dataset import DataSet
from hwnas.training.datasets import KNOWN, load
from hwnas.training.deploy import Deployed, deploy_onnx, deploy_tflite
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
    "Deployed",
    "Progress",
    "ReducedAccuracy",
    "Reduction",
    "TrainedAccuracy",
    "TrainingDiverged",
    "TrainingResult",
    "TrainingSettings",
    "accuracy",
    "augment",
    "deploy_onnx",
    "deploy_tflite",
    "learning_rate",
    "load",
    "parameter_groups",
    "train",
]
