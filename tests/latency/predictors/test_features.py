import copy
import pickle
import time

import numpy as np
import pytest

from hwnas.cost import count
from hwnas.latency.predictors.features import CLASSES, layer_class
from hwnas.latency.predictors.reading import read
from hwnas.latency.predictors.sums import FEATURES, features
from hwnas.network import Builder
from hwnas.network.liveness import live_layers
from hwnas.spaces import MobileNetV2, NASBench201


def column(x, name):
    return x[:, FEATURES.index(name)]


@pytest.mark.parametrize("space", [NASBench201(), MobileNetV2(resolution=32, squeeze_excite=(False, True))])
def test_sums_agree_with_the_counts_of_the_whole_and_of_the_live_layers(space):
    networks = [architecture.network for architecture in space.sample(60, seed=0)]
    x = features(networks)
    for which in ("whole", "live"):
        prefix = "every" if which == "whole" else "live"
        counts = [getattr(count(network), which) for network in networks]
        for quantity in ("macs", "elementwise"):
            assert column(x, f"{prefix}.all.{quantity}").tolist() == [getattr(c, quantity) for c in counts]
    assert column(x, "every.all.count").tolist() == [len(network.layers) for network in networks]
    assert column(x, "live.all.count").tolist() == [len(live_layers(network)) for network in networks]


CELLS = (
    "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
    "|skip_connect~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|",
    "|nor_conv_3x3~0|+|nor_conv_1x1~0|none~1|+|none~0|none~1|avg_pool_3x3~2|",
    "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|nor_conv_1x1~2|",
)


@pytest.mark.parametrize("cell", CELLS)
def test_dead_branches_are_not_live(cell):
    network = NASBench201().parse(cell).network
    assert len(read(network).live) // 4 == len(live_layers(network))
    assert len(read(network).every) // 4 == len(network.layers)


def two_results(b, x, y):
    return b.relu(x), b.sigmoid(y)


def test_liveness_passes_through_a_block_with_several_inputs_and_outputs():
    b = Builder()
    x = b.input(4, 8, 8)
    first, _ = b.block("pair", two_results, x, b.zeros(4, 8, 8))
    second, _ = b.block("again", two_results, first, x)
    network = b.build(b.add(second, x))
    assert len(read(network).live) // 4 == len(live_layers(network)) == 3


def test_parameters_and_unread_inputs_do_not_confuse_liveness():
    b = Builder()
    x, _ = b.input(4, 8, 8), b.input(2)
    network = b.build(b.batch_norm(b.conv(x, 8, kernel=3)))
    assert len(read(network).live) // 4 == 2


def test_classes_of_convolutions():
    b = Builder()
    x = b.input(8, 16, 16)
    b.conv(x, 8)
    b.conv(x, 8, kernel=3)
    b.conv(x, 8, kernel=5)
    b.conv(x, 8, kernel=3, groups=2)
    b.depthwise(x, kernel=3)
    network = b.build(b.depthwise(x, kernel=7))
    shapes = [[(8, 16, 16), network.parameters[layer.inputs[1]].shape] for layer in network.layers]
    found = [layer_class(layer, s) for layer, s in zip(network.layers, shapes, strict=True)]
    assert found == list(CLASSES[:6])


def test_weight_input_and_output_bytes():
    b = Builder()
    x = features([b.build(b.conv(b.input(3, 4, 4), 5, kernel=3, bias=True))])
    assert column(x, "every.conv_3x3.weight_bytes") == 4 * (5 * 3 * 9 + 5)
    assert column(x, "every.conv_3x3.input_bytes") == 4 * 3 * 16
    assert column(x, "live.conv_3x3.output_bytes") == 4 * 5 * 16


def test_copies_do_not_carry_numbers_of_this_process():
    network = MobileNetV2(resolution=32).sample(1, seed=0)[0].network
    expected = features([network])
    for copied in (pickle.loads(pickle.dumps(network)), copy.deepcopy(network)):
        assert not any(name.startswith("_hwnas_latency") for name in copied.__dict__)
        np.testing.assert_array_equal(features([copied]), expected)


def test_no_networks_give_no_rows():
    assert features([]).shape == (0, len(FEATURES))


@pytest.mark.parametrize("space", [NASBench201(), MobileNetV2(resolution=96)])
def test_features_take_far_less_than_a_millisecond_per_network(space):
    networks = [architecture.network for architecture in space.sample(1000, seed=0)]
    start = time.process_time()
    features(networks)
    assert time.process_time() - start < 0.5
