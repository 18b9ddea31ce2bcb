import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hwnas.differentiable.oneshot.elastic_parts import crop, sharing
from hwnas.spaces import FBNet, ProxylessNAS


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), min_size=1, max_size=4))
def test_a_crop_has_the_shape_and_lies_inside(sizes):
    shape = tuple(min(pair) for pair in sizes)
    whole = tuple(max(pair) for pair in sizes)
    assert np.zeros(whole)[crop(shape, whole)].shape == shape


def test_channels_are_the_first_ones_and_kernels_the_centre():
    assert crop((2, 1, 3, 3), (6, 1, 7, 7)) == (slice(0, 2), slice(0, 1), slice(2, 5), slice(2, 5))


def test_all_kernels_and_expansions_of_a_block_are_parts_of_the_largest():
    space = ProxylessNAS(resolutions=(32,), width=0.25, classes=10)
    candidates = space.supernetwork().mixtures["stage1.block0"]
    networks = {number: one.network for number, one in enumerate(candidates) if one.network}
    plan = sharing(networks)
    shapes = [networks[whole.candidate].parameters[whole.name].shape for whole in plan.wholes]
    largest = max(networks.values(), key=lambda one: sum(each.size for each in one.parameters.values()))
    assert sorted(shapes) == sorted(one.shape for one in largest.parameters.values() if one.trainable)
    for number, network in networks.items():
        trainable = {name for name, one in network.parameters.items() if one.trainable}
        assert set(plan.parts[number]) == trainable


def test_grouped_convolutions_share_with_those_of_as_many_groups_only():
    candidates = FBNet(resolution=32, classes=10).supernetwork().mixtures["stage2.block1"]
    networks = {number: one.network for number, one in enumerate(candidates) if one.network}
    plan = sharing(networks)
    by_groups = {}
    for number, network in networks.items():
        if "expand.weight" in plan.parts[number]:
            (layer,) = [layer for layer in network.layers if layer.name == "expand"]
            whole = plan.parts[number]["expand.weight"].whole
            by_groups.setdefault(layer.attributes["group"], set()).add(whole)
    assert {groups: len(wholes) for groups, wholes in by_groups.items()} == {1: 1, 2: 1}
    assert by_groups[1].isdisjoint(by_groups[2])
