import copy

import numpy as np
import pytest
import torch
from torch import nn

from hwnas.differentiable.supernet.mixture import Factors, Mixture
from hwnas.differentiable.supernet.module import Supernet
from hwnas.differentiable.supernet.parameters import initial_logits
from hwnas.differentiable.supernet.relaxations import fixed, gumbel_softmax, softmax, two_paths
from hwnas.network.to_torch import to_torch
from tests.differentiable.spaces import SPACES, SUPERNETWORKS

every_space = pytest.mark.parametrize("name", SPACES)


@pytest.fixture(scope="module")
def supernets() -> dict[str, Supernet]:
    torch.manual_seed(0)
    return {name: Supernet(supernetwork).double() for name, supernetwork in SUPERNETWORKS.items()}


def images(supernet: Supernet) -> torch.Tensor:
    shape = supernet.supernetwork.skeleton.inputs[0].shape
    return torch.randn(2, *shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@every_space
def test_one_hot_it_computes_the_architectures_network(name: str, supernets: dict[str, Supernet]):
    supernet = supernets[name].eval()
    x = images(supernet)
    for architecture in SPACES[name].sample(3, seed=1):
        supernetwork = supernet.supernetwork
        derived = to_torch(architecture.network).double().eval()
        derived.load_state_dict(supernet.inherited(supernetwork.choices(architecture)))
        found = supernet(x, fixed(supernetwork.one_hot(architecture)))
        assert torch.allclose(found, derived(x), rtol=1e-10, atol=1e-12)


def test_a_mixture_is_the_weighted_sum_of_the_candidates(supernets: dict[str, Supernet]):
    supernet = supernets["nasbench201"].eval()
    paths = [path for path in SUPERNETWORKS["nasbench201"].mixtures if path.startswith("stage0")]
    relaxed = softmax(initial_logits(supernet.supernetwork, np.random.default_rng(0)))
    seen: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
    hooks = [
        supernet.body.get_submodule(path).register_forward_hook(
            lambda module, inputs, output, path=path: seen.update({path: (inputs[0], output)})
        )
        for path in paths
    ]
    supernet(images(supernet), relaxed)
    for hook in hooks:
        hook.remove()
    for path in paths:
        source, target = path[-3], path[-1]
        shares = relaxed.probabilities[f"{source}→{target}"].detach().double()
        x, found = seen[path]
        candidates = supernet.body.get_submodule(f"{path}.candidates")
        plain = sum(share * candidates[str(i)](x) for i, share in enumerate(shares) if i)
        assert torch.allclose(found, plain, rtol=1e-6, atol=1e-9)


@every_space
def test_without_gradients_by_logits_all_else_is_the_same(name: str, supernets: dict[str, Supernet]):
    supernet = copy.deepcopy(supernets[name]).train()
    logits = initial_logits(supernet.supernetwork, np.random.default_rng(0))
    weights = list(supernet.parameters())
    x = torch.cat([images(supernet) * factor for factor in (1, 2, 3, 4)])
    found = []
    for given in (logits, {group: values.detach() for group, values in logits.items()}):
        output = supernet(x, softmax(given))
        found.append([output, *torch.autograd.grad(output.square().sum(), weights, allow_unused=True)])
    for one, other in zip(*found, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            assert torch.allclose(one, other, rtol=1e-5, atol=1e-7)


def test_weights_go_into_the_normalisation_that_a_candidate_ends_in(supernets: dict[str, Supernet]):
    path = next(iter(SUPERNETWORKS["nasbench201"].mixtures))
    mixture = supernets["nasbench201"].body.get_submodule(path)
    assert mixture.factors == dict.fromkeys((2, 3), Factors(("bn.weight", "bn.bias")))
    residual = supernets["fbnet"].body.get_submodule("stage1.block0")
    factors = Factors(("project_bn.weight", "project_bn.bias"), adds_input=True)
    assert residual.factors == dict.fromkeys(range(8), factors)


@pytest.mark.parametrize("name", ["nasbench201", "darts", "proxylessnas"])
@pytest.mark.parametrize(
    "draw",
    [
        lambda logits, rng: softmax(logits),
        lambda logits, rng: gumbel_softmax(logits, rng, temperature=1.0, hard=True),
        two_paths,
    ],
    ids=["softmax", "hard gumbel", "two paths"],
)
def test_gradients_reach_weights_and_logits(name: str, draw, supernets: dict[str, Supernet]):
    supernet = supernets[name].train()
    supernet.zero_grad()
    logits = initial_logits(supernet.supernetwork, np.random.default_rng(0))
    supernet(images(supernet), draw(logits, np.random.default_rng(1))).square().sum().backward()
    assert sum(float(one.grad.abs().sum()) for one in logits.values() if one.grad is not None) > 0
    assert any(weight.grad is not None for weight in supernet.parameters())


def test_the_gradient_by_logits_is_that_of_finite_differences(supernets: dict[str, Supernet]):
    supernet = supernets["nasbench201"].eval()
    x = images(supernet)
    logits = {
        group: values.detach().double().requires_grad_()
        for group, values in initial_logits(supernet.supernetwork, np.random.default_rng(0)).items()
    }
    supernet(x, softmax(logits)).square().sum().backward()
    for group in ("0→1", "1→3"):
        gradient = logits[group].grad.clone()
        for choice in range(5):
            sides = []
            for step in (1e-5, -1e-5):
                moved = {name: values.detach().clone() for name, values in logits.items()}
                moved[group][choice] += step
                sides.append(float(supernet(x, softmax(moved)).detach().square().sum()))
            assert gradient[choice].item() == pytest.approx((sides[0] - sides[1]) / 2e-5, rel=1e-4, abs=1e-8)


@every_space
def test_a_single_path_runs_no_other_candidate(name: str, supernets: dict[str, Supernet]):
    supernet = supernets[name]
    logits = initial_logits(supernet.supernetwork, np.random.default_rng(0))
    relaxed = gumbel_softmax(logits, np.random.default_rng(3), temperature=1.0, hard=True)
    run: list[nn.Module] = []
    mixtures = [module for module in supernet.modules() if isinstance(module, Mixture)]
    hooks = [
        candidate.register_forward_hook(lambda module, *_: run.append(module))
        for mixture in mixtures
        for candidate in mixture.candidates.values()
    ]
    supernet(images(supernet), relaxed)
    for hook in hooks:
        hook.remove()
    assert len(mixtures) == len(supernet.supernetwork.mixtures)
    assert all(sum(one in run for one in mixture.candidates.values()) <= 1 for mixture in mixtures)
    assert run


def test_parameters_are_weights_of_layers_and_nothing_else(supernets: dict[str, Supernet]):
    supernet = supernets["fbnet"]
    supernetwork = supernet.supernetwork
    candidates = [one for mixture in supernetwork.mixtures.values() for one in mixture if one.network]
    size = sum(
        parameter.size
        for network in (*supernetwork.fixed, *(one.network for one in candidates))
        for parameter in network.parameters.values()
        if parameter.trainable
    )
    assert sum(weight.numel() for weight in supernet.parameters()) == size


def test_it_can_be_copied_between_steps(supernets: dict[str, Supernet]):
    supernet = supernets["nasbench201"].eval()
    relaxed = softmax(initial_logits(supernet.supernetwork, np.random.default_rng(0)))
    found = supernet(images(supernet), relaxed)
    twin = copy.deepcopy(supernet)
    nn.init.zeros_(next(supernet.parameters()))
    assert torch.equal(twin(images(supernet), relaxed), found)
