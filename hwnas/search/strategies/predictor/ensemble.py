"""An ensemble of small networks, trained together in NumPy."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hwnas.search.strategies.predictor.adamw import adamw
from hwnas.search.strategies.predictor.features import Floats

MEMBERS, HIDDEN = 5, 32
STEPS, LEARNING_RATE, WEIGHT_DECAY = 150, 0.02, 1e-3

LossGradient = Callable[[Floats, Floats], Floats]
"""Of outputs `[members, n]` and targets `[n]`, the gradient of each member's loss, `[members, n]`."""


def squared_error(outputs: Floats, targets: Floats) -> Floats:
    """Gradient of the mean of (output − target)² / 2."""
    return (outputs - targets) / len(targets)


def pairwise(outputs: Floats, targets: Floats) -> Floats:
    """Gradient of the mean over pairs of −log σ(s_a − s_b), a the better one: a binary relation.

    It is learned from the scores' difference, so that the relation is transitive.
    """
    better = np.sign(targets[:, None] - targets)
    pairs = max(1.0, float((better > 0).sum()))
    gaps = np.clip(better * (outputs[:, :, None] - outputs[:, None, :]), -30, 30)
    return np.asarray(-(better / (1 + np.exp(gaps))).sum(axis=2) / pairs)


@dataclass(frozen=True)
class Ensemble:
    """Networks of two hidden layers with ReLUs; `weights` and `biases` of the three layers, by member."""

    weights: tuple[Floats, Floats, Floats]
    biases: tuple[Floats, Floats, Floats]

    def __call__(self, inputs: Floats) -> Floats:
        """`[n, d] -> [members, n]`."""
        return _forward(self.weights, self.biases, inputs)[-1][:, :, 0]


def train(inputs: Floats, targets: Floats, loss: LossGradient, generator: np.random.Generator) -> Ensemble:
    """Members that differ in their initial weights; Adam with decay on everything at once.

    Args:
        inputs: `[n, d]`.
        targets: `[n]`, of the order of 1.
        loss: what the gradient is of.
        generator: of the initial weights.
    """
    sizes = (inputs.shape[1], HIDDEN, HIDDEN, 1)
    pairs = list(itertools.pairwise(sizes))
    weights = [generator.normal(0, np.sqrt(2 / a), (MEMBERS, a, b)) for a, b in pairs]
    biases = [generator.normal(0, 0.1, (MEMBERS, 1, b)) for _, b in pairs]
    parameters = [*weights, *biases]
    adamw(
        parameters,
        lambda: _gradients(parameters, inputs, targets, loss),
        steps=STEPS,
        rate=LEARNING_RATE,
        decay=WEIGHT_DECAY,
    )
    return Ensemble((weights[0], weights[1], weights[2]), (biases[0], biases[1], biases[2]))


def _forward(weights: tuple[Floats, ...], biases: tuple[Floats, ...], inputs: Floats) -> list[Floats]:
    """What each layer reads, and the outputs `[members, n, 1]`."""
    layers = [np.broadcast_to(inputs, (MEMBERS, *inputs.shape))]
    for depth, (weight, bias) in enumerate(zip(weights, biases, strict=True), start=1):
        after = layers[-1] @ weight + bias
        layers.append(np.maximum(after, 0) if depth < len(weights) else after)
    return layers


def _gradients(parameters: list[Floats], inputs: Floats, targets: Floats, loss: LossGradient) -> list[Floats]:
    half = len(parameters) // 2
    weights, biases = tuple(parameters[:half]), tuple(parameters[half:])
    layers = _forward(weights, biases, inputs)
    gradient = loss(layers[-1][:, :, 0], targets)[:, :, None]
    of_weights: list[Floats] = []
    of_biases: list[Floats] = []
    for depth in reversed(range(half)):
        of_weights.insert(0, layers[depth].transpose(0, 2, 1) @ gradient)
        of_biases.insert(0, gradient.sum(axis=1, keepdims=True))
        if depth:
            gradient = (gradient @ weights[depth].transpose(0, 2, 1)) * (layers[depth] > 0)
    return [*of_weights, *of_biases]
