"""The device ``ort-cpu``: this machine's processor under onnxruntime.

Models run in a worker process of their own (`worker`), pinned to as many cores as it has threads
where the system allows it. The optimisation level is part of the runtime card: it changes latencies
by a factor of 1.2 to 4.5, and their ranking.
"""

from __future__ import annotations

from hwnas.latency.devices.device import RuntimeCard
from hwnas.latency.devices.local_cpu import LocalCpu
from hwnas.latency.devices.options import checked_choice, checked_precision
from hwnas.latency.devices.registry import register
from hwnas.latency.devices.worker_runner import WorkerRunner
from hwnas.latency.timing.onnxruntime_backend import LEVELS
from hwnas.latency.timing.protocol import STANDARD, Protocol

_FUSES_INT8 = ("extended", "all")


@register("ort-cpu")
class OrtCpu(LocalCpu):
    """The processor of this machine under onnxruntime.

    Args:
        threads: threads of one inference, 1 to the number of cores this process may use. More than
            one is only repeatable on an otherwise idle machine.
        protocol: how models are timed.
        level: optimisation of the graph, ``disable``, ``basic``, ``extended`` or ``all``.
        precision: ``fp32``, or ``int8``: models are quantised before they run, see
            `hwnas.latency.devices.int8`. Their inputs and outputs remain float32.
        batch: samples in one inference.

    Raises:
        ValueError: an option is out of range, or int8 at a level that leaves it in float32.
    """

    name = "ort-cpu"

    def __init__(
        self,
        threads: int = 1,
        protocol: Protocol = STANDARD,
        *,
        level: str = "all",
        precision: str = "fp32",
        batch: int = 1,
    ) -> None:
        super().__init__(threads, batch, protocol)
        self.level = level
        self.precision = checked_session(self.name, level, precision)

    def runtime(self) -> RuntimeCard:
        """Version of onnxruntime and the options of a session."""
        import onnxruntime

        return onnxruntime_card(
            onnxruntime.__version__, self.threads, self.level, precision=self.precision, batch=self.batch
        )

    def prepare(self, model: bytes) -> bytes:
        """The model itself, or quantised; see `Device.prepare`."""
        return prepared(model, self.precision)

    def start(self, keep_open: tuple[int, ...] = ()) -> WorkerRunner:
        """Start a fresh worker process."""
        runtime = self.runtime()
        return self.start_worker("onnxruntime", runtime.version, keep_open, options=runtime.options)


def checked_session(device: str, level: str, precision: str) -> str:
    """The long name of a precision that onnxruntime has on processors, at this level.

    Raises:
        ValueError: it has not, or no such level.
    """
    checked_choice(device, "level", level, LEVELS)
    full = checked_precision(device, precision, ("float32", "int8"))
    if full == "int8" and level not in _FUSES_INT8:
        raise ValueError(
            f"{device}: at level {level!r} onnxruntime computes quantised models in float32; "
            f"int8 needs level {' or '.join(_FUSES_INT8)}"
        )
    return full


def prepared(model: bytes, precision: str) -> bytes:
    """The model itself, or quantised; see `Device.prepare`."""
    if precision == "float32":
        return model
    from hwnas.latency.devices.int8 import quantised

    return quantised(model)


def onnxruntime_card(
    version: str, threads: int, level: str = "all", *, precision: str = "float32", batch: int = 1
) -> RuntimeCard:
    """The card of onnxruntime on a processor: its options are those that a worker is given.

    With one thread the runtime may spin; with more it starves others and times scatter.
    """
    options = {
        "level": level,
        "batch": str(batch),
        "layout": "channels_first",
        "execution_mode": "ORT_SEQUENTIAL",
        "intra_op_num_threads": str(threads),
        "inter_op_num_threads": "1",
        "allow_spinning": "1" if threads == 1 else "0",
    }
    if precision == "int8":
        options["quantisation"] = "static, QDQ, uint8 activations, int8 weights per channel"
    return RuntimeCard("onnxruntime", version, "CPUExecutionProvider", precision, options)
