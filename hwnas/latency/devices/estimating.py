"""Devices whose latencies are estimates: of a compiler, or counted; equal at every repetition."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Callable
from contextlib import ExitStack

import numpy as np

from hwnas.latency.devices.device import Device, ModelFailedError, Runner
from hwnas.latency.timing.host import HostReading
from hwnas.latency.timing.protocol import ESTIMATE
from hwnas.latency.timing.samples import Chunk
from hwnas.network.program import Program

Estimate = Callable[[bytes], float]


class EstimatingDevice(Device):
    """A device that estimates the latency of an ONNX model instead of running it.

    Its tables hold the estimate in every column of times. A subclass gives cards and `estimator`. An estimate
    is made once for each model.
    """

    protocol = ESTIMATE

    def __init__(self) -> None:
        self._known: dict[str, float] = {}
        self.machine = self.name

    @abstractmethod
    def estimator(self, stack: ExitStack) -> Estimate:
        """A function from an ONNX model to its latency in milliseconds; what it needs is closed by `stack`.

        The function raises ModelFailedError where it cannot tell, and RunnerDiedError where it ended.
        """

    def start(self, keep_open: tuple[int, ...] = ()) -> Runner:
        """A runner that returns estimates."""
        return _EstimateRunner(self, self._known)

    def reading(self) -> HostReading:
        """Nothing: no machine's state changes an estimate."""
        return HostReading(None, None, None, None)


class _EstimateRunner(Runner):
    def __init__(self, device: EstimatingDevice, known: dict[str, float]) -> None:
        self._device, self._known = device, known
        self._stack = ExitStack()
        self._estimate: Estimate | None = None
        self._loaded: dict[str, float] = {}

    def load(self, key: str, model: bytes, warm_up: int) -> int:
        """Estimate the model, unless its estimate is known; raises as `Runner.load`."""
        digest = hashlib.sha256(model).hexdigest()
        if digest not in self._known:
            if self._estimate is None:
                self._estimate = self._device.estimator(self._stack)
            self._known[digest] = self._estimate(model)
        self._loaded[key] = self._known[digest]
        return 1

    def run(self, key: str, discard: int, count: int) -> Chunk:
        """The estimate, `count` times."""
        times = np.full(count, 1000 * self._loaded[key])
        return Chunk(times, times)

    def reading(self) -> HostReading:
        return self._device.reading()

    def close(self) -> None:
        self._stack.close()


def program_of(model: bytes) -> Program:
    """The int8 program of an ONNX model.

    Raises:
        ModelFailedError: it is none that hwnas reads, or has an operator that TFLite lacks.
    """
    from hwnas.network.from_onnx import from_onnx
    from hwnas.network.program.lower import lower

    try:
        return lower(from_onnx(model))
    except ValueError as error:
        raise ModelFailedError(str(error)) from error
