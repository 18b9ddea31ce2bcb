import math
from collections.abc import Sequence

import pytest
import torch

from hwnas.differentiable.pruning import tenas
from hwnas.differentiable.pruning.reduced import (
    Remaining,
    Removal,
    reduced_network,
    remaining_architecture,
    without,
)
from hwnas.differentiable.pruning.rounds import pruned
from hwnas.differentiable.pruning.tenas import batch_measure, regions_measure
from hwnas.differentiable.zeros import all_but_zeros
from hwnas.network.thin import smallest_thin
from hwnas.network.to_torch import to_torch
from hwnas.proxies import score
from hwnas.proxies.he_weights import he_normal
from hwnas.proxies.isolation import isolated
from hwnas.spaces import NASBench201
from tests.differentiable.spaces import SPACES, SUPERNETWORKS
from tests.training.networks import dark_and_light

SPACE = NASBench201(channels=2, cells=1, resolution=4)
SUPERNETWORK = SPACE.supernetwork()
FEW = dict.fromkeys(SUPERNETWORK.groups, (3,)) | {"0→1": (1, 2, 3), "1→2": (1, 4)}
DATA = dark_and_light(side=4)
CELL = ("stage0.cell0",)
CELL_AND_HEAD = (*CELL, "head")


def test_the_harm_is_the_relative_change_under_the_same_weights():
    removal = ("0→1", 2)
    (harm,) = batch_measure(SUPERNETWORK, "ntk_cond", DATA, batch=4, repeats=1, seed=3)(
        FEW, [removal]
    ).values()
    whole = reduced_network(SUPERNETWORK, FEW)
    module = to_torch(whole)
    with isolated(3, torch.device("cpu")):
        he_normal(module, "fan_out")
    reduced = to_torch(reduced_network(SUPERNETWORK, without(FEW, removal)))
    reduced.load_state_dict(module.state_dict(), strict=False)
    images, _ = DATA.batch(4, 3)
    before, after = (score(one, images, proxies=["ntk_cond"])["ntk_cond"].value for one in (module, reduced))
    assert harm == pytest.approx((after - before) / before, rel=1e-3)
    assert harm != 0


def test_it_is_the_mean_over_initialisations():
    removals = [("0→1", 1), ("1→2", 4)]
    single = [
        batch_measure(SUPERNETWORK, "ntk_cond", DATA, batch=4, repeats=1, seed=seed)(FEW, removals)
        for seed in (0, 1)
    ]
    both = batch_measure(SUPERNETWORK, "ntk_cond", DATA, batch=4, repeats=2)(FEW, removals)
    for removal in removals:
        assert both[removal] == pytest.approx((single[0][removal] + single[1][removal]) / 2)


def test_seeds_share_no_initialisation():
    removals = [("0→1", 1)]
    apart = [batch_measure(SUPERNETWORK, "ntk_cond", DATA, batch=4, repeats=1, seed=s) for s in (2, 3)]
    both = batch_measure(SUPERNETWORK, "ntk_cond", DATA, batch=4, repeats=2, seed=1)
    assert both(FEW, removals)["0→1", 1] == pytest.approx(sum(m(FEW, removals)["0→1", 1] for m in apart) / 2)


def test_regions_get_lost_with_the_only_convolution_rather_than_with_a_skip():
    """Without it node 1 is a copy of the input, whose pattern is known already."""
    left = dict.fromkeys(SUPERNETWORK.groups, (3,)) | {"0→1": (1, 3)}
    harms = regions_measure(SUPERNETWORK, DATA, blocks=CELL, repeats=2)(left, [("0→1", 1), ("0→1", 3)])
    assert harms["0→1", 3] > max(0, harms["0→1", 1])


def test_regions_change_with_the_edges_into_the_last_node_where_the_head_sees_them():
    left = dict.fromkeys(SUPERNETWORK.groups, (3,)) | {"0→3": (1, 4)}
    removals = [("0→3", 1), ("0→3", 4)]
    seen = regions_measure(SUPERNETWORK, DATA, blocks=CELL_AND_HEAD, repeats=1)(left, removals)
    unseen = regions_measure(SUPERNETWORK, DATA, blocks=CELL, repeats=1)(left, removals)
    assert all(harm != 0 for harm in seen.values())
    assert set(unseen.values()) == {0.0}


def test_regions_are_counted_of_crops():
    measure = regions_measure(SUPERNETWORK, DATA, blocks=CELL_AND_HEAD, repeats=1, seed=2)
    network = smallest_thin(reduced_network(SUPERNETWORK, FEW), blocks=CELL_AND_HEAD, repeats=True)
    module = to_torch(network)
    with isolated(2, torch.device("cpu")):
        he_normal(module, "fan_in")
    crops = DATA.crops(3000, 3, 2)
    assert measure.value(FEW) == score(module, crops, proxies=["linear_regions"])["linear_regions"].value


