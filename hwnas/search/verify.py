"""Verify what a search found: measure the best candidates on the device, train them, measure again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from hwnas.executors import outcome_of
from hwnas.latency import Device
from hwnas.network.to_onnx import to_onnx
from hwnas.objectives import Metric, MetricError, Objective
from hwnas.search.choose import verify_in_turn
from hwnas.search.folder import NETWORKS
from hwnas.search.kept import Kept, digest
from hwnas.search.known import Known
from hwnas.search.measured import Document, is_disturbed, measure_file, measure_networks, read_measured
from hwnas.search.metrics import PredictedMetric, predicted
from hwnas.search.prospects import prospects
from hwnas.search.records import BlockShare, Candidate, Interval, Trial
from hwnas.search.shares import block_shares, read_share
from hwnas.search.store import TrialStore
from hwnas.search.trained import Trained, Training, train_candidate
from hwnas.spaces import SearchSpace

Say = Callable[[str], None]
ROUNDS = 4
TRIES = 2
"""How often a candidate is measured while other processes disturb the measurement."""

DISTURBED = "other processes disturbed its measurement: the sentinels contradict each other"


@dataclass(frozen=True)
class Verifier:
    """Turns the trials of a search into verified candidates, best first.

    What was measured and trained is kept in the store, so that an interrupted verification goes on. `known`
    networks were measured before.
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
    known: Sequence[Known] = ()
    _keys: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def candidates(self, trials: Sequence[Trial], wanted: int) -> list[Candidate]:
        """Up to `wanted` candidates that satisfy the constraints by measurement, best first.

        First the known ones and, on a device, up to `wanted` trials that are expected to improve the most on
        them (`hwnas.search.choose`), even where an upper bound rules them out. Then down the ranking, until
        there are enough or `ROUNDS` times `wanted` were looked at, since predicted latencies err. Those that
        do not satisfy the constraints follow, the nearest first. All are different networks.
        """
        known = [*filter(_satisfies, (self._candidate(one.trial, one.document) for one in self.known))]
        promising = self._promising(trials, wanted, known)
        fitting = sorted(filter(_satisfies, [*known, *promising]), key=self._merit, reverse=True)
        finished = self._finished(fitting[:wanted])
        tried = {self._key_of(candidate.architecture) for candidate in (*known, *promising)}
        distinct = self._distinct(self._ranked(trials), ROUNDS * wanted)
        ranked = [trial for key, trial in distinct.items() if key not in tried]
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

    def _promising(self, trials: Sequence[Trial], most: int, known: Sequence[Candidate]) -> list[Candidate]:
        """Up to `most` measured candidates, each chosen by those before it; none without a device.

        Each round is a measurement of its own, with its sentinels and its workers' start: `most // 3 + 1`
        candidates in the first, then one in each, so that 5 candidates are measured in up to 4 rounds.
        """
        found: dict[int, Candidate] = {}
        if self.device is None:
            return []
        keys = {self._key_of(candidate.architecture) for candidate in known}
        likely = prospects(trials, self.objective, self.metrics, self.space, self._key_of, keys)
        best = max((candidate.predicted[self.objective.maximize] for candidate in known), default=None)

        def satisfied(positions: list[int]) -> list[bool]:
            measured = self._measured([likely.trials[i] for i in positions])
            found.update(zip(positions, measured, strict=True))
            return [candidate.satisfies for candidate in measured]

        verify_in_turn(likely.merits, likely.probabilities, most, satisfied, best)
        return list(found.values())

    def _merit(self, candidate: Candidate) -> float:
        values = candidate.compared
        return values.get("validation_accuracy", values.get(self.objective.maximize, 0.0))

    def _ranked(self, trials: Sequence[Trial]) -> list[Trial]:
        """Feasible trials that have the maximised metric, best first; else the least infeasible."""
        ranked = sorted(trials, key=lambda t: self.objective.fitness(t.metrics), reverse=True)
        feasible = [t for t in ranked if self.objective.fitness(t.metrics).rank == 2]
        return feasible or [t for t in ranked if self.objective.fitness(t.metrics).rank == 1]

    def _distinct(self, ranked: Sequence[Trial], most: int) -> dict[str, Trial]:
        """The first `most` trials of different networks, by the networks' keys."""
        found: dict[str, Trial] = {}
        for trial in ranked:
            if len(found) == most:
                break
            found.setdefault(self._key_of(trial.architecture), trial)
        return found

    def _key_of(self, architecture: str) -> str:
        """The canonical key of the architecture's network; each is computed once."""
        if architecture not in self._keys:
            self._keys[architecture] = self.space.parse(architecture).network.key
        return self._keys[architecture]

    def _measured(self, trials: Sequence[Trial]) -> list[Candidate]:
        """Candidates with the device's latency, where there is a device; measured again where disturbed."""
        found = {t.architecture: self._kept.get("measured", t.architecture) for t in trials}
        for _ in range(TRIES):
            missing = [text for text, document in found.items() if self._is_to_measure(document)]
            if self.device is None or not missing:
                break
            plural = "" if len(missing) == 1 else "s"
            self.say(f"measuring {len(missing)} candidate{plural} on {self.device.name}")
            documents = measure_networks([self.space.parse(text) for text in missing], self.device)
            for text, document in zip(missing, documents, strict=True):
                self._kept.put("measured", text, document)
                found[text] = document
        return [self._candidate(trial, found[trial.architecture] or {}) for trial in trials]

    def _is_to_measure(self, document: Document | None) -> bool:
        return document is None or is_disturbed(document, self._reference)

    def _candidate(self, trial: Trial, document: Document) -> Candidate:
        """The candidate, with the latency that `document` holds, if any."""
        intervals = self._intervals(trial)
        predictions = {name: trial.metrics[predicted(name)] for name in intervals}
        known = {**trial.metrics, **predictions}
        candidate = Candidate(
            trial.architecture,
            {name: value for name, value in known.items() if name not in map(predicted, intervals)},
            {},
            satisfies=False,
            reason=document.get("reason", ""),
            intervals=intervals,
        )
        return self._judged(self._with_latency(candidate, document))

    def _intervals(self, trial: Trial) -> dict[str, Interval]:
        found: dict[str, Interval] = {}
        for name, one in self.metrics.items():
            if isinstance(one, PredictedMetric) and predicted(name) in trial.metrics:
                interval = one.interval(self.space.parse(trial.architecture))
                found |= {} if interval is None else {name: interval}
        return found

    def _with_latency(self, candidate: Candidate, document: Document) -> Candidate:
        """The candidate with the latency that `document` holds, if any."""
        if "latency_ms" not in document:
            return candidate
        found = read_measured(document, self._reference)
        return replace(
            candidate,
            measured={**candidate.measured, "latency_ms": found.latency_ms},
            flag=found.flag,
            as_measured_ms=found.as_measured_ms,
            at_most_ms=found.at_most_ms,
        )

    def _judged(self, candidate: Candidate) -> Candidate:
        """Whether it satisfies the constraints, and why not where its measurement is to blame."""
        if candidate.reason:
            return replace(candidate, satisfies=False)
        satisfies = self.objective.is_feasible(candidate.compared)
        disturbed = candidate.flag == "drifted" and not satisfies
        return replace(candidate, satisfies=satisfies, reason=DISTURBED if disturbed else "")

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
        known = [self._kept.get("written", candidate.architecture) for candidate in candidates]
        missing = [
            one.architecture for one, document in zip(candidates, known, strict=True) if document is None
        ]
        started = {}
        if missing and self.training is not None:
            plural = "" if len(missing) == 1 else "s"
            self.say(f"training {len(missing)} candidate{plural} on {self.training.data}")
            started = {
                text: self.executor.submit(train_candidate, self.space.parse(text), self.training)
                for text in missing
            }
        written = []
        for candidate, document in zip(candidates, known, strict=True):
            if document is None:
                future = started.get(candidate.architecture)
                document = self._write(candidate.architecture, future)
                self._kept.put("written", candidate.architecture, document)
            written.append(document)
        return written

    def _write(self, text: str, future: Future[Trained] | None) -> dict[str, Any]:
        try:
            trained = outcome_of(future) if future is not None else None
        except MetricError as error:
            return {"reason": str(error)}
        file = f"{NETWORKS}/{digest(text, self._kept.training)}.onnx"
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

    def _file_latency(self, candidate: Candidate, file: str) -> Document:
        """What the device says of the candidate's file; nothing without a device."""
        found = self._kept.get("file", candidate.architecture)
        for _ in range(TRIES):
            if self.device is None or not self._is_to_measure(found):
                break
            self.say(f"measuring {file} on {self.device.name}")
            found = measure_file(self.folder / file, self.device)
            self._kept.put("file", candidate.architecture, found)
        return found or {}

    def blocks(self, architecture: str) -> list[BlockShare]:
        """The network block by block, each with the latency that it has alone on the device."""
        kept = self._kept.get("blocks", architecture)
        if kept is None:
            shares = block_shares(self.space.parse(architecture).network, self.device)
            kept = {"shares": [asdict(share) for share in shares]}
            self._kept.put("blocks", architecture, kept)
        return [read_share(share) for share in kept["shares"]]

    @cached_property
    def _kept(self) -> Kept:
        training = self.training.digest() if self.training else "untrained"
        return Kept(self.store, self.folder, self.device, training)


def _satisfies(candidate: Candidate) -> bool:
    return candidate.satisfies
