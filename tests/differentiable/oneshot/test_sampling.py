import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.differentiable.oneshot.sampling import Sandwich, UniformPaths, by_size, shrinking_stages
from hwnas.spaces import DARTS, FBNet, NASBench201, ProxylessNAS

SPACE = ProxylessNAS(resolutions=(32,), kernels=(7, 3, 5), expansions=(3, 6), width=0.25, classes=10)
SUPERNETWORK = SPACE.supernetwork()


def kinds(enabled):
    return {group.partition("_")[0] for group, choices in enabled.items() if len(choices) > 1}


def test_uniform_paths_take_every_choice_alike():
    space = NASBench201(channels=4, cells=1, resolution=8)
    draw, rng = UniformPaths(space.supernetwork()), np.random.default_rng(0)
    drawn = [network for _ in range(1000) for network in draw(1, rng)]
    for group in drawn[0]:
        counts = np.bincount([choices[group] for choices in drawn], minlength=5)
        assert len(counts) == 5
        assert np.all(np.abs(counts - 200) < 5 * np.sqrt(1000 * 0.2 * 0.8))


def test_uniform_paths_are_architectures_where_not_all_choices_are():
    space = DARTS(channels=4, layers=3, resolution=8)
    supernetwork = space.supernetwork()
    (choices,) = UniformPaths(supernetwork)(1, np.random.default_rng(0))
    assert sum(choice > 0 for choice in choices.values()) == 16


def test_choices_are_ordered_by_their_numbers():
    assert by_size(SUPERNETWORK)["kernel_1_1"] == (1, 2, 0)
    assert by_size(SUPERNETWORK)["expansion_1_1"] == (0, 1)


def test_choices_without_numbers_have_no_order():
    with pytest.raises(ValueError, match=r"layer_1 of space fbnet has no largest .* use sampling=uniform"):
        by_size(FBNet(resolution=32, classes=10).supernetwork())


def test_stages_enable_kernels_then_depths_then_expansions():
    stages = shrinking_stages(by_size(SUPERNETWORK))
    assert [kinds(stage) for stage in stages] == [
        set(),
        {"kernel"},
        {"kernel", "depth"},
        {"kernel", "depth"},
        {"kernel", "depth", "expansion"},
    ]
    assert [stage["kernel_1_1"] for stage in stages] == [(0,), *[(1, 2, 0)] * 4]
    assert [stage["depth_1"] for stage in stages] == [(2,), (2,), (1, 2), (0, 1, 2), (0, 1, 2)]
    assert stages[-1] == by_size(SUPERNETWORK)


@given(st.integers(1, 6), st.integers(0, 30))
def test_every_stage_has_its_turn_and_the_last_one_ends(count, more):
    stages = [{"kernel_1": (number,)} for number in range(count)]
    sandwich = Sandwich(stages, count + more)
    turns = [sandwich.enabled(epoch)["kernel_1"][0] for epoch in range(1, count + more + 1)]
    assert turns == sorted(turns)
    assert set(turns) == set(range(count))
    lengths = np.bincount(turns)
    assert max(lengths) - min(lengths) <= 1


def test_fewer_epochs_than_stages_are_refused():
    with pytest.raises(ValueError, match="epochs must be at least 5"):
        Sandwich(shrinking_stages(by_size(SUPERNETWORK)), 4)


def test_a_sandwich_begins_with_the_largest_and_the_smallest():
    enabled = by_size(SUPERNETWORK)
    drawn = Sandwich([enabled], 1)(1, np.random.default_rng(0))
    assert len(drawn) == 4
    assert drawn[0] == {group: choices[-1] for group, choices in enabled.items()}
    assert drawn[1] == {group: choices[0] for group, choices in enabled.items()}


def test_before_anything_is_enabled_the_largest_is_alone():
    stages = shrinking_stages(by_size(SUPERNETWORK))
    assert len(Sandwich(stages, 5)(1, np.random.default_rng(0))) == 1
