"""What the operating system tells about this machine: processor, load, clock, stolen time.

Everything that cannot be read (no ``/proc``, no permission) is None, never a guess.
"""

from __future__ import annotations

import hashlib
import os
import platform
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
CPUS = Path("/sys/devices/system/cpu")
_INSTRUCTION_SETS = (
    "sse",
    "ssse",
    "avx",
    "fma",
    "f16c",
    "amx",
    "asimd",
    "neon",
    "sve",
    "i8mm",
    "bf16",
    "fphp",
)


@dataclass(frozen=True)
class HostReading:
    """What the machine does at a moment. None: the system does not tell.

    Attributes:
        load: load average of the last minute.
        clock_mhz: mean of the cores' present clocks.
        stolen_ticks: ticks of all cores that the hypervisor took since the start.
        ticks: all ticks of all cores since the start.
    """

    load: float | None
    clock_mhz: float | None
    stolen_ticks: int | None
    ticks: int | None


@dataclass(frozen=True)
class HostFacts:
    """What a processor is; the fields of `hwnas.latency.devices.device.DeviceCard` that it decides."""

    vendor: str
    model: str
    flags_digest: str | None
    cores: int
    governor: str | None
    virtual: bool | None
    maximum_mhz: int | None
    memory_kib: int | None
    os: str


def facts() -> HostFacts:
    """What this machine's processor is."""
    return HostFacts(
        vendor=cpuinfo().get("vendor_id", "unknown"),
        model=cpu_model(),
        flags_digest=flags_digest(),
        cores=os.cpu_count() or len(usable_cores()),
        governor=governor(),
        virtual=is_virtual(),
        maximum_mhz=maximum_mhz(),
        memory_kib=memory_kib(),
        os=operating_system(),
    )


def reading() -> HostReading:
    """The machine at this moment."""
    stolen, every = processor_ticks() or (None, None)
    return HostReading(load_average(), clock_mhz(), stolen, every)


def cpuinfo() -> dict[str, str]:
    """Fields of the first processor in ``/proc/cpuinfo``; empty where there is none."""
    first = (_text(PROC / "cpuinfo") or "").split("\n\n")[0]
    pairs = (line.split(":", 1) for line in first.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in pairs}


def cpu_model() -> str:
    """Name of the processor with family, model and stepping: a virtual machine's name alone is vague."""
    info = cpuinfo()
    name = info.get("model name") or info.get("Model") or platform.processor() or platform.machine()
    parts = [f"{field} {info[field]}" for field in ("cpu family", "model", "stepping") if field in info]
    return f"{name} ({', '.join(parts)})" if parts else name


def flags_digest() -> str | None:
    """Digest of the vector instruction sets, which decide the kernels a runtime picks."""
    info = cpuinfo()
    flags = sorted(f for f in _flags(info) if f.startswith(_INSTRUCTION_SETS))
    return hashlib.sha256(" ".join(flags).encode()).hexdigest()[:16] if flags else None


def is_virtual() -> bool | None:
    """Whether a hypervisor is below."""
    flags = _flags(cpuinfo())
    return "hypervisor" in flags if flags else None


def memory_kib() -> int | None:
    """Main memory in KiB."""
    for line in (_text(PROC / "meminfo") or "").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1])
    return None


def governor() -> str | None:
    """Frequency governor of the first core."""
    return _text(CPUS / "cpu0/cpufreq/scaling_governor")


def maximum_mhz(cpu: int = 0) -> int | None:
    """Highest clock of a core in MHz."""
    khz = _text(CPUS / f"cpu{cpu}/cpufreq/cpuinfo_max_freq")
    return int(khz) // 1000 if khz else None


def clock_mhz() -> float | None:
    """Mean of the cores' present clocks in MHz."""
    lines = (_text(PROC / "cpuinfo") or "").splitlines()
    clocks = [float(line.split(":")[1]) for line in lines if line.startswith("cpu MHz")]
    return sum(clocks) / len(clocks) if clocks else None


def load_average() -> float | None:
    """Load average of the last minute."""
    try:
        return os.getloadavg()[0]
    except OSError:
        return None


def processor_ticks() -> tuple[int, int] | None:
    """Ticks (stolen by the hypervisor, all) of all cores since the start, from ``/proc/stat``."""
    lines = (_text(PROC / "stat") or "").splitlines()
    ticks = [int(t) for t in lines[0].split()[1:9]] if lines else []
    return (ticks[7], sum(ticks)) if len(ticks) == 8 else None


def usable_cores() -> list[int]:
    """Cores this process may run on, the best to pin to first.

    Fast cores before slow ones, one thread of each physical core before its siblings, and core 0,
    which serves most interrupts, last among equals.
    """
    if not hasattr(os, "sched_getaffinity"):
        return list(range(os.cpu_count() or 1))
    return sorted(
        os.sched_getaffinity(0), key=lambda cpu: (-(maximum_mhz(cpu) or 0), _thread_rank(cpu), -cpu)
    )


def operating_system() -> str:
    """Name and release of the system."""
    return f"{platform.system()} {platform.release()} {platform.machine()}"


def _thread_rank(cpu: int) -> int:
    siblings = _text(CPUS / f"cpu{cpu}/topology/thread_siblings_list") or str(cpu)
    members: list[int] = []
    for part in siblings.split(","):
        first, _, last = part.partition("-")
        members.extend(range(int(first), int(last or first) + 1))
    return members.index(cpu) if cpu in members else 0


def _flags(info: dict[str, str]) -> list[str]:
    return (info.get("flags") or info.get("Features") or "").split()


def _text(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return None
