import math

import pytest
import torch
from torch import nn

from hwnas.network.builder import Builder
from hwnas.network.network import Network
from hwnas.network.thin import smallest_thin
from hwnas.network.to_torch import to_torch
from hwnas.proxies import Proxy, ProxyResult, score
from hwnas.proxies.measures.linear_regions_thin import linear_regions_thin_with
from hwnas.spaces.nasbench201 import NASBench201

SPACE = NASBench201()
CELL = ("stage0.cell0", "head")


def cell(*operations: str) -> Network:
    a, b, c, d, e, f = operations
    return SPACE.network(SPACE.parse(f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|"))


RICH = cell(*["nor_conv_3x3"] * 6)
POOR = cell("nor_conv_1x1", *["none"] * 2, "nor_conv_1x1", "skip_connect", "none")


def regions(network: Network, proxy: str | Proxy = "linear_regions_thin", seed: int = 0) -> ProxyResult:
    return next(iter(score(nn.Linear(1, 1), proxies=[proxy], network=network, seed=seed).values()))


def codes(module: nn.Module, images: torch.Tensor) -> torch.Tensor:
    found: list[torch.Tensor] = []
    relus = [part for part in module.modules() if isinstance(part, nn.ReLU)]
    hooks = [relu.register_forward_hook(lambda *a: found.append(a[2].flatten(1) > 0)) for relu in relus]
    with torch.no_grad():
        module(images)
    for hook in hooks:
        hook.remove()
    return torch.cat(found, 1).float()


def by_definition(network: Network, repeats: int) -> float:
    """As TE-NAS counts, but for its inputs: sum over images of 1 / (number of images of the same pattern)."""
    narrow = smallest_thin(network)
    counts = []
    for _ in range(repeats):
        module = to_torch(narrow)
        for part in module.modules():
            if isinstance(part, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(part.weight, mode="fan_in", nonlinearity="relu")
                if part.bias is not None:
                    nn.init.zeros_(part.bias)
        on = torch.cat([codes(module, torch.randn(1000, *narrow.inputs[0].shape)) for _ in range(3)])
        differ = on @ (1 - on).T
        counts.append(float((1 / (differ + differ.T == 0).sum(1)).sum()))
    return sum(counts) / repeats


def biased() -> Network:
    b = Builder()
    return b.build(b.relu(b.conv(b.input(3, 8, 8), 4, kernel=3, bias=True)))


@pytest.mark.parametrize("network", [POOR, cell(*["avg_pool_3x3"] * 6), biased()])
def test_by_definition(network: Network) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        expected = by_definition(network, 3)
    result = regions(network)
    assert result.value == pytest.approx(expected, rel=1e-5)
    assert (result.mode, result.dtype) == ("train", "float32")


def test_more_relus_see_more_regions() -> None:
    one_cell = linear_regions_thin_with(blocks=CELL)
    rich, poor = regions(RICH, one_cell), regions(POOR, one_cell)
    assert 1 < poor.value < rich.value < 3000
    assert (rich.layers_used, poor.layers_used) == (7, 3)
    assert rich.note is None
    assert linear_regions_thin_with(repeats=2).name == "linear_regions_thin(repeats=2)"
    assert one_cell.name == "linear_regions_thin(blocks=stage0.cell0+head, repeats=3)"


def test_saturation_is_noted() -> None:
    result = regions(RICH)
    assert result.value > 2990
    assert result.note == "nearly every image has a pattern of its own: the count is close to its maximum"


def test_a_disconnected_network_has_one_region() -> None:
    assert regions(cell(*["none"] * 6)).value == 1


def test_the_seed_draws_the_numbers_and_the_module_does_not_matter() -> None:
    once = linear_regions_thin_with(repeats=1)
    first = regions(POOR, once)
    assert score(nn.Conv2d(1, 1, 1).double(), proxies=[once], network=POOR)[once.name].value == first.value
    assert regions(POOR, once, seed=1).value != first.value


def test_undefined_values_have_a_reason() -> None:
    b = Builder()
    x = b.input(3, 8, 8)
    split = b.build(b.relu(b.layers("Split", b.conv(x, 8), split=(4, 4), axis=1)[0]))
    result = regions(split)
    assert math.isnan(result.value)
    assert result.reason == "no thin copy: layer split: what Split does depends on the number of channels"
    b = Builder()
    smooth = b.build(b.hard_swish(b.conv(b.input(3, 8, 8), 4)))
    assert "no ReLU-family activation" in str(regions(smooth).reason)
    assert regions(smooth).layers_skipped == ("hardswish",)


def test_relu6_has_regions_too() -> None:
    b = Builder()
    clipped = b.build(b.relu6(b.conv(b.input(3, 8, 8), 4, kernel=3)))
    assert 2 < regions(clipped).value <= 2**9


def test_bad_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="repeats: 0; pass 1 or more"):
        linear_regions_thin_with(repeats=0)
    with pytest.raises(ValueError, match=r"block: no 'cell9' in the network; it has stem, stage0\.cell0"):
        regions(POOR, linear_regions_thin_with(blocks=["cell9"]))
    with pytest.raises(ValueError, match="network: linear_regions_thin needs the module's Network"):
        score(nn.Linear(1, 1), proxies=["linear_regions_thin"])
