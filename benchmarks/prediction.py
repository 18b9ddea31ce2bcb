"""Predicting 10,000 architectures with each predictor."""

import statistics

from benchmarks.timing import Row, seconds
from hwnas.latency import QUICK, device, fit, measure
from hwnas.latency.predictors import kinds
from hwnas.spaces import MobileNetV2
from hwnas.spaces.coverage import distinct_blocks

SPACE = MobileNetV2(resolution=32, classes=10, width=0.35, depths=(-1, 0), widths=(1.0,))


def rows(count: int = 10_000, repeats: int = 5) -> list[Row]:
    on = device("ort-cpu", threads=1, protocol=QUICK)
    table = measure(SPACE.sample(30, seed=0), on, blocks=distinct_blocks(SPACE).values(), space=str(SPACE))
    architectures = SPACE.sample(count, seed=3)
    found = []
    for kind in kinds():
        predictor = fit(table, kind)
        taken = statistics.median(
            seconds(lambda p=predictor: p.predict(architectures)) for _ in range(repeats)
        )
        found.append(Row(f"predicting {count:,} architectures, {kind}", f"{taken:.2f} s", "< 1 s", taken < 1))
    return found
