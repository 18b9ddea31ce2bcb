"""One small network of everything that proxies stumble over."""

from torch import Tensor, nn
from torch.nn import functional as F

from .networks import CLASSES, fill


class Mixture(nn.Module):
    """Functional ReLUs, a reused layer, two that share a weight, an orphan, norms without a batch, conv1d."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1)
        self.group = nn.GroupNorm(2, 6)
        self.twice = nn.Conv2d(6, 6, 3, padding=1)
        self.tied = nn.Conv2d(6, 6, 3, padding=1)
        self.tied.weight = self.twice.weight
        self.sequence = nn.Conv1d(6, 8, 3, padding=1)
        self.norm = nn.LayerNorm(8)
        self.orphan = nn.Linear(4, 4)
        self.head = nn.Linear(8, CLASSES)
        fill(self)
        self.double()

    def forward(self, images: Tensor) -> Tensor:
        features = F.relu(self.group(self.stem(images)))
        features = F.relu(self.twice(F.relu(self.twice(features))), inplace=True)
        features = F.relu6(self.sequence(self.tied(features).flatten(2)))
        logits: Tensor = self.head(self.norm(features.mean(2)))
        return logits


WEIGHTS = ("stem", "twice", "sequence", "head")


def weights(module: Mixture) -> dict[str, nn.Parameter]:
    """The weights of convolutions and linear layers that the outputs depend on."""
    return {name: module.get_submodule(name).weight for name in WEIGHTS}
