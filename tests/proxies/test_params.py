import pytest
import torch
from torch import nn

from hwnas.proxies import score


def params(module: nn.Module) -> float:
    return score(module, proxies=["params"])["params"].value


def test_weights_biases_and_gains_count_and_buffers_do_not() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    module[0].weight.requires_grad_(False)
    assert params(module) == 3 * 4 * 9 + 4 + 4 + 4


def test_a_shared_weight_counts_once() -> None:
    layer = nn.Linear(3, 3)
    assert params(nn.Sequential(layer, nn.ReLU(), layer)) == 12


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_it_needs_no_values(device: str) -> None:
    result = score(nn.Linear(3, 2, device=torch.device(device)), proxies=["params"])["params"]
    assert (result.value, result.mode, result.dtype, result.layers_used) == (8, "none", "int", 1)
