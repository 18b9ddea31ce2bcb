import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from hwnas.latency.block_ids import describe, key_of
from hwnas.latency.kernels.attribution import kernel_times
from hwnas.latency.kernels.fusion import cut, fused
from hwnas.latency.kernels.lowering import kernel_counts, kernel_ids, kernel_networks, of_whole
from hwnas.latency.kernels.simplified import simplified
from hwnas.network import Builder
from hwnas.network.to_onnx import to_onnx
from hwnas.spaces import space

SPACES = [
    "mobilenetv2:resolution=32,classes=10,squeeze_excite=(True,False)",
    "nasbench201:channels=16,cells=2,resolution=16",
    "nasbench101",
]


def groups(network):
    live = simplified(network).network
    return [tuple(layer.op for layer in kernel) for kernel in fused(live)]


def inverted(b, x, stride=1):
    y = b.relu6(b.batch_norm(b.conv(x, 32)))
    y = b.relu6(b.batch_norm(b.depthwise(y, kernel=3, stride=stride)))
    y = b.batch_norm(b.conv(y, x.shape[0]))
    return b.add(x, y) if stride == 1 else y


def test_an_inverted_residual_is_three_kernels():
    b = Builder()
    x = inverted(b, b.input(16, 8, 8))
    network = b.build(b.linear(b.global_average_pool(x), 10))
    conv = ("Conv", "BatchNormalization", "Clip")
    assert groups(network) == [
        conv,
        conv,
        ("Conv", "BatchNormalization", "Add"),
        ("GlobalAveragePool",),
        ("Flatten", "Gemm"),
    ]


def test_what_two_layers_read_is_not_fused():
    b = Builder()
    y = b.conv(b.input(4, 8, 8), 4)
    assert groups(b.build(b.relu(y), y)) == [("Conv",), ("Relu",)]
    b = Builder()
    y = b.conv(b.input(4, 8, 8), 4)
    assert groups(b.build(b.add(b.sigmoid(y), b.relu(y)))) == [("Conv",), ("Sigmoid",), ("Relu",), ("Add",)]


def test_one_addition_and_one_activation_are_fused_and_no_more():
    b = Builder()
    x = b.input(4, 8, 8)
    y = b.relu(b.relu(b.add(b.conv(x, 4), x)))
    assert groups(b.build(b.add(y, x))) == [("Conv", "Add", "Relu"), ("Relu",), ("Add",)]


def test_a_second_addition_is_a_kernel_of_its_own():
    b = Builder()
    x = b.input(4, 8, 8)
    assert groups(b.build(b.add(b.add(b.conv(x, 4), x), x))) == [("Conv", "Add"), ("Add",)]


def test_a_broadcast_addition_is_a_kernel_of_its_own():
    b = Builder()
    x = b.input(4, 8, 8)
    y = b.conv(b.global_average_pool(x), 4)
    assert groups(b.build(b.add(y, x)))[-1] == ("Add",)


def test_repeated_and_constant_layers_are_left_out_and_dead_ones_are_not():
    b = Builder()
    x = b.input(4, 8, 8)
    b.relu(b.conv(x, 9))
    y = b.add(b.average_pool(b.relu(x), kernel=3), b.max_pool(b.relu(x), kernel=3))
    network = b.build(b.add(y, b.average_pool(b.zeros(4, 8, 8), kernel=3)))
    assert groups(network) == [
        ("Conv", "Relu"),
        ("Relu",),
        ("AveragePool",),
        ("MaxPool",),
        ("Add",),
        ("Add",),
    ]
    assert simplified(network).done_by == {"relu_2": "relu_1"}


@pytest.mark.parametrize("spec", SPACES)
def test_kernels_hold_every_layer_once_and_are_networks(spec):
    for architecture in space(spec).sample(5, seed=2):
        simple = simplified(architecture.network)
        names = [layer.name for kernel in fused(simple.network) for layer in kernel]
        assert Counter(names) == Counter(layer.name for layer in simple.network.layers)
        for kernel in fused(simple.network):
            part = cut(kernel, simple.network)
            assert [layer.name for layer in part.layers] == [layer.name for layer in kernel]
            assert part.outputs and not set(part.parameters) - set(simple.network.parameters)


def test_numbers_and_counts_agree_and_names_do_not_matter():
    first, second = (a.network for a in space(SPACES[0]).sample(2, seed=4))
    for network in (first, second):
        packed = kernel_ids(network)
        numbers = [int.from_bytes(packed[i : i + 4], "little") for i in range(0, len(packed), 4)]
        assert Counter(map(key_of, numbers)) == kernel_counts(network)
    shared = kernel_counts(first).keys() & kernel_counts(second).keys()
    assert any("stage" in layer.name for layer in first.layers) and shared


@pytest.mark.parametrize("spec", [*SPACES, "darts:channels=8,layers=4", "ofa_mobilenetv3"])
def test_block_by_block_is_as_the_whole(spec):
    for architecture in space(spec).sample(8, seed=6):
        whole = of_whole(architecture.network)
        assert sorted(np.frombuffer(kernel_ids(architecture.network), "<i4")) == sorted(
            np.frombuffer(whole, "<i4")
        )


def body(b, x, activation_first):
    return b.conv(b.relu(x), 4) if activation_first else b.relu(b.conv(x, 4))


@pytest.mark.parametrize("activation_first", [True, False])
def test_fusion_reaches_over_blocks(activation_first):
    b = Builder()
    x = b.input(4, 8, 8)
    for i in range(3):
        x = b.block(f"block{i}", body, x, activation_first=activation_first)
    network = b.build(x)
    expected = (
        [("Relu",), ("Conv", "Relu"), ("Conv", "Relu"), ("Conv",)]
        if activation_first
        else [("Conv", "Relu")] * 3
    )
    assert groups(network) == expected
    assert len(kernel_ids(network)) == 4 * len(expected)


def test_a_kernel_is_described():
    b = Builder()
    network = b.build(b.relu(b.conv(b.input(3, 8, 8), 4, kernel=3)))
    assert [describe(kernel) for kernel in kernel_networks(network)] == ["Conv-Relu 3×8×8 → 4×8×8"]


@pytest.mark.parametrize("spec", SPACES)
def test_onnxruntime_executes_these_kernels(spec, cpu):
    """The kernels that the rules give are those that the runtime's profile shows, each with a node."""
    with cpu.start() as runner:
        for architecture in space(spec).sample(3, seed=3):
            network = architecture.network
            simple = simplified(network)
            kernels = fused(simple.network)
            profile = runner.profile(network.key, to_onnx(network).SerializeToString(), 1, 3)
            times = kernel_times(profile, kernels, simple.done_by)
            assert times.shape == (3, len(kernels))
            assert times.sum() == profile.times_us.sum()

            nodes = replace(profile, times_us=np.ones((1, len(profile.nodes))))
            counted = kernel_times(nodes, kernels, simple.done_by)[0]
            assert counted.min() >= 1, "a kernel for which nothing is executed"
            own = [node for node in profile.nodes if not re.match(r"Reorder(In|Out)put", node)]
            assert len(own) <= 1.1 * len(kernels)
