import pytest
import torch
from torch import Tensor, nn

from hwnas.proxies import ProxyResult, score

from .networks import SHAPE, batch, chain, encoder


def flops(module: nn.Module, *shape: int) -> ProxyResult:
    return score(module, input_shape=shape, proxies=["flops"])["flops"]


@pytest.mark.parametrize(
    ("layer", "shape", "macs"),
    [
        (nn.Linear(5, 7), (5,), 35),
        (nn.Conv2d(3, 8, 3, padding=1), (3, 6, 6), 36 * 8 * 3 * 9),
        (nn.Conv2d(4, 8, 3, stride=2, padding=1), (4, 6, 6), 9 * 8 * 4 * 9),
        (nn.Conv2d(4, 8, 3, groups=4), (4, 6, 6), 16 * 8 * 9),
        (nn.Conv1d(2, 3, 4), (2, 10), 7 * 3 * 2 * 4),
    ],
)
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_two_for_each_multiply_accumulate(
    layer: nn.Module, shape: tuple[int, ...], macs: int, device: str
) -> None:
    result = flops(layer.to(torch.device(device)), *shape)
    assert result.value == 2 * macs
    assert (result.mode, result.dtype, result.layers_used) == ("eval", "int", 1)


def test_the_batch_size_does_not_matter() -> None:
    module, (inputs, _) = chain(normalised=True), batch()
    expected = 2 * (64 * 6 * 3 * 9 + 9 * 4 * 6 * 9 + 36 * 5)
    assert flops(module, *SHAPE).value == expected
    assert score(module, inputs, proxies=["flops"])["flops"].value == expected
    assert flops(module, *SHAPE).layers_used == 3


class PartlyUsed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.used = nn.ModuleList([nn.Linear(2, 2)])
        self.orphan = nn.Linear(9, 9)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.used[0](x)
        return out


def test_layers_that_are_never_called_add_nothing() -> None:
    result = flops(PartlyUsed(), 2)
    assert (result.value, result.layers_used) == (8, 1)


def test_attention_counts_though_torch_would_fuse_it() -> None:
    projections, products, feed_forward = 4 * (4 * 8 * 8), 2 * (4 * 4 * 8), 2 * (4 * 8 * 16)
    assert flops(encoder(), 4, 8).value == 2 * (projections + products + feed_forward)
    assert torch.backends.mha.get_fastpath_enabled()


def test_one_value_a_channel_is_no_problem() -> None:
    assert flops(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)), 3).value == 24


def test_layers_in_which_nothing_was_counted_are_named() -> None:
    class Two(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear, self.bilinear = torch.nn.Linear(4, 3), torch.nn.Bilinear(3, 3, 2)

        def forward(self, x):
            y = self.linear(x)
            return self.bilinear(y, y)

    found = score(Two(), input_shape=(4,), proxies=["flops"])["flops"]
    assert (found.value, found.layers_used, found.layers_skipped) == (2 * 4 * 3, 1, ("bilinear",))
