"""Devices: things that run ONNX models and are timed.

A `Device` says what it is (`DeviceCard`), what runs the models (`RuntimeCard`) and how they are timed
(`Protocol`); the three together are its `Identity`, and numbers of different identities are never
compared. `hwnas.latency.devices.registry` makes one by name. A device of your own is a subclass of `Device`
and `Runner`, registered there with ``@register("its-name")``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.timing import host
from hwnas.latency.timing.host import HostReading
from hwnas.latency.timing.protocol import Protocol
from hwnas.latency.timing.samples import Chunk


@dataclass(frozen=True)
class DeviceCard:
    """What the device is. None: the system does not tell. Memory in KiB, clock in MHz."""

    kind: str
    vendor: str
    model: str
    flags_digest: str | None
    cores: int
    threads: int
    governor: str | None
    virtual: bool | None
    maximum_mhz: int | None
    memory_kib: int | None
    os: str


_DESCRIPTIVE = {"maximum_mhz", "memory_kib", "os"}


@dataclass(frozen=True)
class RuntimeCard:
    """What runs the models, and the options it was given: what must not be mixed.

    ``precision`` is that of the arithmetic: ``float32``, ``int8``, ``float16`` or ``bfloat16``. ``options``
    states the runtime's own settings and the options of the `Device` under their own names (batch, layout,
    level, ...), so that `device_like` finds the device again.
    """

    name: str
    version: str
    provider: str
    precision: str
    options: dict[str, str]


@dataclass(frozen=True)
class Identity:
    """Device, runtime and protocol: numbers may be compared where these three are equal."""

    device: DeviceCard
    runtime: RuntimeCard
    protocol: Protocol

    def differences(self, other: Identity) -> list[str]:
        """The fields that differ, each as ``part.field: ours, not theirs``; empty when comparable.

        Memory, highest clock and operating system describe a device but are not compared.
        """
        found = []
        for part in ("device", "runtime", "protocol"):
            ours, theirs = getattr(self, part), getattr(other, part)
            for field in fields(ours):
                a, b = getattr(ours, field.name), getattr(theirs, field.name)
                if a == b or (part == "device" and field.name in _DESCRIPTIVE):
                    continue
                if isinstance(a, dict):
                    found += _option_differences(f"{part}.{field.name}", a, b)
                else:
                    found.append(f"{part}.{field.name}: {a!r}, not {b!r}")
        return found


def _option_differences(where: str, ours: dict[str, str], theirs: dict[str, str]) -> list[str]:
    names = [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)]
    return [f"{where}.{name}: {ours.get(name)!r}, not {theirs.get(name)!r}" for name in names]


class ModelFailedError(ValueError):
    """The runtime refused a model or failed to run it; the message names the model."""


class RunnerDiedError(RuntimeError):
    """The process that runs the models ended. ``key`` is the model in work then, or None.

    Attributes:
        retries: how often a pass is tried again after such an end, before the model is blamed.
    """

    retries = 1

    def __init__(self, message: str, key: str | None) -> None:
        super().__init__(message)
        self.key = key


@dataclass(frozen=True)
class Profile:
    """What a runtime says of its nodes in consecutive runs of one model.

    Attributes:
        nodes: names of the executed nodes in order, the model's own where the runtime keeps them.
        times_us: microseconds, (runs, nodes).
    """

    nodes: tuple[str, ...]
    times_us: NDArray[np.float64]


@dataclass(frozen=True)
class MeterCard:
    """Whether energies can be read; ``description`` is the meter, or why there is none."""

    readable: bool
    description: str


NO_METER = MeterCard(False, "the device has no energy meter")


class Runner(ABC):
    """A process (or a connection) that holds loaded models and times them; a context manager."""

    @abstractmethod
    def load(self, key: str, model: bytes, warm_up: int) -> int:
        """Load an ONNX model and run it ``warm_up`` times.

        Returns:
            Inferences timed together in one sample: 1 but for models too short for the clock.

        Raises:
            ModelFailedError: the runtime refuses the model.
            RunnerDiedError: the process ended.
        """

    @abstractmethod
    def run(self, key: str, discard: int, count: int) -> Chunk:
        """Run a loaded model ``discard`` times untimed, then take ``count`` samples. Raises as `load`."""

    def profile(self, key: str, model: bytes, discard: int, count: int) -> Profile:
        """Run a model ``discard`` times, then ``count`` times, in a session that times its nodes.

        Raises:
            ModelFailedError: the runtime refuses the model, or has no profile of its nodes.
            RunnerDiedError: the process ended.
        """
        raise ModelFailedError(f"this device's runtime has no profile of its nodes, so none of {key}")

    @abstractmethod
    def close(self) -> None:
        """End the process."""

    def hold_machine(self, notify: Callable[[str], None]) -> None:  # noqa: B027 (most have nothing to do)
        """Be the only measurement where the models run, for as long as this runner lives.

        Whoever measures holds this machine's lock already; a runner elsewhere takes that machine's.

        Args:
            notify: called with a line where another measurement has to be waited for.

        Raises:
            RunnerDiedError: the process ended.
        """

    def reading(self) -> HostReading:
        """The machine that runs the models, at this moment; this one by default."""
        return host.reading()

    def meter(self) -> MeterCard:
        """The meter of energies; none by default."""
        return NO_METER

    def energy_mj(self, key: str, seconds: float) -> float:
        """Millijoules of one run of a loaded model, over at least ``seconds`` of runs; idle power included.

        Raises:
            ModelFailedError: there is no meter, or its counter does not move. Further as `load`.
        """
        raise ModelFailedError(f"no energy of {key}: {self.meter().description}")

    def __enter__(self) -> Runner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Device(ABC):
    """Something that runs ONNX models and is timed.

    Attributes:
        name: its name in the registry.
        protocol: how models are timed.
        machine: what two devices must share to disturb each other: they are never measured at the same time.
        batch: samples in one inference. Latency and energy are of the whole batch; operations and
            parameters of an `Entry` remain those of one sample.
        options_in_card: options of the constructor that `RuntimeCard.options` states under their own names
            and that a table's card may decide when `device_like` looks for its device.
    """

    name: str
    protocol: Protocol
    machine: str
    batch: int = 1
    options_in_card: tuple[str, ...] = ("batch", "compile", "graphs", "layout", "level")

    @classmethod
    def unavailable(cls) -> str | None:
        """Why this machine has no such device, or None where it has."""
        return None

    @abstractmethod
    def describe(self) -> DeviceCard:
        """What the device is."""

    @abstractmethod
    def runtime(self) -> RuntimeCard:
        """What runs the models."""

    @abstractmethod
    def start(self, keep_open: tuple[int, ...] = ()) -> Runner:
        """Start a fresh runner; it holds the file descriptors ``keep_open`` (the device's lock) too."""

    def prepare(self, model: bytes) -> bytes:
        """The ONNX model that runs in place of `model` (in another precision); `model` itself by default.

        Raises:
            ModelFailedError: it cannot be prepared; the message says why.
        """
        return model

    def reading(self) -> HostReading:
        """The machine that runs the models, at this moment; this one by default."""
        return host.reading()

    def identity(self, protocol: Protocol | None = None) -> Identity:
        """Device, runtime and protocol (the device's own, unless another is given)."""
        return Identity(self.describe(), self.runtime(), protocol or self.protocol)

    def differences(self, other: Device) -> list[str]:
        """The fields in which the other device differs; see `Identity.differences`."""
        return self.identity().differences(other.identity())

    def compatible_with(self, other: Device) -> bool:
        """Whether numbers of the two devices may be compared; `differences` says why not."""
        return not self.differences(other)
