"""Training of candidates."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from hwnas.network.weights import Weights, module_weights
from hwnas.search.kept import digest
from hwnas.spaces import Architecture

if TYPE_CHECKING:
    from hwnas.training import TrainingSettings


@dataclass(frozen=True)
class Training:
    """How candidates are trained: data set by name or path, settings, and device (the CPU where None)."""

    data: str
    settings: TrainingSettings
    device: str | None = None

    def digest(self) -> str:
        """What tells two trainings apart."""
        text = json.dumps([self.data, asdict(self.settings), self.device], sort_keys=True, default=str)
        return digest(text)


@dataclass(frozen=True)
class Trained:
    """What a training gives: accuracies (fractions of the images) and weights by parameter name.

    Candidates are compared by the validation accuracy; the test accuracy is only stated.
    """

    validation_accuracy: float
    accuracy: float
    weights: Weights


def train_candidate(architecture: Architecture, training: Training) -> Trained:
    """Train in whatever process this runs in."""
    import torch

    from hwnas.network.to_torch import to_torch
    from hwnas.training import accuracy, load, train

    network = architecture.network
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.settings.seed)
        module = to_torch(network)
    data = load(training.data, resolution=network.inputs[0].shape[-1])
    validation = train(module, data.for_selection(), training.settings, device=training.device).accuracy
    test = accuracy(module, data.test_images, data.test_labels, prepare=data.standardise)
    return Trained(validation, test, module_weights(network, module))
