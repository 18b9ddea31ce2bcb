"""Choosing among the 108 spaces of TinyNAS: how long it takes, and whether the published choices come out.

Published (Lin et al., "MCUNet", NeurIPS 2020): the networks released for three pairs of SRAM and flash are of
the spaces below; and of the networks of w0.5-r144 that fit an STM32F746 (100 classes) 80 % have at most
50.3 M MACs (figure 3). That is with the paper's expansions 3, 4 and 6; the released networks have 5 too.

`python -m benchmarks.space_selection` prints the first three spaces for each pair and seed, and the figures;
`--seeds`, `--samples` and `--jobs` change how much is drawn and by how many processes.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from concurrent.futures import Executor

from rich.console import Console
from rich.table import Table

from benchmarks.timing import Row
from hwnas.executors import process_pool
from hwnas.spaces import MCUNet
from hwnas.spaces.mcunet import EXPANSIONS
from hwnas.tinynas import Selection, select_space

RELEASED = {("256kB", "1MB"): "w0.5-r160", ("320kB", "1MB"): "w0.5-r176", ("512kB", "2MB"): "w1-r160"}
P80 = ("w0.5-r144", 50.3e6)
PAPERS_EXPANSIONS = (3, 4, 6)
SECONDS = 20
SAMPLES = 1000


def timed(action: Callable[[], Selection]) -> tuple[Selection, float]:
    started = time.perf_counter()
    found = action()
    return found, time.perf_counter() - started


def p80(samples: int = SAMPLES, seed: int = 0, expansions: tuple[int, ...] = EXPANSIONS) -> float:
    """MACs of the space whose 80th percentile the paper states."""
    space = MCUNet(width=0.5, resolution=144, classes=100, expansions=expansions)
    return select_space([space], board="stm32f746", samples=samples, seed=seed).best.p80_macs


def picked(pair: tuple[str, str], seed: int, samples: int, executor: Executor) -> tuple[Selection, float]:
    sram, flash = pair
    return timed(lambda: select_space(sram=sram, flash=flash, samples=samples, seed=seed, executor=executor))


def rows() -> list[Row]:
    pair, released = next(iter(RELEASED.items()))
    before = _processor_seconds()
    with process_pool(2) as executor:
        found, seconds = picked(pair, 0, SAMPLES, executor)
    worked = _processor_seconds() - before
    published = P80[1]
    difference = p80() / published - 1
    return [
        Row(
            f"108 spaces × {SAMPLES:,} networks with memory plans, two cores",
            f"{seconds:.1f} s ({worked:.1f} s of processor time)",
            f"<= {SECONDS} s",
            seconds <= SECONDS,
        ),
        Row(
            f"space for {' and '.join(pair)}",
            found.best.name,
            f"{released}, the released network's",
            found.best.name == released,
        ),
        Row(
            f"80 % of {P80[0]} on an STM32F746 within",
            f"{(1 + difference) * published / 1e6:.1f} M ({100 * difference:+.1f} %)",
            f"{published / 1e6:.1f} M ± 5 %",
            abs(difference) <= 0.05,
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    table = Table("limits", "seed", "released", "rank", "first three", "s", box=None, pad_edge=False)
    with process_pool(options.jobs) as executor:
        for pair, released in RELEASED.items():
            for seed in range(options.seeds):
                found, seconds = picked(pair, seed, options.samples, executor)
                names = [one.name for one in found.ranked]
                table.add_row(
                    " / ".join(pair),
                    str(seed),
                    released,
                    str(names.index(released) + 1),
                    "; ".join(_described(found, rank) for rank in range(3)),
                    f"{seconds:.1f}",
                )
    console = Console(width=150)
    console.print(table)
    for seed in range(options.seeds):
        for expansions in (EXPANSIONS, PAPERS_EXPANSIONS):
            macs = p80(options.samples, seed, expansions)
            console.print(
                f"80 % of {P80[0]} on an STM32F746, 100 classes, expansions {expansions}, seed {seed}: "
                f"within {macs / 1e6:.1f} M (published 50.3 M, {100 * (macs / P80[1] - 1):+.1f} %)"
            )
    console.print(f"memory of this process at most {_megabytes(resource.RUSAGE_SELF)}, of the largest worker "
                  f"{_megabytes(resource.RUSAGE_CHILDREN)}")  # fmt: skip


def _described(found: Selection, rank: int) -> str:
    one = found.ranked[rank]
    first = "untold" if one.probability_first is None else f"{one.probability_first:.0%}"
    return f"{one.name} {one.mean_macs / 1e6:.1f} M, {one.feasible:.0%}, first {first}"


def _processor_seconds() -> float:
    """Of this process and of its workers that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _megabytes(who: int) -> str:
    return f"{resource.getrusage(who).ru_maxrss / 1024:.0f} MB"


if __name__ == "__main__":
    main()
