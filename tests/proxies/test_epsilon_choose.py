import math

import pytest
import torch
from torch import nn

from hwnas.network.to_torch import to_torch
from hwnas.proxies import score
from hwnas.proxies.epsilon import choose_weights
from hwnas.proxies.measures.epsilon import epsilon_with
from hwnas.spaces import NASBench201

SPACE = NASBench201(channels=4, cells=3, resolution=8)
NETWORKS = [architecture.network for architecture in SPACE.sample(5, seed=1)]
INPUTS = torch.randn(8, 3, 8, 8, generator=torch.Generator().manual_seed(0))
CANDIDATES = (1e-9, 1e-3, 1.0, 2.0)


def test_undefined_shares_are_those_of_the_proxy() -> None:
    choice = choose_weights(NETWORKS, INPUTS, candidates=CANDIDATES, max_undefined=1)
    assert len(choice.undefined) == 6
    modules = [to_torch(network) for network in NETWORKS]
    for pair, share in choice.undefined.items():
        proxy = epsilon_with(weights=pair, dtype=torch.float32, name="it")
        values = [score(module, INPUTS, proxies=[proxy])["it"].value for module in modules]
        assert share == sum(map(math.isnan, values)) / len(values), pair
    assert 0 < choice.undefined[1e-9, 1.0] < 1


def test_the_widest_pair_that_is_mostly_defined() -> None:
    open_ = choose_weights(NETWORKS, INPUTS, candidates=CANDIDATES, max_undefined=1)
    share = open_.undefined[1e-9, 2.0]
    assert open_.weights == (1e-9, 2.0)
    narrower = choose_weights(NETWORKS, INPUTS, candidates=CANDIDATES, max_undefined=share)
    assert narrower.weights == (1e-3, 2.0)
    assert narrower.undefined == open_.undefined
    exact = choose_weights(NETWORKS, INPUTS, candidates=CANDIDATES, dtype=torch.float64, max_undefined=0.3)
    assert exact.weights == (1e-9, 2.0)


class Scaled(nn.Module):
    """A linear layer on scaled inputs: it underflows or overflows with one of the weights."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale, self.linear = scale, nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.linear(x * self.scale)
        return outputs


def test_of_equal_ratios_the_one_that_leaves_fewer_undefined() -> None:
    low, high = Scaled(1e-30), Scaled(1e30)
    candidates = (1e-20, 1e-10, 1.0, 1e10)
    for sample, best in (([low, low, high], (1e-10, 1e10)), ([low, high, high], (1e-20, 1.0))):
        choice = choose_weights(sample, INPUTS[:, 0, 0], candidates=candidates, max_undefined=1.0)
        assert choice.undefined[1e-20, 1e10] == 1
        assert choice.undefined[best] == pytest.approx(1 / 3)
        assert choice.weights == best


def test_modules_and_networks_give_the_same_choice() -> None:
    modules = [to_torch(network) for network in NETWORKS]
    before = [{name: tensor.clone() for name, tensor in m.state_dict().items()} for m in modules]
    assert choose_weights(modules, INPUTS, candidates=CANDIDATES) == choose_weights(
        iter(NETWORKS), INPUTS, candidates=CANDIDATES
    )
    for module, kept in zip(modules, before, strict=True):
        assert all(torch.equal(tensor, kept[name]) for name, tensor in module.state_dict().items())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"sample": []}, "sample: empty; pass some networks"),
        ({"candidates": (1.0,)}, "candidates: .* pass two or more different positive numbers"),
        ({"candidates": (0.0, 1.0)}, "candidates: .* positive"),
        ({"max_undefined": 0.0}, "max_undefined: 0.0; choose a share above 0 and at most 1"),
        ({"candidates": (1e-30, 1e-20)}, "max_undefined: every pair leaves 10% or more undefined"),
        ({"inputs": INPUTS[:, :, :, 0].double()}, "inputs: the dtype is float64"),
    ],
)
def test_bad_arguments_are_named(changed: dict[str, object], message: str) -> None:
    arguments = {"sample": [nn.Linear(8, 2)], "inputs": INPUTS[:, 0, 0], "candidates": CANDIDATES} | changed
    if changed.get("candidates") == (1e-30, 1e-20):
        arguments |= {"sample": NETWORKS[:2], "inputs": INPUTS}
    with pytest.raises(ValueError, match=message):
        choose_weights(**arguments)
