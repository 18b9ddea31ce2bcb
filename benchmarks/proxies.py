"""What proxies cost, as ratios to a forward, or a forward and backward, pass of the same network."""

import statistics
from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmarks.timing import Row, seconds
from hwnas.network.to_torch import to_torch
from hwnas.network.untrained import untrained_form
from hwnas.proxies import score
from hwnas.spaces import NASBench201
from hwnas.threads import one_torch_thread

CELLS, REPEATS = 4, 3
FIVE = ("grad_norm", "snip", "plain", "fisher", "jacob_cov")


def _forward(module: nn.Module, images: Tensor) -> None:
    with torch.inference_mode():
        module(images)


def _forward_backward(module: nn.Module, images: Tensor, labels: Tensor) -> None:
    loss = nn.functional.cross_entropy(module(images), labels)
    torch.autograd.grad(loss, [*module.parameters()], allow_unused=True)


def _ratio(ours: Callable[[], object], theirs: Callable[[], object]) -> float:
    """The median over repeats of how long the first takes, in units of the second."""
    return statistics.median(seconds(ours) / seconds(theirs) for _ in range(REPEATS))


def _row(name: str, unit: str, ratios: list[float], goal: float) -> Row:
    found = statistics.median(ratios)
    return Row(
        f"{name}, {len(ratios)} NAS-Bench-201 cells", f"{found:.3f} {unit}", f"<= {goal}", found <= goal
    )


def rows() -> list[Row]:
    generator = torch.Generator().manual_seed(0)
    images, labels = torch.randn(256, 3, 32, 32, generator=generator), torch.arange(64) % 10
    small = images[:64].clone()
    ratios: dict[str, list[float]] = {name: [] for name in ("naswot", "five", "epsilon", "synflow")}
    with one_torch_thread():
        for architecture in NASBench201().sample(CELLS, seed=2):
            network = untrained_form(architecture.network).network
            module = to_torch(network).train()

            def run(*proxies: str, batch: Tensor = small, module=module, network=network) -> None:
                score(module, batch, labels if len(batch) == 64 else None, proxies, network=network)

            def forward(batch: Tensor = small, module=module) -> None:
                _forward(module, batch)

            def both(module=module) -> None:
                _forward_backward(module, small, labels)

            def two_forwards(forward=forward) -> None:
                forward(images)
                forward(images)

            run("naswot", *FIVE, "synflow")  # the first call of everything is slower
            ratios["naswot"].append(_ratio(lambda run=run: run("naswot"), forward))
            ratios["five"].append(_ratio(lambda run=run: run(*FIVE), both))
            ratios["epsilon"].append(_ratio(lambda run=run: run("epsilon", batch=images), two_forwards))
            ratios["synflow"].append(_ratio(lambda run=run: run("synflow"), both))
    return [
        _row("naswot, batch 64", "forwards", ratios["naswot"], 1.25),
        _row(" + ".join(FIVE), "forwards and backwards", ratios["five"], 1.3),
        _row("epsilon, batch 256", "of its two forwards", ratios["epsilon"], 0.1),
        _row("synflow", "forwards and backwards", ratios["synflow"], 0.1),
    ]
