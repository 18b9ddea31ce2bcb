"""What learns which of two architectures is the better: of their graphs, or of their choices."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from hwnas.search.strategies.predictor import ensemble, gcn
from hwnas.search.strategies.predictor.features import Candidates, Floats
from hwnas.search.strategies.predictor.graphs import graphs
from hwnas.spaces import SearchSpace


class Relation(Protocol):
    """Scores of which the greater belongs to the better of two architectures."""

    def train(self, known: Candidates, targets: Floats, generator: np.random.Generator) -> None:
        """Learn the order of the targets, `[n]` of the order of 1, anew."""

    def __call__(self, candidates: Candidates) -> Floats:
        """The score of each, `[n]`."""
        ...


class GraphRelation:
    """A graph convolution over the architectures' graphs and proxies; see `gcn`."""

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._ranker: gcn.Ranker
        self._candidates: Candidates | None = None
        self._inputs: gcn.Inputs

    def train(self, known: Candidates, targets: Floats, generator: np.random.Generator) -> None:
        """As `Relation.train`."""
        self._ranker = gcn.train(self._read(known), targets, generator)

    def __call__(self, candidates: Candidates) -> Floats:
        """As `Relation`; the graphs of the last candidates are remembered."""
        if self._candidates is not candidates:
            self._candidates, self._inputs = candidates, self._read(candidates)
        return self._ranker(self._inputs)

    def _read(self, candidates: Candidates) -> gcn.Inputs:
        choices = self._space.integers(candidates.architectures)
        return gcn.Inputs.of(graphs(self._space, choices), candidates.scores)


class ChoiceRelation:
    """The mean of an ensemble of networks on one-hot choices and proxies; see `ensemble`."""

    def __init__(self) -> None:
        self._ensemble: ensemble.Ensemble

    def train(self, known: Candidates, targets: Floats, generator: np.random.Generator) -> None:
        """As `Relation.train`."""
        self._ensemble = ensemble.train(known.inputs, targets, ensemble.pairwise, generator)

    def __call__(self, candidates: Candidates) -> Floats:
        """As `Relation`."""
        return np.asarray(self._ensemble(candidates.inputs).mean(axis=0))
