"""Published networks of microcontrollers beside their published figures: `python -m benchmarks.mcu_networks`.

Figures of `tests/reference/mcunet.csv`, which names their sources; kB is 1024 bytes. SRAM is what the runtime
holds, without the safety margin that constraints add.
"""

from __future__ import annotations

import csv
from pathlib import Path

from rich.console import Console
from rich.table import Table

from hwnas.cost import count
from hwnas.cost.activation_size import mcunet_activation_bytes
from hwnas.cost.flash import flash_bytes
from hwnas.cost.memory import plan
from hwnas.network.network import Network
from hwnas.spaces import MCUNet, ProxylessNAS

PRINTED = Path(__file__).parents[1] / "tests" / "reference" / "mcunet.csv"
BOARD = "stm32h743"  # of the newest library versions that were published
RUNTIMES = ("tinyengine", "tflm", "tflm-cmsis-nn")
TABLES = {
    "Counts": ("macs_millions", "params_millions", "activation_kb"),
    "SRAM": ("sram_kb",),
    "Flash": ("flash_kb",),
}
KB = 1024

Figure = tuple[str, str]
"""A quantity, and the runtime where it has one."""


def computed(network: Network) -> dict[Figure, float]:
    """All figures of a network that are computed here, in the units of the published ones."""
    counts = count(network).whole
    figures: dict[Figure, float] = {
        ("macs_millions", ""): counts.macs / 1e6,
        ("params_millions", ""): counts.params / 1e6,
        ("activation_kb", ""): mcunet_activation_bytes(network) / KB,
    }
    for runtime in RUNTIMES:
        figures["sram_kb", runtime] = plan(network, runtime).total_bytes / KB
        figures["flash_kb", runtime] = flash_bytes(network, runtime) / KB
    return figures


def published() -> dict[str, dict[Figure, float]]:
    """The published figures by network, those of boards on `BOARD` only."""
    found: dict[str, dict[Figure, float]] = {}
    with PRINTED.open(newline="") as file:
        for row in csv.DictReader(file):
            if row["board"] in ("", BOARD):
                figures = found.setdefault(row["network"], {})
                figures[row["quantity"], row["runtime"]] = float(row["value"])
    return found


def compared(ours: float, theirs: float | None) -> str:
    """Our figure, the published one, and the relative difference."""
    if theirs is None:
        return f"{ours:.2f}"
    return f"{ours:.2f}  {theirs:g}  {100 * (ours / theirs - 1):+.1f} %"


def main() -> None:
    architectures = MCUNet.published() | ProxylessNAS.published()
    printed = published()
    ours = {name: computed(architectures[name].network) for name in printed}
    for title, quantities in TABLES.items():
        figures = [figure for figure in next(iter(ours.values())) if figure[0] in quantities]
        headings = [" ".join(filter(None, figure)) for figure in figures]
        table = Table(
            "network", *headings, title=f"{title}: ours, published, difference", title_justify="left"
        )
        for name in printed:
            cells = [compared(ours[name][figure], printed[name].get(figure)) for figure in figures]
            table.add_row(name, *cells)
        Console(width=110).print(table)


if __name__ == "__main__":
    main()
