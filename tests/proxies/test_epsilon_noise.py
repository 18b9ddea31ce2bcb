"""On which networks epsilon is 0 in theory."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings

from hwnas.network import Builder, Network, Value
from hwnas.network.to_torch import to_torch
from hwnas.proxies import score
from hwnas.proxies.epsilon.noise import outputs_are_proportional
from hwnas.proxies.measures.epsilon import epsilon_with
from hwnas.spaces import MobileNetV2, NASBench201
from tests.network.random_networks import networks

PROXY = epsilon_with(weights=(1e-2, 1), name="it")


def described(function: Callable[[Builder, Value], Value]) -> Network:
    b = Builder()
    return b.build(function(b, b.input(3, 8, 8)))


def value_of(network: Network) -> float:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(24, *network.inputs[0].shape, generator=generator)
    return score(to_torch(network), inputs, proxies=[PROXY])["it"].value


def _has_weights(network: Network) -> bool:
    return any(parameter.trainable for parameter in network.parameters.values())


def normalised(b: Builder, x: Value, kernel: int = 1) -> Value:
    return b.relu(b.batch_norm(b.conv(x, 4, kernel=kernel)))


def head(b: Builder, x: Value) -> Value:
    return b.linear(b.global_average_pool(x), 3)


def zero_branch(b: Builder, x: Value) -> Value:
    y = normalised(b, x, 3)
    return head(b, b.add(y, b.conv(b.zeros(*y.shape), 4)))


PROPORTIONAL = [
    lambda b, x: head(b, b.max_pool(normalised(b, normalised(b, x), 3), kernel=2)),
    lambda b, x: head(b, b.add(b.conv(x, 4), b.relu(b.conv(x, 4, kernel=3)))),
    lambda b, x: head(b, b.concat(normalised(b, x), normalised(b, x))),
    lambda b, x: head(b, b.multiply(normalised(b, x), normalised(b, x, 3))),
    lambda b, x: head(b, b.layer("Mul", x, b.parameter("factor", (), constant=(0.5,)))),
    zero_branch,
]
DIFFERENT = [
    lambda b, x: head(b, b.relu(b.add(b.conv(x, 3, kernel=3), x))),
    lambda b, x: head(b, b.add(normalised(b, x), normalised(b, x, 3))),
    lambda b, x: head(b, b.concat(x, normalised(b, x))),
    lambda b, x: head(b, b.relu6(b.conv(normalised(b, x), 4))),
    lambda b, x: head(b, b.batch_norm(b.depthwise(b.batch_norm(x), kernel=3))),
    lambda b, x: head(b, b.hard_swish(b.conv(x, 4))),
    lambda b, x: head(b, b.multiply(y := normalised(b, x), b.sigmoid(y))),
]


@pytest.mark.parametrize("function", PROPORTIONAL)
def test_the_weight_is_only_a_scale(function: Callable[[Builder, Value], Value]) -> None:
    network = described(function)
    assert outputs_are_proportional(network)
    assert value_of(network) < 1e-12


@pytest.mark.parametrize("function", DIFFERENT)
def test_the_weight_changes_the_mixture(function: Callable[[Builder, Value], Value]) -> None:
    network = described(function)
    assert not outputs_are_proportional(network)
    assert value_of(network) > 1e-6


def test_cells_and_mobilenets_are_no_chains() -> None:
    cells = NASBench201(channels=4, cells=1, resolution=16)
    chain = cells.parse("|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|none~0|none~1|nor_conv_1x1~2|").network
    assert not outputs_are_proportional(chain)  # the reductions have shortcuts
    assert value_of(chain) > 1e-6
    disconnected = cells.parse("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|").network
    assert outputs_are_proportional(disconnected)
    assert not outputs_are_proportional(MobileNetV2(resolution=32).sample(1, seed=0)[0].network)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(network=networks(layers=4))
def test_what_is_proved_proportional_is_zero(network: Network) -> None:
    assume(len(network.inputs) == len(network.outputs) == 1 and _has_weights(network))
    assume(outputs_are_proportional(network))
    value = value_of(network)
    assert not value > 1e-9  # NaN where all outputs are equal


def test_the_network_decides_without_running_anything_twice() -> None:
    network = described(PROPORTIONAL[0])
    inputs = torch.randn(8, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    found = score(to_torch(network), inputs, proxies=["epsilon", "epsilon64"], network=network)
    for result in found.values():
        assert result.note is not None and "no branches of different scale meet" in result.note


def test_branches_that_cannot_differ_are_noise_too() -> None:
    network = described(lambda b, x: head(b, b.add(b.conv(x, 3), x)))  # a multiple of the sum of the image
    assert not outputs_are_proportional(network)
    inputs = torch.randn(16, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    module = to_torch(network)
    for known in (None, network):
        for result in score(module, inputs, proxies=["epsilon", "epsilon64"], network=known).values():
            assert result.value < 1e-4
            assert result.note is not None and "in float64" in result.note
