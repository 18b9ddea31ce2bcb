"""Evolution under a microcontroller's memory against the best of 10,000 random networks that fit.

python -m benchmarks.mcu_evolution [--seeds 3]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from hwnas.cost import count, flash_bytes, limits, peak_sram_bytes
from hwnas.search import run
from hwnas.spaces import MCUNet

SRAM, FLASH, RUNTIME = "320kB", "1MB", "tinyengine"
RANDOM, TRIALS = 10_000, 3_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = parser.parse_args().seeds
    space = MCUNet(width=0.5, resolution=176)
    print(f"{space} under {SRAM} SRAM and {FLASH} flash of {RUNTIME}: most MACs found")
    for seed in range(seeds):
        started = time.perf_counter()
        best, drawn = random_best(space, seed)
        random_seconds = time.perf_counter() - started
        started = time.perf_counter()
        found = evolved(space, seed)
        seconds = time.perf_counter() - started
        print(
            f"seed {seed}: best of {RANDOM:,} random ones that fit (of {drawn:,} drawn): {best / 1e6:.1f} M, "
            f"{random_seconds:.0f} s; genetic, {TRIALS:,} trials {found / 1e6:.1f} M in {seconds:.0f} s, "
            f"{found / best:.3f} times as many"
        )


def random_best(space: MCUNet, seed: int) -> tuple[float, int]:
    """The most MACs of networks that fit, and how many were drawn to find so many that do."""
    generator = np.random.default_rng(seed)
    most = limits(sram=SRAM, flash=FLASH)
    assert most.sram_bytes is not None and most.flash_bytes is not None
    best, fitting, drawn = 0, 0, 0
    while fitting < RANDOM:
        network = space.random(generator).network
        drawn += 1
        fits = flash_bytes(network, RUNTIME) <= most.flash_bytes
        if fits and peak_sram_bytes(network, RUNTIME) <= most.sram_bytes:
            fitting += 1
            best = max(best, count(network).whole.macs)
    return best, drawn


def evolved(space: MCUNet, seed: int) -> float:
    """The MACs of the answer of MCUNet's evolution with its own settings."""
    with tempfile.TemporaryDirectory() as folder:
        found = run(
            space,
            maximize="macs",
            subject_to=limits(sram=SRAM, flash=FLASH).constraints(),
            runtime=RUNTIME,
            strategy="genetic",
            budget=TRIALS,
            candidates=1,
            seed=seed,
            folder=Path(folder) / "run",
        )
        return found.best().metrics["macs"]


if __name__ == "__main__":
    main()
