"""Verify what a search found: measure the best candidates on the device, train them, measure again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwnas.cost import count
from hwnas.latency import Device, latency_ms, measure, measure_onnx
from hwnas.network import Network
from hwnas.network.to_onnx import to_onnx
from hwnas.objectives import Objective
from hwnas.search.folder import NETWORKS
from hwnas.search.records import BlockShare, Candidate, Trial
from hwnas.search.store import TrialStore
from hwnas.spaces import Architecture, SearchSpace

if TYPE_CHECKING:
    from torch import nn

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
        finished = [self._finished(rank, candidate) for rank, candidate in enumerate(good, start=1)]
        rejected = [candidate for candidate in tried if not candidate.satisfies]
        best_first = sorted(finished, key=self._merit, reverse=True)
        return [*best_first, *rejected]

    def _merit(self, candidate: Candidate) -> tuple[bool, float]:
        values = _merged(candidate)
        return candidate.satisfies, values.get("accuracy", values.get(self.objective.maximize, 0.0))

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

    def _finished(self, rank: int, candidate: Candidate) -> Candidate:
        """The candidate as an ONNX file, trained where asked for, and that file measured."""
        name = f"finished:{self.training.digest() if self.training else 'untrained'}:{candidate.architecture}"
        known = self.store.get(name)
        if known is None or not (self.folder / known["onnx"]).exists():
            known = self._finish(rank, self.space.parse(candidate.architecture), candidate.architecture)
            self.store.put(name, known)
        measured = {**candidate.measured, **known["measured"]}
        satisfies = self.objective.is_feasible({**candidate.predicted, **measured})
        return Candidate(candidate.architecture, candidate.predicted, measured, satisfies, known["onnx"])

    def _finish(self, rank: int, architecture: Architecture, text: str) -> dict[str, Any]:
        from hwnas.network.to_torch import to_torch

        network = architecture.network
        measured: dict[str, float] = {}
        module: nn.Module | None = None
        if self.training is not None:
            import torch

            from hwnas.training import load, train

            settings = self.training.settings
            self.say(f"training candidate {rank} on {self.training.data}, {settings.epochs} epochs")
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(settings.seed)
                module = to_torch(network)
            data = load(self.training.data, resolution=network.inputs[0].shape[-1])
            measured["accuracy"] = train(module, data, settings).accuracy
        file = f"{NETWORKS}/{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}.onnx"
        (self.folder / NETWORKS).mkdir(exist_ok=True)
        to_onnx(network, self.folder / file, weights=module)
        if self.device is not None:
            self.say(f"measuring the file of candidate {rank} on {self.device.name}")
            measured["latency_ms"] = measure_onnx(self.folder / file, self.device).latency_ms
        return {"onnx": file, "measured": measured}


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
