"""Joining scores and truth, and published correlations of the whole of NAS-Bench-201."""

import csv
import math
import os
from pathlib import Path

import numpy as np
import pytest

from hwnas.cost import count
from hwnas.proxies.correlation import Table, compare, correlate
from hwnas.spaces import NASBench201

DATA = Path(os.environ.get("HWNAS_TEST_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
ACCURACY = DATA / "nasbench201" / "cifar10_accuracy.csv"
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
WEIGHTS = {"nor_conv_3x3": 9, "nor_conv_1x1": 1}


def test_rows_are_joined_by_architecture():
    truth = Table(("c", "a", "x", "b", "d"), {"accuracy": np.array([3.0, 1.0, 9.0, 2.0, math.nan])})
    scores = Table(("a", "b", "c", "d", "e"), {"mine": np.array([1.0, 2.0, 3.0, 0.0, 9.0])})
    found = compare(scores, truth, "accuracy", higher_is_better={"mine": True}, resamples=2)
    assert found.architectures == ("a", "b", "c")
    assert found.truth.tolist() == [1, 2, 3]
    assert found.judged[0].scores.tolist() == [1, 2, 3]
    assert found.judged[0].correlation.spearman.value == 1
    assert (found.listed, found.size, found.baselines) == (5, None, ())


def test_baselines_come_first_and_in_any_case():
    values = np.arange(5.0)
    scores = Table("abcde", {"mine": values, "flops": -values, "params": values + 1, "other": values})
    truth = Table("abcde", {"accuracy": values})
    seen = []
    found = compare(
        scores, truth, "accuracy", higher_is_better={"mine": False}, resamples=2,
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert [(one.name, one.baseline, one.higher_is_better) for one in found.judged] == [
        ("params", True, True),
        ("flops", True, True),
        ("mine", False, False),
    ]
    assert [one.correlation.spearman.value for one in found.judged] == [1, -1, -1]
    assert found.size.tolist() == [1, 2, 3, 4, 5]
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_nothing_in_common_shows_a_text_of_each():
    with pytest.raises(ValueError, match="'a' in the scores and 'b' in the truth"):
        compare(Table("a", {}), Table("b", {"accuracy": np.ones(1)}), "accuracy", higher_is_better={})
    with pytest.raises(ValueError, match="accuracy is not known of any of the 1"):
        compare(
            Table("a", {}), Table("a", {"accuracy": np.array([math.inf])}), "accuracy", higher_is_better={}
        )


@pytest.fixture(scope="module")
def cells():
    if not ACCURACY.exists():
        pytest.skip(f"no accuracies in {ACCURACY}")
    with ACCURACY.open() as file:
        rows = list(csv.DictReader(file))
    return [row["arch"] for row in rows], np.array([float(row["test_accuracy"]) for row in rows])


def conv_weights(cell, *, live):
    """Convolution weights of a cell, in units of channels squared; of its live edges or of all."""
    operations = [token.split("~")[0] for node in cell.split("+") for token in node.strip("|").split("|")]
    edges = [(*ends, op) for ends, op in zip(EDGES, operations, strict=True) if op != "none"]
    reached, reaching = {0}, {3}
    for _ in EDGES:
        reached |= {end for start, end, _ in edges if start in reached}
        reaching |= {start for start, end, _ in edges if end in reaching}
    return sum(
        WEIGHTS.get(op, 0)
        for start, end, op in edges
        if not live or (start in reached and end in reaching)
    )  # fmt: skip


@pytest.mark.parametrize(("live", "spearman", "kendall"), [(False, 0.753, 0.578), (True, 0.822, 0.654)])
def test_convolution_weights_rank_nasbench201(cells, live, spearman, kendall):
    texts, accuracy = cells
    found = correlate([conv_weights(text, live=live) for text in texts], accuracy, resamples=20)
    assert found.scored == 15625
    assert found.spearman.value == pytest.approx(spearman, abs=5e-4)
    assert found.kendall.value == pytest.approx(kendall, abs=5e-4)
    assert found.spearman.high - found.spearman.low < 0.02


def test_counted_parameters_rank_as_the_convolution_weights_do(cells):
    texts, _ = cells
    space = NASBench201(cells=1)
    some = np.random.default_rng(0).choice(len(texts), size=300, replace=False)
    counts = [count(space.parse(texts[i]).network) for i in some]
    connected = np.array([counted.live.macs > 0 for counted in counts])
    for live in (False, True):
        params = np.array([c.live.params if live else c.whole.params for c in counts])
        weights = np.array([conv_weights(texts[i], live=live) for i in some])
        chosen = connected | (not live)
        found = correlate(params[chosen], weights[chosen], resamples=1)
        assert found.spearman.value == pytest.approx(1)
