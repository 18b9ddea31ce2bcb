"""A graph convolution that scores graphs, learned from which of two is better, in NumPy.

Kipf and Welling, "Semi-supervised Classification with Graph Convolutional Networks" (ICLR 2017), as the
binary relation of BRP-NAS (Dudziak et al., NeurIPS 2020, section 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hwnas.search.strategies.predictor.adamw import adamw
from hwnas.search.strategies.predictor.ensemble import pairwise
from hwnas.search.strategies.predictor.features import Floats, Rows
from hwnas.search.strategies.predictor.graphs import Graphs

Floats32 = npt.NDArray[np.float32]

HIDDEN, CONVOLUTIONS = 16, 3
STEPS, BATCH, LEARNING_RATE, WEIGHT_DECAY = 150, 64, 0.02, 1e-3
SCORE_SCALE = 3.0
"""Of the proxies' scores, which are standard normal: so large that few results teach what they are worth."""
CHUNK = 500
"""Graphs that are scored at a time: their activations stay in the processor's cache."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """What the convolution reads of n graphs of v nodes.

    Attributes:
        labels: `[n, v]`, from 0 to `kinds` - 1.
        kinds: number of different labels.
        producers: `[n, v, v]`: D_in^(-1/2) A D_out^(-1/2) of the adjacency A, whether a node reads another.
        is_live: `[n, v, 1]`, 1 for nodes that count.
        scores: `[n, p]`, of the whole graph, of the order of `SCORE_SCALE`.
    """

    labels: Rows
    kinds: int
    producers: Floats32
    is_live: Floats32
    scores: Floats32

    @classmethod
    def of(cls, graphs: Graphs, scores: Floats) -> Inputs:
        """Of graphs and their proxies' scores."""
        reads = graphs.reads.astype(np.float32)
        scale = [np.sqrt(np.maximum(reads.sum(axis=axis, keepdims=True), 1)) for axis in (1, 2)]
        is_live = graphs.is_live[:, :, None].astype(np.float32)
        return cls(
            graphs.labels,
            graphs.kinds,
            reads / scale[0] / scale[1],
            is_live,
            (SCORE_SCALE * scores).astype(np.float32),
        )

    def __getitem__(self, rows: Rows | slice) -> Inputs:
        """Some of the graphs."""
        return Inputs(
            self.labels[rows], self.kinds, self.producers[rows], self.is_live[rows], self.scores[rows]
        )


class _Activations(NamedTuple):
    """`hidden` before and after each convolution, what each read, what the head read, and its layer."""

    hidden: list[Floats32]
    around: list[Floats32]
    read: Floats32
    head: Floats32
    outputs: Floats32


@dataclass(frozen=True)
class Ranker:
    """Scores of graphs, of which the better has the greater.

    A node's label is embedded; each convolution adds to it what weights of their own make of itself, of what
    it reads and of what reads it. The mean over all nodes, of which dead ones are 0, and the scores of the
    whole graph go through a layer of ReLUs; the latter also count as they are, at first all alike.

    Attributes:
        parameters: the embedding, weights and bias of each convolution, those of the head, the
            output's weights, and those of the scores.
    """

    parameters: Sequence[Floats32]

    def __call__(self, inputs: Inputs) -> Floats:
        """`[n]`."""
        starts = range(0, len(inputs.labels), CHUNK)
        chunks = [_forward(self.parameters, inputs[slice(i, i + CHUNK)]).outputs for i in starts]
        return np.concatenate(chunks).astype(np.float64)


def train(inputs: Inputs, targets: Floats, generator: np.random.Generator) -> Ranker:
    """A ranker that puts graphs in the order of their targets, `[n]` of the order of 1.

    Each step compares all pairs of at most `BATCH` graphs.
    """
    parameters = _initial(inputs.kinds, inputs.scores.shape[1], generator)
    n = len(targets)

    def gradients() -> Sequence[Floats32]:
        rows = np.arange(n) if n <= BATCH else generator.permutation(n)[:BATCH]
        return _gradients(parameters, inputs[rows], targets[rows])

    adamw(parameters, gradients, steps=STEPS, rate=LEARNING_RATE, decay=WEIGHT_DECAY)
    return Ranker(parameters)


def _initial(kinds: int, scores: int, generator: np.random.Generator) -> list[Floats32]:
    """Gaussian weights that keep the scale of activations, and biases of 0."""

    def weights(rows: int, columns: int, gain: float) -> Floats32:
        return generator.normal(0, np.sqrt(gain / rows), (rows, columns)).astype(np.float32)

    found = [generator.normal(0, 1, (kinds, HIDDEN)).astype(np.float32)]
    for _ in range(CONVOLUTIONS):
        found += [weights(3 * HIDDEN, HIDDEN, 3), np.zeros(HIDDEN, dtype=np.float32)]
    head = [weights(HIDDEN + scores, HIDDEN, 2), np.zeros(HIDDEN, dtype=np.float32)]
    direct = np.ones((scores, 1), dtype=np.float32)
    return [*found, *head, weights(HIDDEN, 1, 2), direct]


def _forward(parameters: Sequence[Floats32], inputs: Inputs) -> _Activations:
    n, v = inputs.labels.shape
    embedding, *convolutions, head_weights, head_bias, output, direct = parameters
    readers = inputs.producers.transpose(0, 2, 1)
    hidden = [embedding[inputs.labels] * inputs.is_live]
    around = []
    for weights, bias in zip(convolutions[::2], convolutions[1::2], strict=True):
        h = hidden[-1]
        around.append(np.concatenate([h, inputs.producers @ h, readers @ h], axis=2).reshape(n * v, -1))
        after = (around[-1] @ weights + bias).reshape(n, v, -1)
        hidden.append(h + np.maximum(after, 0) * inputs.is_live)
    read = np.hstack([hidden[-1].mean(axis=1), inputs.scores])
    head = np.maximum(read @ head_weights + head_bias, 0)
    return _Activations(hidden, around, read, head, (head @ output + inputs.scores @ direct)[:, 0])


def _gradients(parameters: Sequence[Floats32], inputs: Inputs, targets: Floats) -> list[Floats32]:
    """Of the pairwise loss, in the order of the parameters."""
    n, v = inputs.labels.shape
    hidden, around, read, head, outputs = _forward(parameters, inputs)
    _, *convolutions, head_weights, _, output, _ = parameters
    readers = inputs.producers.transpose(0, 2, 1)
    of_outputs = pairwise(outputs[None].astype(np.float64), targets)[0].astype(outputs.dtype)[:, None]
    of_head = (of_outputs @ output.T) * (head > 0)
    found = [read.T @ of_head, of_head.sum(axis=0), head.T @ of_outputs, inputs.scores.T @ of_outputs]
    of_mean = (of_head @ head_weights.T)[:, :HIDDEN] / v
    of_hidden = np.broadcast_to(of_mean[:, None, :], (n, v, HIDDEN))
    for layer in reversed(range(CONVOLUTIONS)):
        of_after = (of_hidden * (hidden[layer + 1] > hidden[layer])).reshape(n * v, HIDDEN)
        found = [around[layer].T @ of_after, of_after.sum(axis=0), *found]
        own, read_, reading = np.split((of_after @ convolutions[2 * layer].T).reshape(n, v, -1), 3, axis=2)
        of_hidden = of_hidden + own + readers @ read_ + inputs.producers @ reading
    is_label = (inputs.labels.reshape(-1, 1) == np.arange(inputs.kinds)).astype(np.float32)
    of_embedding = is_label.T @ (of_hidden * inputs.is_live).reshape(n * v, HIDDEN)
    return [of_embedding, *found]
