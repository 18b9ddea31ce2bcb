"""What Arm's compiler Vela says of a network, read from the files that it writes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hwnas.csv_rows import csv_records

_LARGEST = 1 << 26
_KIB = 1024


@dataclass(frozen=True)
class VelaLayer:
    """One operation of the compiled network.

    Attributes:
        name: of the tensor that it makes.
        operator: the operator of the .tflite file that it comes from, as Vela calls it.
        operation: what the accelerator does.
        is_on_cpu: whether it is left to the processor, and so not in the estimate.
        cycles: of the accelerator's clock.
        macs: multiply-accumulates.
        staging_bytes: memory for feature maps while it runs.
    """

    name: str
    operator: str
    operation: str
    is_on_cpu: bool
    cycles: int
    macs: int
    staging_bytes: int


@dataclass(frozen=True)
class VelaEstimate:
    """An estimate by the compiler, not a measurement; Arm calls it so itself.

    Attributes:
        accelerator: `ethos-u55-128`, ...
        latency_ms: milliseconds of one inference on the accelerator.
        cycles: cycles of one inference, waiting for memory included.
        npu_cycles: cycles of arithmetic.
        clock_mhz: the accelerator's clock.
        sram_bytes: SRAM used.
        flash_bytes: off-chip flash used; weights are compressed, so it depends on their values.
        macs: multiply-accumulates.
        layers: the operations in order.
    """

    accelerator: str
    latency_ms: float
    cycles: int
    npu_cycles: int
    clock_mhz: float
    sram_bytes: int
    flash_bytes: int
    macs: int
    layers: tuple[VelaLayer, ...]

    @property
    def on_cpu(self) -> tuple[str, ...]:
        """The operators that are left to the processor, as `operator name`."""
        return tuple(f"{layer.operator} {layer.name}" for layer in self.layers if layer.is_on_cpu)


def read_report(folder: Path, accelerator: str) -> VelaEstimate:
    """Read the summary and the layers that Vela wrote into `folder`.

    Raises:
        ValueError: a file is missing, too large or no such report, or its numbers contradict each other; the
            message names file and field.
    """
    summary_file, layers_file = _only(folder, "*_summary_*.csv"), _only(folder, "*_per-layer.csv")
    rows = csv_records(summary_file, _LARGEST)
    if len(rows) != 1:
        raise ValueError(f"{summary_file.name}: {len(rows)} rows; a summary has one")
    values = {field: _number(rows[0], field, summary_file.name) for field in _FIELDS}
    clock, cycles = values["core_clock"], values["cycles_total"]
    if not (clock > 0 and math.isclose(values["inference_time"], cycles / clock, rel_tol=1e-6)):
        raise ValueError(
            f"{summary_file.name}: inference_time is {values['inference_time']}, not cycles_total {cycles} "
            f"by core_clock {clock}, which must be positive"
        )
    return VelaEstimate(
        accelerator,
        1000 * cycles / clock,
        int(cycles),
        int(values["cycles_npu"]),
        clock / 1e6,
        round(_KIB * values["sram_memory_used"]),
        round(_KIB * values["off_chip_flash_memory_used"]),
        int(values["nn_macs"]),
        tuple(
            _layer(row, f"{layers_file.name}: row {i}")
            for i, row in enumerate(csv_records(layers_file, _LARGEST), start=1)
        ),
    )


_FIELDS = (
    "core_clock",
    "inference_time",
    "sram_memory_used",
    "off_chip_flash_memory_used",
    "nn_macs",
    "cycles_npu",
    "cycles_total",
)


def _layer(row: Mapping[str, str], where: str) -> VelaLayer:
    target = _text(row, "Target", where)
    if target not in ("NPU", "CPU"):
        raise ValueError(f"{where}: field 'Target' is {target[:40]!r}; it must be NPU or CPU")
    return VelaLayer(
        _text(row, "Name", where),
        _text(row, "Original Operator", where),
        _text(row, "NNG Operator", where),
        target == "CPU",
        int(_number(row, "Op Cycles", where)),
        int(_number(row, "MAC Count", where)),
        int(_number(row, "Staging Usage", where)),
    )


def _only(folder: Path, pattern: str) -> Path:
    found = list(folder.glob(pattern))
    if len(found) != 1:
        raise ValueError(f"{len(found)} files {pattern} where Vela writes one")
    return found[0]


def _text(row: Mapping[str, str], field: str, where: str) -> str:
    text = row.get(field)
    if text is None:
        raise ValueError(f"{where}: there is no field {field!r}")
    return "".join(c if c.isprintable() else "?" for c in text)


def _number(row: Mapping[str, str], field: str, where: str) -> float:
    text = _text(row, field, where)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < 1e18:
        raise ValueError(f"{where}: field {field!r} is {text[:40]!r}; it must be a number of at least 0")
    return value
