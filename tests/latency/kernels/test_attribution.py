import numpy as np
import pytest

from hwnas.latency.devices.device import Profile
from hwnas.latency.kernels.attribution import kernel_times
from hwnas.latency.kernels.fusion import fused
from hwnas.latency.kernels.simplified import simplified
from hwnas.network import Builder


def chain():
    b = Builder()
    x = b.relu(b.batch_norm(b.conv(b.input(4, 8, 8), 4)))
    x = b.layer("Mish", x)
    network = b.build(b.max_pool(x, kernel=3))
    simple = simplified(network)
    return fused(simple.network), simple.done_by


def times_of(**nodes):
    kernels, done_by = chain()
    names = tuple(name.replace("__", ":") for name in nodes)
    return kernel_times(Profile(names, np.array([list(nodes.values())], dtype=float)), kernels, done_by)[0]


def test_nodes_go_by_the_name_of_any_layer_of_the_kernel():
    np.testing.assert_array_equal(times_of(conv=3, relu_nchwc=4, mish=5, max_pool_nchwc_token_7=6), [7, 5, 6])


def test_a_decomposed_layer_has_the_nodes_of_others_names():
    np.testing.assert_array_equal(times_of(relu=1, Softplus_14=2, Tanh_15=3, max_pool=4), [1, 5, 4])


def test_a_change_of_layout_is_charged_to_what_needed_it_and_the_last_to_what_made_it():
    np.testing.assert_array_equal(
        times_of(ReorderInput=1, relu=2, mish=4, Reorder_1=8, max_pool=16, ReorderOutput=32), [3, 4, 56]
    )


def test_what_comes_later_is_not_charged_to_an_earlier_kernel_without_nodes():
    np.testing.assert_array_equal(times_of(mish=4, Reorder=8, max_pool=1), [0, 4, 9])


def test_a_repeated_layer_is_executed_under_either_name():
    b = Builder()
    x = b.input(4, 8, 8)
    network = b.build(b.add(b.conv(b.relu(x), 4), b.conv(b.relu(x), 4)))
    simple = simplified(network)
    kernels = fused(simple.network)
    profile = Profile(("relu_1", "conv", "conv_1"), np.array([[1.0, 2.0, 4.0]]))
    np.testing.assert_array_equal(kernel_times(profile, kernels, simple.done_by), [[1, 2, 4]])


def test_a_profile_of_another_network_is_refused():
    with pytest.raises(ValueError, match="names none of the network's layers"):
        times_of(a=1, b=2)
