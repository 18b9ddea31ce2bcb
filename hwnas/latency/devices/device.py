"""Devices: things that run ONNX models and are timed.

A `Device` says what it is (`DeviceCard`), what runs the models (`RuntimeCard`) and how they are timed
(`Protocol`); the three together are its `Identity`, and numbers of different identities are never
compared. ``device(name, ...)`` makes one by name. A device of your own is a subclass of `Device` and
`Runner`, registered with ``@register("its-name")``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.timing import host
from hwnas.latency.timing.host import HostReading
from hwnas.latency.timing.protocol import Protocol


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
    """What runs the models, and the options it was given."""

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
                if a != b and not (part == "device" and field.name in _DESCRIPTIVE):
                    found.append(f"{part}.{field.name}: {a!r}, not {b!r}")
        return found


class ModelFailedError(ValueError):
    """The runtime refused a model or failed to run it; the message names the model."""


class RunnerDiedError(RuntimeError):
    """The process that runs the models ended. ``key`` is the model in work then, or None."""

    def __init__(self, message: str, key: str | None) -> None:
        super().__init__(message)
        self.key = key


@dataclass(frozen=True)
class Chunk:
    """Times of consecutive runs of one model, each of shape (count,), in microseconds."""

    wall_us: NDArray[np.float64]
    cpu_us: NDArray[np.float64]


@dataclass(frozen=True)
class Profile:
    """What a runtime says of its nodes in consecutive runs of one model.

    Attributes:
        nodes: names of the executed nodes in order, the model's own where the runtime keeps them.
        times_us: microseconds, (runs, nodes).
    """

    nodes: tuple[str, ...]
    times_us: NDArray[np.float64]


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

    def reading(self) -> HostReading:
        """The machine that runs the models, at this moment; this one by default."""
        return host.reading()

    def __enter__(self) -> Runner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Device(ABC):
    """Something that runs ONNX models and is timed."""

    name: str
    protocol: Protocol
    machine: str
    """What two devices must share to disturb each other: they are never measured at the same time."""

    @abstractmethod
    def describe(self) -> DeviceCard:
        """What the device is."""

    @abstractmethod
    def runtime(self) -> RuntimeCard:
        """What runs the models."""

    @abstractmethod
    def start(self, keep_open: tuple[int, ...] = ()) -> Runner:
        """Start a fresh runner; it holds the file descriptors ``keep_open`` (the device's lock) too."""

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


_REGISTRY: dict[str, Callable[..., Device]] = {}


def register(name: str) -> Callable[[type[Device]], type[Device]]:
    """Class decorator: make a device available to ``device(name, ...)``.

    Raises:
        ValueError: the name is taken.
    """

    def add(factory: type[Device]) -> type[Device]:
        if name in _REGISTRY:
            raise ValueError(f"a device named {name!r} exists already")
        _REGISTRY[name] = factory
        return factory

    return add


def devices() -> list[str]:
    """Names of the known devices."""
    return sorted(_REGISTRY)


def device(name: str, **options: Any) -> Device:
    """Make a device by name; ``device("ort-cpu", threads=1)``.

    Raises:
        ValueError: the name or an option is not known or out of range.
    """
    if name not in _REGISTRY:
        raise ValueError(f"no device {name!r}; known: {', '.join(devices())}")
    return _REGISTRY[name](**options)


def device_like(identity: Identity) -> Device:
    """The device of this machine whose numbers are comparable with those of `identity`.

    Raises:
        ValueError: there is none; the message names the fields that differ.
    """
    differences: list[str] = []
    for name in devices():
        found = device(name, threads=identity.device.threads, protocol=identity.protocol)
        differences = identity.differences(found.identity())
        if not differences:
            return found
    raise ValueError(
        f"this machine is not the one that was measured ({identity.device.model}): {'; '.join(differences)}"
    )
