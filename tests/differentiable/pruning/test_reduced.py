import numpy as np
import pytest
import torch

from hwnas.differentiable.pruning.reduced import (
    reduced_network,
    remaining_architecture,
    without,
)
from hwnas.differentiable.supernet.module import Supernet
from hwnas.differentiable.supernet.relaxations import fixed
from hwnas.differentiable.zeros import all_but_zeros
from hwnas.network.to_torch import to_torch
from tests.differentiable.spaces import CELLS, SPACES, SUPERNETWORKS


@pytest.mark.parametrize("name", CELLS)
def test_none_is_what_gives_zeros(name: str):
    left = all_but_zeros(SUPERNETWORKS[name])
    labels = SUPERNETWORKS[name].groups
    assert all(
        [labels[group][choice] for choice in choices] == [one for one in labels[group] if one != "none"]
        for group, choices in left.items()
    )


def test_a_chain_has_no_zeros():
    supernetwork = SUPERNETWORKS["fbnet"]
    assert all_but_zeros(supernetwork) == {
        group: tuple(range(len(labels))) for group, labels in supernetwork.groups.items()
    }


def test_a_removal_takes_one_choice():
    assert without({"a": (0, 2, 3), "b": (1,)}, ("a", 2)) == {"a": (0, 3), "b": (1,)}


@pytest.mark.parametrize("name", SPACES)
def test_with_one_choice_each_it_is_the_architecture(name: str):
    for architecture in SPACES[name].sample(3, seed=2):
        chosen = SUPERNETWORKS[name].choices(architecture)
        left = {group: (choice,) for group, choice in chosen.items()}
        assert remaining_architecture(SUPERNETWORKS[name], left) == architecture


@pytest.mark.parametrize("left", [(0,), (1, 3), (0, 2, 4), (1, 2, 3, 4), ()], ids=str)
def test_it_computes_the_mean_of_what_remains(left: tuple[int, ...]):
    """The same as the supernet with equal probabilities, under the same weights."""
    supernetwork = SUPERNETWORKS["nasbench201"]
    remaining = dict.fromkeys(supernetwork.groups, (3,)) | {"0→1": left, "1→3": (0, 1, 2, 3)}
    torch.manual_seed(0)
    supernet = Supernet(supernetwork).double().eval()
    module = to_torch(reduced_network(supernetwork, remaining)).double().eval()
    known = supernet.body.state_dict()
    module.load_state_dict(
        {name: known[name.replace("candidate", "candidates.")] for name in module.state_dict()}
    )
    shares = {group: np.zeros(5) for group in supernetwork.groups}
    for group, choices in remaining.items():
        shares[group][list(choices)] = 1 / max(1, len(choices))
    x = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    assert torch.allclose(module(x), supernet(x, fixed(shares)))


def test_an_edge_of_which_nothing_remains_is_none():
    space, supernetwork = SPACES["darts"], SUPERNETWORKS["darts"]
    architecture = space.sample(1, seed=5)[0]
    chosen = supernetwork.choices(architecture)
    left = {group: (choice,) if choice else () for group, choice in chosen.items()}
    assert remaining_architecture(supernetwork, left) == architecture
