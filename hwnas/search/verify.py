"""Verify what a search found: measure the best candidates on the device, train them, measure again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwnas.cost import count
from hwnas.executors import outcome_of
from hwnas.latency import Device, measure
from hwnas.network import Network
from hwnas.network.to_onnx import to_onnx
from hwnas.network.weights import Weights, module_weights
from hwnas.objectives import Metric, MetricError, Objective
from hwnas.search.folder import NETWORKS
from hwnas.search.measured import measure_file, measure_networks, read_measured
from hwnas.search.metrics import PredictedMetric, predicted
from hwnas.search.prospects import prospects
from hwnas.search.records import BlockShare, Candidate, Interval, Trial
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
        return _digest(text)


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
    metrics: Mapping[str, Metric]
    store: TrialStore
    folder: Path
    device: Device | None
    training: Training | None
    executor: Executor
    say: Say

    def candidates(self, trials: Sequence[Trial], wanted: int) -> list[Candidate]:
        """Up to `wanted` candidates that satisfy the constraints by measurement, best first.

        First, on a device, up to `wanted` trials that are expected to improve the most on what is verified
        (`hwnas.search.choose`), even where an upper bound rules them out. Then down the ranking, until there
        are enough or `ROUNDS` times `wanted` were looked at, since predicted latencies err. Those that do not
        satisfy the constraints follow, the nearest first.
        """
        promising = self._promising(trials, wanted)
        fitting = sorted(filter(_satisfies, promising), key=self._merit, reverse=True)
        finished = self._finished(fitting[:wanted])
        tried = {candidate.architecture for candidate in promising}
        ranked = [
            trial
            for trial in self._distinct(self._ranked(trials), ROUNDS * wanted)
            if trial.architecture not in tried
        ]
        good = [*filter(_satisfies, finished)]
        rejected = [c for c in (*promising, *finished) if not c.satisfies]
        while ranked and len(good) < wanted:
            batch, ranked = ranked[:wanted], ranked[wanted:]
            measured = self._measured(batch)
            rejected += [candidate for candidate in measured if not candidate.satisfies]
            fitting = [*filter(_satisfies, measured)]
            for candidate in self._finished(fitting[: wanted - len(good)]):
                (good if candidate.satisfies else rejected).append(candidate)
        rejected.sort(key=lambda candidate: self.objective.violation(candidate.compared))
        return [*sorted(good, key=self._merit, reverse=True), *rejected]

    def _promising(self, trials: Sequence[Trial], most: int) -> list[Candidate]:
        """Up to `most` measured candidates, each chosen by those before it; none without a device."""
        found: dict[str, Candidate] = {}
        if self.device is None:
            return []
        known = prospects(trials, self.objective, self.metrics, self.space)
        while len(found) < most:
            verified = [c.predicted[self.objective.maximize] for c in found.values() if c.satisfies]
            trial = known.next(set(found), max(verified, default=None))
            if trial is None:
                break
            found[trial.architecture] = self._measured([trial])[0]
        return list(found.values())

    def _merit(self, candidate: Candidate) -> float:
        values = candidate.compared
        return values.get("validation_accuracy", values.get(self.objective.maximize, 0.0))

    def _ranked(self, trials: Sequence[Trial]) -> list[Trial]:
        """Feasible trials that have the maximised metric, best first; else the least infeasible."""
        architectures = {trial.architecture: trial for trial in reversed(trials)}
        ranked = sorted(architectures.values(), key=lambda t: t.number)
        ranked.sort(key=lambda t: self.objective.fitness(t.metrics), reverse=True)
        feasible = [t for t in ranked if self.objective.fitness(t.metrics).rank == 2]
        return feasible or [t for t in ranked if self.objective.fitness(t.metrics).rank == 1]

    def _distinct(self, ranked: Sequence[Trial], most: int) -> list[Trial]:
        """The first `most` trials of different networks."""
        found: dict[str, Trial] = {}
        for trial in ranked:
            if len(found) == most:
                break
            found.setdefault(self.space.parse(trial.architecture).network.key, trial)
        return list(found.values())

    def _measured(self, trials: Sequence[Trial]) -> list[Candidate]:
        """Candidates with the device's latency, where there is a device."""
        missing = [t.architecture for t in trials if self._kept("measured", t.architecture) is None]
        if self.device is not None and missing:
            plural = "" if len(missing) == 1 else "s"
            self.say(f"measuring {len(missing)} candidate{plural} on {self.device.name}")
            documents = measure_networks([self.space.parse(text) for text in missing], self.device)
            for text, document in zip(missing, documents, strict=True):
                self._keep("measured", text, document)
        return [self._candidate(trial) for trial in trials]

    def _candidate(self, trial: Trial) -> Candidate:
        kept = self._kept("measured", trial.architecture) or {}
        intervals = self._intervals(trial)
        predictions = {name: trial.metrics[predicted(name)] for name in intervals}
        known = {**trial.metrics, **predictions}
        candidate = Candidate(
            trial.architecture,
            {name: value for name, value in known.items() if name not in map(predicted, intervals)},
            {},
            satisfies=False,
            reason=kept.get("reason", ""),
            intervals=intervals,
        )
        return self._judged(self._with_latency(candidate, kept))

    def _intervals(self, trial: Trial) -> dict[str, Interval]:
        found: dict[str, Interval] = {}
        for name, one in self.metrics.items():
            if isinstance(one, PredictedMetric) and predicted(name) in trial.metrics:
                interval = one.interval(self.space.parse(trial.architecture))
                found |= {} if interval is None else {name: interval}
        return found

    def _with_latency(self, candidate: Candidate, document: Mapping[str, Any]) -> Candidate:
        """The candidate with the latency that `document` holds, if any."""
        if "latency_ms" not in document:
            return candidate
        found = read_measured(dict(document), self._reference)
        measured = {**candidate.measured, "latency_ms": found.latency_ms}
        return replace(candidate, measured=measured, flag=found.flag, as_measured_ms=found.as_measured_ms)

    def _judged(self, candidate: Candidate) -> Candidate:
        satisfies = not candidate.reason and self.objective.is_feasible(candidate.compared)
        return replace(candidate, satisfies=satisfies)

    @property
    def _reference(self) -> Mapping[str, float]:
        """The sentinels' times in the table of the predictor of the latency; empty without one."""
        card = getattr(getattr(self.metrics.get("latency_ms"), "predictor", None), "card", None)
        return card.sentinels if card is not None else {}

    def _finished(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """The candidates as ONNX files, trained where asked for, and then these files measured.

        All trainings end before the first measurement: what runs beside it would change its numbers.
        """
        written = self._written(candidates)
        return [
            self._verdict(candidate, document)
            for candidate, document in zip(candidates, written, strict=True)
        ]

    def _written(self, candidates: Sequence[Candidate]) -> list[dict[str, Any]]:
        """What became of each candidate's training, and its file; at once kept in the store."""
        known = [self._kept("written", candidate.architecture) for candidate in candidates]
        started = {
            candidate.architecture: self.executor.submit(
                _train, self.space.parse(candidate.architecture), self.training
            )
            for candidate, document in zip(candidates, known, strict=True)
            if document is None and self.training is not None
        }
        if started and self.training is not None:
            self.say(f"training {len(started)} candidates on {self.training.data}")
        written = []
        for candidate, document in zip(candidates, known, strict=True):
            if document is None:
                future = started.get(candidate.architecture)
                document = self._write(candidate.architecture, future)
                self._keep("written", candidate.architecture, document)
            written.append(document)
        return written

    def _write(self, text: str, future: Future[Trained] | None) -> dict[str, Any]:
        try:
            trained = outcome_of(future) if future is not None else None
        except MetricError as error:
            return {"reason": str(error)}
        file = f"{NETWORKS}/{_digest(text, self._training_digest)}.onnx"
        (self.folder / NETWORKS).mkdir(exist_ok=True)
        weights = trained.weights if trained else None
        to_onnx(self.space.parse(text).network, self.folder / file, weights=weights)
        if trained is None:
            return {"onnx": file}
        return {
            "onnx": file,
            "validation_accuracy": trained.validation_accuracy,
            "accuracy": trained.accuracy,
        }

    def _verdict(self, candidate: Candidate, written: dict[str, Any]) -> Candidate:
        """The candidate after its file was measured."""
        if "reason" in written:
            return replace(candidate, satisfies=False, reason=written["reason"])
        learned = {name: value for name, value in written.items() if name != "onnx"}
        found = replace(candidate, measured={**candidate.measured, **learned}, onnx=written["onnx"])
        return self._judged(self._with_latency(found, self._file_latency(candidate, written["onnx"])))

    def _file_latency(self, candidate: Candidate, file: str) -> dict[str, Any]:
        if self.device is None:
            return {}
        kept = self._kept("file", candidate.architecture)
        if kept is None:
            self.say(f"measuring {file} on {self.device.name}")
            kept = measure_file(self.folder / file, self.device)
            self._keep("file", candidate.architecture, kept)
        return kept

    def blocks(self, architecture: str) -> list[BlockShare]:
        """The network block by block, each with the latency that it has alone on the device."""
        kept = self._kept("blocks", architecture)
        if kept is None:
            shares = block_shares(self.space.parse(architecture).network, self.device)
            kept = {"shares": [asdict(share) for share in shares]}
            self._keep("blocks", architecture, kept)
        return [read_share(share) for share in kept["shares"]]

    # What was found out is kept under everything that it depends on.

    def _name(self, what: str, architecture: str) -> str:
        on = _digest(str(self.device.identity())) if self.device is not None and what != "written" else "-"
        trained = self._training_digest if what in ("written", "file") else "-"
        return f"{what}:{on}:{trained}:{architecture}"

    @property
    def _training_digest(self) -> str:
        return self.training.digest() if self.training else "untrained"

    def _kept(self, what: str, architecture: str) -> dict[str, Any] | None:
        document = self.store.get(self._name(what, architecture))
        if document is not None and "onnx" in document and not (self.folder / document["onnx"]).exists():
            return None
        return document

    def _keep(self, what: str, architecture: str, document: Mapping[str, Any]) -> None:
        self.store.put(self._name(what, architecture), document)


def _satisfies(candidate: Candidate) -> bool:
    return candidate.satisfies


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


def read_share(plain: Mapping[str, Any]) -> BlockShare:
    """The block share whose fields `plain` holds, as read from JSON."""
    return BlockShare(**{**plain, "output_shape": tuple(plain["output_shape"])})


def _digest(*texts: str) -> str:
    return hashlib.blake2b("\n".join(texts).encode(), digest_size=6).hexdigest()
