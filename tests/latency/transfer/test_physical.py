import numpy as np
import pytest

from hwnas.latency.predictors.features import CLASSES, QUANTITIES
from hwnas.latency.predictors.sums import FEATURES, features
from hwnas.latency.transfer.physical import COLUMNS, GROUPS, VARIANTS, physical, scales
from hwnas.network import Builder
from hwnas.spaces import DARTS, MobileNetV2, NASBench201

SPACE = NASBench201(channels=4, cells=1)
SPACES = (SPACE, MobileNetV2(resolution=32, classes=10), DARTS(channels=4, layers=3))


def counts(network, variant):
    """By class, the number of layers."""
    row = physical([network])[0, GROUPS["counts"]].reshape(len(VARIANTS), len(CLASSES))
    return dict(zip(CLASSES, row[VARIANTS.index(variant)], strict=True))


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_counts_and_sums_of_every_and_of_live_layers_are_the_features(space):
    networks = [architecture.network for architecture in space.sample(20, seed=0)]
    known = features(networks)
    rows = physical(networks)
    assert rows.shape == (20, COLUMNS)
    shape = (20, len(VARIANTS), len(CLASSES), -1)
    whole = np.concatenate([rows[:, GROUPS[name]].reshape(shape) for name in ("counts", "sums")], axis=-1)
    for variant in ("every", "live"):
        columns = [
            FEATURES.index(f"{variant}.{kind}.{quantity}") for kind in CLASSES for quantity in QUANTITIES
        ]
        found = whole[:, VARIANTS.index(variant)].reshape(20, -1)
        assert found == pytest.approx(known[:, columns])


def test_square_roots_are_taken_layer_by_layer():
    def network(*sizes):
        b = Builder()
        x = b.input(4, 8, 8)
        for size in sizes:
            x = b.conv(x, size, kernel=3)
        return b.build(x)

    rows = physical([network(4, 4), network(4), network(8)])
    root = rows[:, GROUPS["square_roots"]].reshape(3, len(VARIANTS), len(CLASSES), -1)
    macs = root[:, 0, CLASSES.index("conv_3x3"), 0]
    assert macs[0] == pytest.approx(2 * macs[1])
    assert macs[2] == pytest.approx(np.sqrt(2) * macs[1])


def test_a_layer_fed_by_zeros_alone_is_needed_but_not_live():
    cell = "|none~0|+|none~0|nor_conv_3x3~1|+|nor_conv_1x1~0|none~1|nor_conv_3x3~2|"
    network = SPACE.parse(cell).network
    three = [counts(network, variant)["conv_3x3"] for variant in ("every", "needed", "live")]
    assert three[0] == three[1] == three[2] + 6  # two edges in three cells


def test_a_layer_that_nobody_reads_is_neither_needed_nor_live():
    cell = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|nor_conv_1x1~0|none~1|none~2|"
    network = SPACE.parse(cell).network
    three = [counts(network, variant)["conv_3x3"] for variant in ("every", "needed", "live")]
    assert three[0] == three[1] + 6
    assert three[1] == three[2]


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_live_layers_are_needed_and_needed_ones_are_there(space):
    networks = [architecture.network for architecture in space.sample(30, seed=1)]
    rows = physical(networks)[:, GROUPS["counts"]].reshape(30, len(VARIANTS), len(CLASSES))
    assert (rows[:, 0] >= rows[:, 1]).all()
    assert (rows[:, 1] >= rows[:, 2]).all()


def test_scaled_groups_have_mean_squared_length_one():
    networks = [architecture.network for architecture in SPACE.sample(50, seed=0)]
    columns = physical(networks)
    scaled = (columns - columns.mean(axis=0)) * scales(columns)
    for group in GROUPS.values():
        assert (scaled[:, group] ** 2).sum(axis=1).mean() == pytest.approx(1)


def test_columns_that_do_not_vary_are_multiplied_by_zero():
    columns = physical([SPACE.sample(1, seed=0)[0].network] * 3)
    assert (scales(columns) == 0).all()
