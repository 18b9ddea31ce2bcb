"""Encoding and predicting many architectures."""

import statistics

from benchmarks.timing import Row, seconds
from hwnas.latency import QUICK, device, fit, measure
from hwnas.latency.predictors.sums import features
from hwnas.spaces import Architecture, MobileNetV2, NASBench201
from hwnas.spaces.coverage import distinct_blocks

AT_ONCE = 256
SPACE = MobileNetV2(resolution=32, classes=10, width=0.35, depths=(-1, 0), widths=(1.0,))
KINDS = ("lookup", "linear", "gbm", "gp", "gcn")


def rows(count: int = 15_625, repeats: int = 5) -> list[Row]:
    on = device("ort-cpu", threads=1, protocol=QUICK)
    table = measure(SPACE.sample(30, seed=0), on, blocks=distinct_blocks(SPACE).values(), space=str(SPACE))
    architectures = SPACE.sample(count, seed=3)
    found = []
    for kind in KINDS:
        predictor = fit(table, kind)
        taken = statistics.median(
            seconds(lambda p=predictor: p.predict(architectures)) for _ in range(repeats)
        )
        found.append(
            Row(f"predicting {count:,} architectures, {kind}", f"{taken:.2f} s", "< 0.5 s", taken < 0.5)
        )
    return found


def encoding(repeats: int = 5) -> list[Row]:
    """From architectures to networks to features: all of NAS-Bench-201, none of whose cells is remembered."""
    everything = list(NASBench201())
    _encode(everything)
    taken = statistics.median(seconds(lambda: _encode(everything)) for _ in range(repeats))
    rate = len(everything) / taken
    what = f"encoding {len(everything):,} architectures of NAS-Bench-201"
    return [Row(what, f"{rate:,.0f} /s", "≥ 20,000 /s", rate >= 20_000)]


def _encode(architectures: list[Architecture]) -> None:
    for start in range(0, len(architectures), AT_ONCE):
        features([architecture.network for architecture in architectures[start : start + AT_ONCE]])
