"""Zero-cost proxies of a torch module of your own, and of some architectures of a space."""

import torch
from torch import nn

import hwnas

generator = torch.Generator().manual_seed(0)
images = torch.randn(16, 3, 32, 32, generator=generator)
labels = torch.randint(0, 10, (16,), generator=generator)

module = nn.Sequential(
    nn.Conv2d(3, 16, 3, stride=2), nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 15 * 15, 10)
)
results = hwnas.proxies.score(
    module, images, labels, proxies=["grad_norm", "fisher", "jacob_cov", "naswot", "epsilon"]
)
for name, result in results.items():
    print(f"{name:10} {result.value:10.4g}  {result.reason or result.note or ''}")

space = hwnas.spaces.NASBench201(channels=4, cells=1)
table = hwnas.proxies.score_architectures(
    space.sample(8, seed=0), ["live_params", "synflow", "jacob_cov"], images, labels
)
for row, architecture in enumerate(table.architectures):
    print(architecture, *(f"{scores[row].value:.4g}" for scores in table.scores.values()))
