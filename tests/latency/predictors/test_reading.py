"""Readings against `live_layers`, which flattens nothing away and shares no code with them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwnas.latency.predictors.reading import read
from hwnas.latency.predictors.sums import features
from hwnas.network import Builder, Network
from hwnas.network.assembly import fill
from hwnas.network.liveness import live_layers
from hwnas.network.network import flat
from hwnas.spaces import NASBench201, TransNASBench101Micro
from tests.network.random_networks import networks


def sizes(network):
    reading = read(network)
    return len(reading.every) // 4, len(reading.live) // 4


@given(networks(layers=12))
@settings(max_examples=60)
def test_all_and_live_layers_of_any_network(network):
    assert sizes(network) == (len(network.layers), len(live_layers(network)))


@given(st.integers(0, 5**6 - 1))
@settings(max_examples=60)
def test_all_and_live_layers_of_cells(index):
    encoding = np.unravel_index(index, (5,) * 6)
    network = NASBench201(cells=2).from_encoding([int(i) for i in encoding]).network
    assert sizes(network) == (len(network.layers), len(live_layers(network)))


@pytest.mark.parametrize("space", [NASBench201(), TransNASBench101Micro()])
def test_features_do_not_depend_on_how_a_network_is_put_together(space):
    made = [architecture.network for architecture in space.sample(40, seed=1)]
    expected = features([flat(network) for network in made])
    plain = [Network(n.inputs, n.outputs, n.items, n.own_parameters) for n in made]
    np.testing.assert_allclose(features(made), expected, rtol=1e-12)
    np.testing.assert_allclose(features(plain), expected, rtol=1e-12)


def _relu(b, x):
    return b.relu(x)


def _tanh(b, x):
    return b.layer("Tanh", x)


def _nothing_of_its_input(b, x):
    return b.relu(b.zeros(*x.shape))


def _dead_end(b, x):
    b.sigmoid(x)
    return b.relu(x)


@pytest.mark.parametrize("function", [_nothing_of_its_input, _dead_end])
def test_a_skeleton_filled_with_a_block_that_is_not_like_the_placeholder(function):
    def chain(second):
        b = Builder()
        x = b.block("first", _relu, b.input(4, 8, 8))
        x = b.block("second", second, x)
        return b.build(b.block("last", _dead_end, x))

    skeleton, wanted = chain(_tanh), chain(function)
    filled = fill(skeleton, {skeleton.items[1].network: wanted.items[1].network})
    assert sizes(filled) == sizes(wanted) == (len(wanted.layers), len(live_layers(wanted)))
    assert sizes(skeleton) == (4, 3)
