"""Measure one group of models on a device: interleaved rounds, repeated passes, sentinels, retries."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from hwnas.latency.devices.device import (
    NO_METER,
    Device,
    ModelFailedError,
    Runner,
    RunnerDiedError,
)
from hwnas.latency.measuring.energy import energies_mj
from hwnas.latency.measuring.retries import tried_again
from hwnas.latency.measuring.watch import Watch
from hwnas.latency.tables.drift import contradictory
from hwnas.latency.tables.environment import Environment
from hwnas.latency.timing.host import HostReading
from hwnas.latency.timing.protocol import Protocol
from hwnas.latency.timing.samples import Chunk, Statistics, agree, join, statistics

Notify = Callable[[str], None]


@dataclass(frozen=True)
class GroupResult:
    """What one group said, by model key; a key is in ``measured`` or in ``failures``.

    ``sha256`` is of the ONNX model that ran, which a device may have prepared (int8); ``energy_mj`` is empty
    where there is no meter, and ``environment`` says why.
    """

    measured: dict[str, Statistics]
    unstable: frozenset[str]
    grouped: frozenset[str]
    failures: dict[str, str]
    sentinels: dict[str, float]
    environment: Environment
    sha256: dict[str, str]
    energy_mj: dict[str, float]


class Group:
    """The models of one group and what is known about them so far.

    Args:
        device: where to run.
        models: key -> ONNX file.
        protocol: how to time.
        sentinels: name -> ONNX file of the models that run in every round.
        seed: seeds the order of the models in the rounds.
        notify: called with a line about what is going on.
        keep_open: descriptors that the workers hold (the machine's lock).
        reference: the sentinels' times in the groups before, in microseconds; empty at first.
        before: the machine before the campaign began.
    """

    def __init__(
        self,
        device: Device,
        models: Mapping[str, bytes],
        protocol: Protocol,
        *,
        sentinels: Mapping[str, bytes],
        seed: tuple[int, ...],
        notify: Notify,
        keep_open: tuple[int, ...] = (),
        reference: Mapping[str, float] | None = None,
        before: HostReading,
    ) -> None:
        self._device, self._protocol, self._notify, self._keep_open = device, protocol, notify, keep_open
        self._models = dict(models)
        self._sentinels = dict(sentinels)
        self._reference = reference
        self._rng = np.random.default_rng(seed)
        self._watch = Watch(before)
        self._passes: dict[str, list[Chunk]] = {key: [] for key in [*models, *self._sentinels]}
        self._meter = NO_METER
        self._failures: dict[str, str] = {}
        self._grouped: set[str] = set()

    def measure(self) -> GroupResult:
        """All passes, then further ones for the models whose passes disagree, then the energies.

        Raises:
            RunnerDiedError: the worker ends repeatedly without a model to blame.
            ModelFailedError: a sentinel does not run.
        """
        protocol = self._protocol
        self._prepare()
        for number in range(1, protocol.passes + 1):
            self._one_pass(list(self._models), f"pass {number} of {protocol.passes}")
        for number in range(1, protocol.max_extra + 1):
            if again := self._to_repeat():
                self._one_pass(again, f"extra pass {number} of at most {protocol.max_extra}")
        alive = {key: self._models[key] for key in self._alive(self._models)}
        return GroupResult(
            measured={key: statistics(self._passes[key]) for key in alive},
            unstable=frozenset(self._disagreeing()),
            grouped=frozenset(self._grouped),
            failures=dict(self._failures),
            sentinels=self._sentinel_times(),
            environment=self._watch.environment(self._meter.description),
            sha256={key: hashlib.sha256(model).hexdigest() for key, model in alive.items()},
            energy_mj=self._energies(alive) if self._meter.readable else {},
        )

    def _prepare(self) -> None:
        """Replace each model by what runs in its place."""
        self._notify(f"preparing {len(self._models)} models")
        for key, model in self._models.items():
            try:
                self._models[key] = self._device.prepare(model)
            except ModelFailedError as error:
                self._failures[key] = str(error)

    def _energies(self, models: Mapping[str, bytes]) -> dict[str, float]:
        return energies_mj(
            self._device,
            models,
            warm_up=self._protocol.warm_up,
            notify=self._notify,
            keep_open=self._keep_open,
        )

    def _alive(self, keys: Mapping[str, bytes] | list[str]) -> list[str]:
        return [key for key in keys if key not in self._failures]

    def _disagreeing(self) -> list[str]:
        return [key for key in self._alive(self._models) if not agree(self._passes[key], self._protocol)]

    def _to_repeat(self) -> list[str]:
        """All models if the sentinels show a disturbance, else those whose passes disagree."""
        disturbed = self._reference and contradictory(self._sentinel_times(), self._reference)
        return self._alive(self._models) if disturbed else self._disagreeing()

    def _sentinel_times(self) -> dict[str, float]:
        return {key: statistics(self._passes[key]).p10_us for key in self._sentinels}

    def _one_pass(self, keys: list[str], title: str) -> None:
        """One pass in a fresh worker. If the worker dies: once more; then without the model it died with."""
        chunks = tried_again(partial(self._attempt, keys, title), self._notify, self._blame)
        for key, parts in chunks.items():
            if key not in self._failures:
                self._passes[key].append(join(parts))

    def _attempt(self, keys: list[str], title: str) -> dict[str, list[Chunk]]:
        with self._device.start(self._keep_open) as runner:
            runner.hold_machine(self._notify)
            self._meter = runner.meter()
            return self._rounds(runner, [*self._alive(keys), *self._sentinels], title)

    def _blame(self, death: RunnerDiedError) -> None:
        if death.key is None or death.key in self._sentinels:
            raise death
        self._failures[death.key] = str(death)

    def _rounds(self, runner: Runner, keys: list[str], title: str) -> dict[str, list[Chunk]]:
        chunks: dict[str, list[Chunk]] = {key: [] for key in keys}
        self._notify(f"{title}: loading {len(keys)} models")
        for key in keys:
            self._trying(key, partial(self._load, runner, key))
        for number in range(1, self._protocol.rounds + 1):
            self._notify(f"{title}: round {number} of {self._protocol.rounds}")
            alive = self._alive(keys)
            for index in self._rng.permutation(len(alive)):
                self._trying(alive[index], partial(self._turn, runner, chunks, alive[index]))
            self._watch.look(runner.reading())
        return chunks

    def _trying(self, key: str, action: Callable[[], None]) -> None:
        try:
            action()
        except ModelFailedError as error:
            if key in self._sentinels:
                raise
            self._failures[key] = str(error)

    def _load(self, runner: Runner, key: str) -> None:
        model = self._models.get(key) or self._sentinels[key]
        if runner.load(key, model, self._protocol.warm_up) > 1:
            self._grouped.add(key)

    def _turn(self, runner: Runner, chunks: dict[str, list[Chunk]], key: str) -> None:
        chunk = runner.run(key, self._protocol.discard, self._protocol.chunk)
        self._watch.add(chunk)
        chunks[key].append(chunk)
