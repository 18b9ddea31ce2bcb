"""Properties that hold for every network, on random ones."""

import pickle
import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hwnas.network import Network
from hwnas.network.from_onnx import from_onnx, onnx_weights
from hwnas.network.liveness import dead_layers, live_layers
from hwnas.network.to_networkx import to_networkx
from hwnas.network.to_onnx import to_onnx
from hwnas.network.to_torch import to_torch
from hwnas.network.weights import module_weights

from .agreement import assert_agree
from .random_networks import disguised, networks

seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=60, deadline=None)
@given(networks())
def test_torch_and_onnxruntime_agree(network: Network) -> None:
    assert_agree(network)


@settings(max_examples=150, deadline=None)
@given(networks(), st.sampled_from([1, 4, None]))
def test_onnx_reads_back(network: Network, batch: int | None) -> None:
    again = from_onnx(to_onnx(network, batch=batch))
    assert again.key == network.key
    assert [v.shape for v in again.outputs] == [v.shape for v in network.outputs]
    assert sum(p.size for p in again.parameters.values()) == sum(p.size for p in network.parameters.values())


@settings(max_examples=200, deadline=None)
@given(networks(layers=12), seeds)
def test_isomorphic_networks_share_a_key(network: Network, seed: int) -> None:
    assert disguised(network, random.Random(seed)).key == network.key


@settings(max_examples=100, deadline=None)
@given(networks(layers=12))
def test_live_layers_are_those_between_input_and_output(network: Network) -> None:
    """Against networkx's reachability on the flat graph."""
    import networkx as nx

    graph = to_networkx(network)
    after = set().union(*(nx.descendants(graph, v.name) | {v.name} for v in network.inputs))
    ends = [node for node, op in graph.nodes(data="op") if op == "Output"]
    before = set().union(*(nx.ancestors(graph, end) for end in ends))
    layers = {layer.name for layer in network.layers}
    assert live_layers(network) == layers & after & before
    assert {layer.name for layer in dead_layers(network)} == layers - (after & before)


@settings(max_examples=30, deadline=None)
@given(networks(layers=10))
def test_pruned_networks_compute_the_same(network: Network) -> None:
    from .agreement import run_onnx

    weights = module_weights(network, to_torch(network).eval())
    live = network.live
    inputs = [
        np.random.default_rng(0).standard_normal((1, *v.shape), dtype=np.float32) for v in network.inputs
    ]
    whole = run_onnx(to_onnx(network, weights=weights), inputs)
    pruned = run_onnx(to_onnx(live, weights={name: weights[name] for name in live.parameters}), inputs)
    for ours, theirs in zip(pruned, whole, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    assert not live.live.parameters.keys() - {n for layer in live.layers for n in layer.inputs}


@settings(max_examples=30, deadline=None)
@given(networks())
def test_weights_survive_the_way_through_onnx(network: Network) -> None:
    module = to_torch(network)
    written = module_weights(network, module)
    model = to_onnx(network, weights=module)
    read = onnx_weights(model)
    assert sorted(array.tobytes() for array in read.values()) == sorted(
        array.tobytes() for name, array in written.items() if _is_read(network, name)
    )
    assert from_onnx(model).parameters.keys() == read.keys()


def _is_read(network: Network, name: str) -> bool:
    return any(name in layer.inputs for layer in network.layers)


@settings(max_examples=30, deadline=None)
@given(networks())
def test_pickling_keeps_the_network(network: Network) -> None:
    key = network.key
    assert pickle.loads(pickle.dumps(network)).key == key


@settings(max_examples=50, deadline=None)
@given(networks())
def test_blocks_hold_every_layer_once(network: Network) -> None:
    sizes = [len(block.layers) for _, block in network.blocks()]
    assert sum(sizes) == len(network.layers)
    assert sum(len(b.layers) * n for b, n in network.block_counts.items()) == len(network.layers)
