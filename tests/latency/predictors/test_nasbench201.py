"""On published measurements: NAS-Bench-201 on 19 devices (HELP, Lee et al., NeurIPS 2021)."""

import os
from pathlib import Path

import numpy as np
import pytest

from hwnas.latency.predictors import GbmPredictor, LinearPredictor
from hwnas.latency.predictors.ridge import fit_ridge
from hwnas.latency.predictors.validate import held_out_error
from hwnas.spaces import NASBench201

DATA = Path(os.environ.get("HWNAS_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
FILE = DATA / "nasbench201" / "latency_ms.parquet"

pytestmark = pytest.mark.skipif(not FILE.exists(), reason="the measurements of NAS-Bench-201 are not here")

DEVICES = ("1080ti_1", "silver_4114", "pixel3", "gold_6240", "titan_rtx_32", "samsung_a50")


@pytest.fixture(scope="module")
def sample():
    from pyarrow import parquet

    table = parquet.read_table(FILE)
    rows = table.take(np.random.default_rng(0).permutation(len(table))[:2000])
    space = NASBench201()
    texts = rows["arch"].to_pylist()
    return [space.parse(text).network for text in texts], texts, rows


COUNTED = ("skip_connect~", "nor_conv_1x1~", "nor_conv_3x3~", "avg_pool_3x3~")


@pytest.mark.parametrize("kind, n", [(LinearPredictor, 100), (LinearPredictor, 900), (GbmPredictor, 900)])
def test_better_than_a_line_on_operator_counts(sample, kind, n):
    """The baseline that beats published few-sample predictors on this space, on the same split."""
    networks, texts, rows = sample
    counts = np.array([[text.count(op) for op in COUNTED] for text in texts], dtype=np.float64)
    ours, baseline = [], []
    for device in DEVICES:
        measured = rows[device].to_numpy().astype(np.float64)
        predictor = kind()
        predictor.fit(networks[:n], measured[:n])
        ours.append(held_out_error(predictor.predict(networks[n:]), measured[n:]))
        line = fit_ridge(counts[:n], measured[:n])
        baseline.append(held_out_error(counts[n:] @ line.weights + line.intercept, measured[n:]))
    assert _mean("spearman", ours) > max(0.96, _mean("spearman", baseline))
    assert _mean("within_10", ours) > max(0.8, _mean("within_10", baseline))


def _mean(figure, errors):
    return float(np.mean([getattr(error, figure) for error in errors]))
