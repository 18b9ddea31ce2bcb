import pytest
import torch

from hwnas.differentiable.oneshot.elastic import ElasticMixture, ElasticSupernet
from hwnas.differentiable.oneshot.learner import one_network
from hwnas.network.to_torch import to_torch
from tests.differentiable.spaces import SPACES, SUPERNETWORKS


@pytest.fixture(scope="module")
def supernets() -> dict[str, ElasticSupernet]:
    torch.manual_seed(0)
    return {name: ElasticSupernet(supernetwork).double() for name, supernetwork in SUPERNETWORKS.items()}


def images(supernet: ElasticSupernet) -> torch.Tensor:
    shape = supernet.supernetwork.skeleton.inputs[0].shape
    return torch.randn(2, *shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("name", SPACES)
def test_one_hot_it_computes_the_architectures_network(name, supernets):
    supernet = supernets[name].eval()
    for architecture in SPACES[name].sample(3, seed=1):
        choices = supernet.supernetwork.choices(architecture)
        derived = to_torch(architecture.network).double().eval()
        derived.load_state_dict(supernet.inherited(choices))
        found = supernet(images(supernet), one_network(supernet.supernetwork, choices))
        assert torch.allclose(found, derived(images(supernet)), rtol=1e-10, atol=1e-12)


def test_it_has_the_weights_of_its_largest_architecture_and_no_more(supernets):
    supernet = supernets["proxylessnas"]
    supernetwork = supernet.supernetwork

    def size(network):
        return sum(one.size for one in network.parameters.values() if one.trainable)

    largest = supernetwork.cheapest(lambda network: -size(network))
    assert sum(weight.numel() for weight in supernet.parameters()) == size(largest.network)


def test_gradients_of_small_and_large_candidates_meet_in_one_tensor(supernets):
    supernet = supernets["proxylessnas"].eval()
    space, supernetwork = SPACES["proxylessnas"], supernet.supernetwork
    path = "stage1.block0"
    mixture = supernet.body.get_submodule(path)
    assert isinstance(mixture, ElasticMixture)
    small = supernetwork.choices(space.from_encoding([0] * len(space.choices)))
    large = {group: len(labels) - 1 for group, labels in supernetwork.groups.items()}

    def gradient(choices):
        supernet.zero_grad()
        supernet(images(supernet), one_network(supernetwork, choices)).square().sum().backward()
        (number,) = [i for i, one in enumerate(supernetwork.mixtures[path]) if one.is_chosen(choices)]
        part = mixture.parts[number]["depthwise.weight"]
        return mixture.shared[part.whole].grad.clone(), part

    of_small, part = gradient(small)
    of_large, _ = gradient(large)
    inside = torch.zeros_like(of_small, dtype=torch.bool)
    inside[part.cut] = True
    assert of_small.shape == of_large.shape
    assert inside.sum() < inside.numel()
    assert bool((of_small[~inside] == 0).all())
    assert float(of_small[inside].abs().sum()) > 0
    assert float(of_large[inside].abs().sum()) > 0
    assert float(of_large[~inside].abs().sum()) > 0


def test_a_candidate_is_a_module_of_the_parts_that_it_has(supernets):
    supernet = supernets["fbnet"].eval()
    path, candidates = next(iter(supernet.supernetwork.mixtures.items()))
    mixture = supernet.body.get_submodule(path)
    x = torch.randn(2, *candidates[0].network.inputs[0].shape, dtype=torch.float64)
    for number, candidate in enumerate(candidates):
        alone = to_torch(candidate.network).double().eval()
        alone.load_state_dict(mixture.weights_of(number), strict=False)
        choices = dict.fromkeys(supernet.supernetwork.groups, 0) | {"layer_1": number}
        seen = []
        hook = mixture.register_forward_hook(
            lambda module, inputs, output, seen=seen: seen.append((inputs[0], output))
        )
        supernet(images(supernet), one_network(supernet.supernetwork, choices))
        hook.remove()
        ((taken, given),) = seen
        assert taken.shape[1:] == x.shape[1:]
        assert torch.allclose(given, alone(taken), rtol=1e-10, atol=1e-12)
