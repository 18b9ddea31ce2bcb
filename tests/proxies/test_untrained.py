"""Scores of networks at their initialisation."""

import pytest
import torch

from hwnas.network.to_torch import to_torch
from hwnas.proxies import score
from hwnas.proxies.untrained import COUNTED, score_network
from hwnas.spaces import MobileNetV2, NASBench201

IMAGES = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(4)
SPACES = (NASBench201(channels=4, cells=1), MobileNetV2(resolution=32, classes=10, width=0.25))


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_counts_of_networks_are_those_of_their_modules(space) -> None:
    for architecture in space.sample(3, seed=0):
        network = architecture.network
        counted = score_network(network, COUNTED, IMAGES, LABELS)
        measured = score(to_torch(network), IMAGES, proxies=["params", "flops"])
        assert {name: result.value for name, result in measured.items()} == {
            name: counted[name].value for name in ("params", "flops")
        }


def test_the_global_generator_is_left_alone_and_does_not_matter() -> None:
    network = SPACES[0].sample(1, seed=0)[0].network
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = score_network(network, ["snip", "az_trainability"], IMAGES, LABELS)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    again = score_network(network, ["snip", "az_trainability"], IMAGES, LABELS)
    other = score_network(network, ["snip", "az_trainability"], IMAGES, LABELS, seed=1)
    assert [r.value for r in first.values()] == [r.value for r in again.values()]
    assert first["snip"].value != other["snip"].value