def test_more_is_better_or_less_is_as_the_proxy_has_it():
    params = batch_measure(SUPERNETWORK, "params", DATA, batch=4, repeats=1)
    harms = params(FEW, [("0→1", 1), ("0→1", 3)])
    assert harms["0→1", 1] == 0 < harms["0→1", 3]


def test_what_makes_a_proxy_undefined_is_worst():
    left = dict.fromkeys(SUPERNETWORK.groups, (1,)) | {"2→3": (1, 3)}
    harms = regions_measure(SUPERNETWORK, DATA, blocks=CELL, repeats=1)(left, [("2→3", 1), ("2→3", 3)])
    assert harms["2→3", 3] == tenas.WORST
    assert math.isfinite(harms["2→3", 1])


def test_both_measures_prune_a_supernetwork_to_one_architecture():
    measures = [
        batch_measure(SUPERNETWORK, "ntk_cond", DATA, batch=4, repeats=1),
        regions_measure(SUPERNETWORK, DATA, blocks=CELL_AND_HEAD, repeats=1),
    ]
    rounds = list(pruned(FEW, measures))
    assert [len(left["0→1"]) for left in rounds] == [2, 1]
    architecture = remaining_architecture(SUPERNETWORK, rounds[-1])
    assert architecture["2→3"] == "nor_conv_3x3"
    assert list(pruned(FEW, measures)) == rounds


def test_any_other_proxies_prune_as_well():
    measures = [batch_measure(SUPERNETWORK, proxy, DATA, batch=4, repeats=1) for proxy in ("snip", "naswot")]
    *_, last = pruned(FEW, measures)
    assert all(len(choices) == 1 for choices in last.values())


def test_all_of_a_network_may_be_thinned():
    harms = regions_measure(SUPERNETWORK, dark_and_light(side=32), repeats=1)(FEW, [("0→1", 1), ("1→2", 4)])
    assert all(-1 < harm < 1 for harm in harms.values())
    assert any(harm != 0 for harm in harms.values())


def test_cells_of_darts_keep_the_two_most_important_edges_into_each_node():
    supernetwork = SUPERNETWORKS["darts"]

    def later_is_better(remaining: Remaining, removals: Sequence[Removal]) -> dict[Removal, float]:
        """The harm grows with the operation's number, and between edges with the source's."""
        return {(group, choice): 10 * choice + int(group[-3]) for group, choice in removals}

    *_, last = tenas.rounds(supernetwork, [later_is_better], number=3)
    genotype = SPACES["darts"].genotype(remaining_architecture(supernetwork, last))
    for cell in genotype:
        for node, edges in enumerate(cell, start=2):
            assert edges == (("dil_conv_5x5", node - 2), ("dil_conv_5x5", node - 1))


def test_regions_are_of_maps_of_one_size_whichever_edges_of_darts_are_left():
    """Alone, a network without skips in its reductions has a thin copy for smaller crops than one with them."""
    supernetwork = SUPERNETWORKS["darts"]
    labels = supernetwork.groups["normal_0→2"]
    left = dict.fromkeys(supernetwork.groups, (labels.index("sep_conv_3x3"),))
    left["reduce_1→5"] = (labels.index("skip_connect"),)
    regions = regions_measure(supernetwork, dark_and_light(side=32), repeats=1)
    *_, last = tenas.rounds(supernetwork, [regions], remaining=left)
    assert sum(map(len, last.values())) == 2 * 4 * 2
    assert all(math.isfinite(regions.value(one)) for one in (left, last))


def test_other_spaces_end_with_one_choice_each():
    def no_harm(remaining: Remaining, removals: Sequence[Removal]) -> dict[Removal, float]:
        return dict.fromkeys(removals, 0.0)

    found = list(tenas.rounds(SUPERNETWORK, [no_harm]))
    assert [len(left["0→1"]) for left in found] == [3, 2, 1]
    assert 0 not in found[0]["0→1"]  # `none`


@pytest.mark.parametrize("name", ["nasbench201", "darts", "proxylessnas"])
def test_both_measures_know_the_harm_of_removals_in_other_spaces(name: str):
    supernetwork = SUPERNETWORKS[name]
    left = all_but_zeros(supernetwork)
    group = next(group for group, choices in left.items() if len(choices) > 1)
    removals = [(group, choice) for choice in left[group][:2]]
    data = dark_and_light(side=supernetwork.skeleton.inputs[0].shape[-1])
    measures = [regions_measure(supernetwork, data, repeats=1)]
    if name != "proxylessnas":  # whose gradients of each image take long
        measures.append(batch_measure(supernetwork, "ntk_cond", data, batch=2, repeats=1))
    for measure in measures:
        measure.check(left)
        assert math.isfinite(measure.value(left))
        assert all(abs(harm) < tenas.WORST for harm in measure(left, removals).values())


def test_a_space_that_a_proxy_cannot_score_is_refused_at_once():
    measure = regions_measure(SUPERNETWORKS["fbnet"], DATA)
    with pytest.raises(ValueError, match=r"linear_regions cannot score fbnet: layer .*number of channels"):
        measure.check(all_but_zeros(SUPERNETWORKS["fbnet"]))
