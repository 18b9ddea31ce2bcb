"""The form in which untrained networks are scored."""

import numpy as np
import pytest
import torch

from hwnas.network import Builder, Network, Value
from hwnas.network.to_torch import to_torch
from hwnas.network.untrained import is_disconnected, untrained_form
from hwnas.spaces import NASBench201

SPACE = NASBench201(channels=4, cells=1, resolution=8)


def cell(*operations: str) -> Network:
    return SPACE.architecture(**dict(zip(SPACE.decisions, operations, strict=True))).network


CONV, SKIP, NONE, POOL = "nor_conv_3x3", "skip_connect", "none", "avg_pool_3x3"
ISOMORPHIC = [
    # node 1 and node 2 exchanged
    (cell(CONV, SKIP, NONE, POOL, SKIP, POOL), cell(SKIP, CONV, NONE, POOL, POOL, SKIP)),
    # what hangs on a node that nothing feeds
    (cell(NONE, CONV, CONV, NONE, CONV, SKIP), cell(NONE, CONV, NONE, NONE, NONE, SKIP)),
    # a node that feeds nothing
    (cell(CONV, CONV, CONV, SKIP, NONE, NONE), cell(NONE, NONE, NONE, SKIP, CONV, POOL)),
]


@pytest.mark.parametrize(("first", "second"), ISOMORPHIC)
def test_networks_that_cannot_be_told_apart_have_one_form(first: Network, second: Network) -> None:
    one, other = untrained_form(first), untrained_form(second)
    assert one.key == other.key
    images = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    outputs = []
    for form in (one, other):
        torch.manual_seed(3)
        outputs.append(to_torch(form.network).train()(images))
    assert torch.equal(outputs[0], outputs[1])


def test_networks_that_differ_have_different_forms() -> None:
    operations = (CONV, SKIP, NONE, POOL, SKIP, POOL)
    key = untrained_form(cell(*operations)).key
    for changed in (
        (CONV, SKIP, NONE, POOL, SKIP, SKIP),
        (CONV, SKIP, CONV, POOL, SKIP, POOL),
        ("nor_conv_1x1", SKIP, NONE, POOL, SKIP, POOL),
    ):
        assert untrained_form(cell(*changed)).key != key


@pytest.mark.parametrize("seed", range(6))
def test_the_form_computes_what_the_untrained_network_does(seed: int) -> None:
    """With the same weights, matched by the parameters' names."""
    architecture = SPACE.sample(1, seed=seed)[0]
    form = untrained_form(architecture.network)
    whole = to_torch(architecture.network).double().train()
    small = to_torch(form.network).double().train()
    small.load_state_dict({name: whole.state_dict()[name] for name in small.state_dict()})
    images = torch.randn(4, 3, 8, 8, dtype=torch.float64)
    torch.testing.assert_close(small(images), whole(images))


def test_disconnected_networks_are_found() -> None:
    connected = [not is_disconnected(untrained_form(a.network).network) for a in SPACE.sample(200, seed=0)]
    expected = [_has_a_way(a.encoding) for a in SPACE.sample(200, seed=0)]
    assert connected == expected
    assert not all(connected)


def _has_a_way(encoding: tuple[int, ...]) -> bool:
    e01, e02, e12, e03, e13, e23 = (bool(index) for index in encoding)
    reached1, reached2 = e01, e02 or (e01 and e12)
    return e03 or (reached1 and e13) or (reached2 and e23)


def test_stages_are_the_blocks_of_the_original() -> None:
    form = untrained_form(cell(CONV, SKIP, NONE, POOL, SKIP, POOL))
    shapes = [form.network.values[name].shape for name in form.stages]
    assert shapes == [(4, 8, 8)] * 2 + [(8, 4, 4)] * 2 + [(16, 2, 2)] * 2


def test_a_bias_or_a_broadcast_keeps_what_is_added_to_zero() -> None:
    b = Builder()
    x = b.input(4, 6, 6)
    biased = b.conv(b.zeros(4, 6, 6), 4, kernel=3, bias=True)
    assert len(untrained_form(b.build(b.add(x, biased))).network.layers) == 3
    b = Builder()
    x = b.global_average_pool(b.input(4, 6, 6))
    spread = untrained_form(b.build(b.add(x, b.zeros(4, 6, 6)))).network
    assert spread.flat_outputs[0].shape == (4, 6, 6)


def test_long_sums_become_one_layer() -> None:
    def summed(order: list[int]) -> str:
        b = Builder()
        x = b.input(2, 4, 4)
        terms = [b.conv(x, 2, kernel=k) for k in (1, 3, 5)]
        return untrained_form(b.build(b.relu(b.add(*(terms[i] for i in order))))).key

    assert len({summed(list(np.roll([0, 1, 2], shift))) for shift in range(3)}) == 1


def test_a_value_that_ends_a_block_is_kept_though_a_sum_could_take_it_in() -> None:
    def pair(b: Builder, x: Value) -> Value:
        return b.add(b.conv(x, 2), b.conv(x, 2, kernel=3))

    b = Builder()
    x = b.input(2, 4, 4)
    first = b.block("first", pair, x)
    second = b.block("second", lambda b, y, z: b.relu(b.add(y, z)), first, x)
    assert len(untrained_form(b.build(second)).stages) == 2


def test_a_sum_with_zeros_that_spreads_its_term_still_spreads_it() -> None:
    b = Builder()
    x = b.global_average_pool(b.input(4, 6, 6))
    form = untrained_form(b.build(b.add(x, b.zeros(4, 6, 6))))
    assert to_torch(form.network)(torch.ones(2, 4, 6, 6)).shape == (2, 4, 6, 6)
