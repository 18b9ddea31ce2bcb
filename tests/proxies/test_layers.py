import torch
from torch import Tensor, nn

from hwnas.proxies.layers import covered_weights, uncovered_modules


class Mixed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.zeros(1, 4))
        self.embed = nn.Embedding(7, 4)
        self.tied = nn.Linear(4, 7)
        self.tied.weight = self.embed.weight
        self.again = nn.Linear(4, 7)
        self.again.weight = self.tied.weight
        self.convolutions = nn.ModuleList(
            [nn.Conv1d(1, 1, 1), nn.Conv3d(1, 1, 1), nn.ConvTranspose2d(1, 1, 1)]
        )
        self.norm = nn.BatchNorm2d(1)
        self.attention = nn.MultiheadAttention(4, 1)
        self.reparametrised = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))

    def forward(self, x: Tensor) -> Tensor:
        return x


def test_convolutions_and_linear_layers_are_covered_once() -> None:
    names = ["tied", "convolutions.0", "convolutions.1", "convolutions.2", "attention.out_proj"]
    assert list(covered_weights(Mixed())) == names


def test_other_matrices_are_named() -> None:
    assert uncovered_modules(Mixed()) == ("(root)", "attention", "reparametrised.parametrizations.weight")


def test_a_single_layer_is_its_own_root() -> None:
    layer = nn.Linear(2, 2)
    assert covered_weights(layer) == {"(root)": layer.weight}
    assert uncovered_modules(layer) == ()
