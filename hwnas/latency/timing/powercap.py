"""The processor's energy counters under Linux: ``/sys/class/powercap/intel-rapl:*`` (AMD's too).

Counted are the domains ``package-N``: cores, caches and memory controllers of each processor, and
everything else that runs on it meanwhile. ``psys`` and the domains inside a package would count twice.
"""

from __future__ import annotations

from pathlib import Path


class PowercapMeter:
    """The sum of the packages' counters, in microjoules.

    Args:
        root: the folder ``/sys/class/powercap``.

    Raises:
        ValueError: there is no package domain, or a file of one holds no number.
        PermissionError: a counter may not be read.
    """

    def __init__(self, root: str | Path) -> None:
        zones = sorted(Path(root).glob("intel-rapl:*"))
        if not zones:
            raise ValueError(f"no {root}/intel-rapl*")
        packages = [zone for zone in zones if _text(zone / "name").startswith("package")]
        if not packages:
            raise ValueError(f"no package domain among {root}/intel-rapl*")
        self._counters = [zone / "energy_uj" for zone in packages]
        self._turns = [_number(zone / "max_energy_range_uj") for zone in packages]
        self.description = f"powercap, {len(packages)} package domain{'s' * (len(packages) > 1)}"
        self.read()

    def read(self) -> tuple[int, ...]:
        """The counter of each package, in microjoules."""
        return tuple(_number(counter) for counter in self._counters)

    def joules(self, before: tuple[int, ...], after: tuple[int, ...]) -> float:
        """Energy between two readings; a counter that became smaller has turned once."""
        pairs = zip(before, after, self._turns, strict=True)
        return sum(b - a if b >= a else b - a + turn for a, b, turn in pairs) / 1e6


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except PermissionError:
        raise PermissionError(f"{path} may not be read by this user (root may)") from None


def _number(path: Path) -> int:
    text = _text(path)
    if not text.isdecimal():
        raise ValueError(f"{path} holds {text[:40]!r}, not a number")
    return int(text)
