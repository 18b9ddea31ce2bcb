"""Repeated tables under load, and the look-up on networks that it has not seen."""

import contextlib
import itertools
import multiprocessing
import time

import numpy as np

from benchmarks.timing import Row
from hwnas.latency import device, fit, measure
from hwnas.latency.predictors.validate import held_out_error
from hwnas.latency.tables.table import LatencyTable
from hwnas.spaces import MobileNetV2
from hwnas.spaces.coverage import distinct_blocks

SPACE = MobileNetV2(resolution=96, classes=10, depths=(-1, 0), widths=(0.75, 1.0))


def _burn():
    """Load one processor: arithmetic and memory traffic by turns."""
    generator = np.random.default_rng(0)
    while True:
        matrix = generator.standard_normal((400, 400))
        for _ in range(20):
            matrix = np.tanh(matrix @ matrix / 400)
        time.sleep(0.002)


@contextlib.contextmanager
def load_of_one_process():
    process = multiprocessing.get_context("spawn").Process(target=_burn, daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def repeatability(tables: int = 3) -> list[Row]:
    """Share of entries whose p10 agrees within 1 % between whole tables measured one after another."""
    networks = SPACE.sample(20, seed=1)
    blocks = list(distinct_blocks(SPACE).values())[:40]
    on = device("ort-cpu", threads=1)
    with load_of_one_process():
        measured = [measure(networks, on, blocks=blocks, seed=seed) for seed in range(tables)]
    shares = []
    for a, b in itertools.combinations(measured, 2):
        ratios = np.array([a[key].p10_us / b[key].p10_us for key in a.entries])
        shares.append(np.mean(np.abs(ratios - 1) < 0.01))
    share = float(np.mean(shares))
    return [
        Row(
            f"p10 within 1 % between {tables} tables of {len(measured[0])} entries under load of one process "
            f"(pairs from {100 * min(shares):.0f} to {100 * max(shares):.0f} %)",
            f"{100 * share:.1f} %",
            ">= 95 %",
            share >= 0.95,
        )
    ]


def lookup(corrected_on: int = 5, unseen: int = 40) -> list[Row]:
    """Look-up with an affine correction from a few whole networks, on others."""
    architectures = SPACE.sample(corrected_on + unseen, seed=2)
    on = device("ort-cpu", threads=1)
    table = measure(architectures, on, blocks=distinct_blocks(SPACE).values(), space=str(SPACE))
    seen = {a.network.key for a in architectures[:corrected_on]}
    kept = {key: entry for key, entry in table.entries.items() if entry.kind == "block" or key in seen}
    predictor = fit(LatencyTable(table.meta, kept), "lookup")
    others = [a.network for a in architectures[corrected_on:]]
    measured = np.array([table[network.key].latency_ms for network in others])
    error = held_out_error(predictor.predict(others), measured)
    what = f"look-up of {len(table.blocks)} blocks, corrected on {corrected_on} networks, {error.n} unseen"
    return [
        Row(f"{what}: MAPE", f"{100 * error.mape:.2f} %", "<= 2 %", error.mape <= 0.02),
        Row(f"{what}: within 5 %", f"{100 * error.within_5:.0f} %", ">= 95 %", error.within_5 >= 0.95),
    ]
