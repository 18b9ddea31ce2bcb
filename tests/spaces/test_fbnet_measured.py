"""The CIFAR variant against measurements of it: HELP's latencies of 5,000 FBNet networks."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from benchmarks.help_fbnet import HelpLatencies, read
from hwnas.cost import count
from hwnas.spaces import FBNet
from hwnas.spaces.fbnet import LAYERS, NAMES

from ..conftest import DATA

FILE = DATA / "fbnet" / "latency_ms.parquet"
CIFAR, IMAGENET = FBNet(resolution=32, classes=100), FBNet()
SKIP, WIDEST = NAMES.index("skip"), NAMES.index("k5_e6")

pytestmark = pytest.mark.skipif(not FILE.exists(), reason=f"HELP's latencies are not at {FILE}")


@pytest.fixture(scope="module")
def measured() -> HelpLatencies:
    return read(FILE)


def macs(space: FBNet, encoding: tuple[int, ...]) -> int:
    return count(space.from_encoding(encoding).network).whole.macs


def macs_by_layer(space: FBNet) -> np.ndarray:
    """`[22]`: the MACs of k5_e6 beyond those of skip."""
    skips = (SKIP,) * LAYERS
    return np.array(
        [macs(space, (*skips[:i], WIDEST, *skips[i + 1 :])) - macs(space, skips) for i in range(LAYERS)]
    )


def cost_by_layer(measured: HelpLatencies, device: str) -> np.ndarray:
    """`[22]`: what k5_e6 costs beyond skip, by a regression on all choices."""
    one_hot = np.c_[CIFAR.one_hot(measured.architectures), np.ones(len(measured.architectures))]
    weights = np.linalg.lstsq(one_hot, measured.latency_ms[device], rcond=None)[0][:-1]
    by_layer = weights.reshape(LAYERS, len(NAMES))
    return by_layer[:, WIDEST] - by_layer[:, SKIP]


def test_macs_order_the_networks_of_a_table_of_layers(measured: HelpLatencies) -> None:
    """pixel3 is a sum of measured blocks, so that little but work counts; ImageNet's strides fit it less."""
    some = slice(None, None, 5)
    latency = measured.latency_ms["pixel3"][some]
    cifar, imagenet = (
        spearmanr([macs(s, a.encoding) for a in measured.architectures[some]], latency).statistic
        for s in (CIFAR, IMAGENET)
    )
    assert cifar > 0.93
    assert cifar > imagenet + 0.03


@pytest.mark.parametrize("device", ["pixel3", "silver_4114", "gold_6226", "titanx_64", "samsung_a50"])
def test_the_second_stage_keeps_the_resolution(measured: HelpLatencies, device: str) -> None:
    """Its blocks then cost more than the first stage's narrower one; at half the resolution, half of it."""
    cost = cost_by_layer(measured, device)
    assert cost[2:5].mean() > cost[0]
    assert macs_by_layer(CIFAR)[2:5].mean() > macs_by_layer(CIFAR)[0]
    assert macs_by_layer(IMAGENET)[2:5].mean() < macs_by_layer(IMAGENET)[0]


@pytest.mark.parametrize("device", ["pixel3", "pixel2", "samsung_a50"])
def test_layers_cost_as_their_macs(measured: HelpLatencies, device: str) -> None:
    cost = cost_by_layer(measured, device)
    cifar, imagenet = (np.corrcoef(cost, macs_by_layer(s))[0, 1] for s in (CIFAR, IMAGENET))
    assert cifar > 0.7
    assert cifar > imagenet + 0.15
