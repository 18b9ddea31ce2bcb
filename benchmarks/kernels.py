"""Kernel tables: networks that were never measured, predicted from the kernels of eight profiled ones."""

from __future__ import annotations

import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.timing import Row
from hwnas.latency import LatencyTable, device, fit, measure
from hwnas.latency.kernels.cover import covering
from hwnas.latency.kernels.harvest import measure_kernels
from hwnas.latency.measuring import groups
from hwnas.latency.predictors import InterpolatedWarning
from hwnas.latency.predictors.validate import held_out_error
from hwnas.spaces import space as space_of

PROFILED, UNSEEN, CANDIDATES = 8, 50, 256
SPACES = ("mobilenetv2:resolution=96,classes=10", "nasbench201")


def rows() -> list[Row]:
    return [row for spec in SPACES for row in _rows(spec)]


def _rows(spec: str, folder: Path | None = None) -> list[Row]:
    """All whole networks are timed in one group: on a busy machine minutes make 5 %."""
    groups.GROUP_SIZE = PROFILED + UNSEEN
    space = space_of(spec)
    profiled = covering(space.sample(CANDIDATES, seed=0), PROFILED)
    unseen = space.sample(UNSEEN, seed=100)
    on = device("ort-cpu")
    kernels = measure_kernels(profiled, on, space=spec, folder=folder and folder / "kernels")
    whole = measure([*profiled, *unseen], on, blocks=False, space=spec, folder=folder and folder / "whole")
    return judged(spec, kernels, whole)


def judged(spec: str, kernels: LatencyTable, whole: LatencyTable) -> list[Row]:
    timed = {e.key: replace(whole[e.key], blocks=e.blocks) for e in kernels.networks}
    predictor = fit(LatencyTable(kernels.meta, {**kernels.entries, **timed}), "kernel", interpolate=True)
    space = space_of(spec)
    unseen = [e for e in whole.networks if e.key not in timed]
    networks = [space.parse(e.name).network for e in unseen]
    measured = np.array([e.latency_ms for e in unseen])
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InterpolatedWarning)
        predicted = predictor.predict(networks)
    each = (time.perf_counter() - started) / len(networks)
    error = held_out_error(predicted, measured)
    share = predictor.predictor.interpolated_share(networks).mean()
    what = f"kernels of {len(timed)} networks, {space.name}, {len(unseen)} unseen"
    found = f"{100 * error.within_5:.0f} % within 5 %, MAPE {100 * error.mape:.1f} %, "
    found += f"{100 * share:.0f} % interpolated"
    return [
        Row(what, found, ">= 95 % within 5 %", error.within_5 >= 0.95),
        Row(
            f"predicting by kernels, first time, {space.name}",
            f"{1e3 * each:.1f} ms each",
            "< 10 ms",
            each < 0.01,
        ),
    ]
