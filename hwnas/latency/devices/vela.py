"""The devices ``vela-ethos-u55-128``, ...: Arm's Ethos-U accelerators as Arm's compiler Vela estimates them.

An estimate by a compiler, not a measurement: for performance numbers Arm refers to its models and FPGAs. It
is repeatable, and not linear in multiply-accumulates. ONNX models are lowered to int8 with arbitrary numbers;
Vela compresses weights, so that networks with trained ones may be estimated faster.
"""

from __future__ import annotations

from contextlib import ExitStack
from importlib.metadata import version

from hwnas.latency.devices.device import DeviceCard, ModelFailedError, RuntimeCard
from hwnas.latency.devices.estimating import Estimate, EstimatingDevice, program_of
from hwnas.latency.devices.registry import register
from hwnas.latency.devices.vela_compiler import (
    ACCELERATORS,
    MEMORY_MODE,
    VelaCompiler,
    VelaError,
    unavailable,
)
from hwnas.network.program import Program


class Vela(EstimatingDevice):
    """An Ethos-U accelerator as Arm's compiler Vela estimates it.

    Attributes:
        accelerator: one of `ACCELERATORS`.

    Raises:
        ValueError: the compiler is not installed.
    """

    accelerator: str

    def __init__(self) -> None:
        if reason := unavailable():
            raise ValueError(f"{self.name}: {reason}")
        super().__init__()

    @classmethod
    def unavailable(cls) -> str | None:
        """Why there is no compiler here, or None."""
        return unavailable()

    def describe(self) -> DeviceCard:
        """The accelerator; an estimate of its compiler."""
        return DeviceCard(
            kind="npu",
            vendor="Arm",
            model=f"{self.accelerator} (estimated by Arm's compiler, not measured)",
            flags_digest=None,
            cores=1,
            threads=1,
            governor=None,
            virtual=True,
            maximum_mhz=500,
            memory_kib=None,
            os="none",
        )

    def runtime(self) -> RuntimeCard:
        """The compiler and the system that it estimates."""
        options = {"system": ACCELERATORS[self.accelerator], "memory_mode": MEMORY_MODE, "batch": "1"}
        return RuntimeCard("ethos-u-vela", version("ethos-u-vela"), self.accelerator, "int8", options)

    def estimator(self, stack: ExitStack) -> Estimate:
        """A compiler's process."""
        compiler = stack.enter_context(VelaCompiler())
        return lambda model: _latency_ms(model, compiler, self.accelerator)


def stand_in(program: Program) -> bytes:
    """A `.tflite` file of an int8 program with arbitrary weights, for the compiler.

    Raises:
        ValueError: an operator has no form in int8; the message names it.
    """
    from hwnas.network.quantise import placeholder
    from hwnas.network.tflite import write_tflite

    return write_tflite(placeholder(program))


def _latency_ms(model: bytes, compiler: VelaCompiler, accelerator: str) -> float:
    try:
        found = compiler.estimate(stand_in(program_of(model)), accelerator)
    except VelaError as error:
        raise ModelFailedError(str(error)) from None
    if found.on_cpu:
        raise ModelFailedError(
            f"{accelerator} leaves operators to the processor, which the estimate leaves out: "
            f"{', '.join(found.on_cpu[:5])}"
        )
    return found.latency_ms


for _accelerator in ACCELERATORS:
    _name = f"vela-{_accelerator}"
    _text = f"Arm {_accelerator} as Arm's compiler Vela estimates it; not a measurement."
    register(_name)(type("Vela", (Vela,), {"name": _name, "accelerator": _accelerator, "__doc__": _text}))
