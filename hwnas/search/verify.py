"""Verify what a search found: measure the best candidates on the device, train them, measure again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwnas.cost import count
from hwnas.latency import Device, latency_ms, measure, measure_onnx
from hwnas.network import Network
from hwnas.network.to_onnx import to_onnx
from hwnas.network.weights import Weights, module_weights
from hwnas.objectives import Objective
from hwnas.search.folder import NETWORKS
from hwnas.search.records import BlockShare, Candidate, Trial
from hwnas.search.store import TrialStore
from hwnas.spaces import Architecture, SearchSpace

if TYPE_CHECKING:
    from hwnas.training import TrainingSettings

Say = Callable[[str], None]
ROUNDS = 4


@dataclass(frozen=True)
class Training:
    """How candidates are trained: a data set by name or path, and the settings."""

    data: str
    settings: TrainingSettings

    def digest(self) -> str:
        """What tells two trainings apart."""
        text = json.dumps([self.data, asdict(self.settings)], sort_keys=True, default=str)
        return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


@dataclass(frozen=True)
class Trained:
    """What a training gives: accuracies (fractions of the images) and weights by parameter name.

    Candidates are compared by the validation accuracy; the test accuracy is only stated.
    """

    validation_accuracy: float
    accuracy: float
    weights: Weights


@dataclass(frozen=True)
class Verifier:
    """Turns the trials of a search into verified candidates, best first.

    What was measured and trained is kept in the store, so that an interrupted verification goes on.
    """

    space: SearchSpace
    objective: Objective
    store: TrialStore
    folder: Path
    device: Device | None
    training: Training | None
    executor: Executor
    say: Say

    def candidates(self, trials: Sequence[Trial], wanted: int) -> list[Candidate]:
        """Up to `wanted` candidates that satisfy the constraints by measurement, or else the nearest.

        Walks down the ranking, at most `ROUNDS` times `wanted` deep, since predicted latencies err.
        """
        ranked = self._ranked(trials)[: ROUNDS * wanted]
        tried: list[Candidate] = []
        while ranked and sum(candidate.satisfies for candidate in tried) < wanted:
            batch, ranked = ranked[:wanted], ranked[wanted:]
            tried += self._measured(batch)
        good = [candidate for candidate in tried if candidate.satisfies][:wanted]
        if not good:
            return sorted(tried, key=lambda c: self.objective.violation(_merged(c)))[:wanted]
        finished = self._finished(good)
        rejected = [candidate for candidate in tried if not candidate.satisfies]
        best_first = sorted(finished, key=self._merit, reverse=True)
        return [*best_first, *rejected]

    def _merit(self, candidate: Candidate) -> tuple[bool, float]:
        values = _merged(candidate)
        return candidate.satisfies, values.get("validation_accuracy", values.get(self.objective.maximize, 0.0))

    def _ranked(self, trials: Sequence[Trial]) -> list[Trial]:
        """Distinct feasible trials that have the maximised metric, best first; else the least infeasible."""
        distinct = {trial.architecture: trial for trial in trials}
        ranked = sorted(distinct.values(), key=lambda t: self.objective.fitness(t.metrics), reverse=True)
        feasible = [t for t in ranked if self.objective.fitness(t.metrics).rank == 2]
        return feasible or [t for t in ranked if self.objective.fitness(t.metrics).rank == 1]

    def _measured(self, trials: Sequence[Trial]) -> list[Candidate]:
        """Candidates with the device's latency, where there is a device."""
        missing = [t.architecture for t in trials if self.store.get(f"measured:{t.architecture}") is None]
        if self.device is not None and missing:
            self.say(f"measuring {len(missing)} candidates on {self.device.name}")
            entries = latency_ms([self.space.parse(text) for text in missing], self.device)
            for text, entry in zip(missing, entries, strict=True):
                self.store.put(f"measured:{text}", {"latency_ms": entry.latency_ms})
        found = []
        for trial in trials:
            measured = self.store.get(f"measured:{trial.architecture}") or {}
            satisfies = self.objective.is_feasible({**trial.metrics, **measured})
            found.append(Candidate(trial.architecture, trial.metrics, measured, satisfies))
        return found

    def _finished(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """The candidates as ONNX files, trained where asked for, and these files measured."""
        known = [self._known(candidate) for candidate in candidates]
        started = [
            self.executor.submit(_train, self.space.parse(candidate.architecture), self.training)
            if document is None and self.training is not None
            else None
            for candidate, document in zip(candidates, known, strict=True)
        ]
        if any(started) and self.training is not None:
            self.say(f"training {sum(map(bool, started))} candidates on {self.training.data}")
        finished = []
        for candidate, document, future in zip(candidates, known, started, strict=True):
            if document is None:
                document = self._finish(candidate, future.result() if future else None)
                self.store.put(self._document(candidate), document)
            measured = {**candidate.measured, **document["measured"]}
            satisfies = self.objective.is_feasible({**candidate.predicted, **measured})
            finished.append(replace(candidate, measured=measured, satisfies=satisfies, onnx=document["onnx"]))
        return finished

    def _document(self, candidate: Candidate) -> str:
        return f"finished:{self.training.digest() if self.training else 'untrained'}:{candidate.architecture}"

    def _known(self, candidate: Candidate) -> dict[str, Any] | None:
        document = self.store.get(self._document(candidate))
        return document if document is not None and (self.folder / document["onnx"]).exists() else None

    def _finish(self, candidate: Candidate, trained: Trained | None) -> dict[str, Any]:
        network = self.space.parse(candidate.architecture).network
        name = hashlib.blake2b(candidate.architecture.encode(), digest_size=6).hexdigest()
        file = f"{NETWORKS}/{name}.onnx"
        (self.folder / NETWORKS).mkdir(exist_ok=True)
        to_onnx(network, self.folder / file, weights=trained.weights if trained else None)
        measured: dict[str, float] = {}
        if trained is not None:
            measured |= {"validation_accuracy": trained.validation_accuracy, "accuracy": trained.accuracy}
        if self.device is not None:
            self.say(f"measuring {file} on {self.device.name}")
            measured["latency_ms"] = measure_onnx(self.folder / file, self.device).latency_ms
        return {"onnx": file, "measured": measured}


def _train(architecture: Architecture, training: Training) -> Trained:
    """Train in whatever process this runs in."""
    import torch

    from hwnas.network.to_torch import to_torch
    from hwnas.training import accuracy, load, train

    network = architecture.network
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.settings.seed)
        module = to_torch(network)
    data = load(training.data, resolution=network.inputs[0].shape[-1])
    validation = train(module, data.for_selection(), training.settings).accuracy
    test = accuracy(module, data.test_images, data.test_labels, prepare=data.standardise)
    return Trained(validation, test, module_weights(network, module))


def block_shares(network: Network, device: Device | None) -> list[BlockShare]:
    """The network block by block, each with the latency that it has alone on `device`."""
    table = measure([network], device) if device is not None else None
    shares = []
    for name, block in network.blocks():
        counts = count(block).whole
        latency = table[block.key].latency_ms if table is not None and block.key in table else None
        operators = ", ".join(dict.fromkeys(layer.op for layer in block.layers))
        shares.append(
            BlockShare(name, operators, block.outputs[0].shape, counts.macs, counts.params, latency)
        )
    return shares


def _merged(candidate: Candidate) -> Mapping[str, float]:
    return {**candidate.predicted, **candidate.measured}
