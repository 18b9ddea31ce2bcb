import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from hwnas.differentiable.bilevel import VirtualStep, first_order, second_order
from hwnas.differentiable.supernet.module import Supernet
from hwnas.differentiable.supernet.relaxations import softmax
from hwnas.spaces import NASBench201

STEPS = [
    VirtualStep(0.1),
    VirtualStep(0.025, momentum=0.9, weight_decay=3e-4),
    VirtualStep(0.3, momentum=0.5, weight_decay=0.1),
]


def normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Quadratic:
    """L_train = ½ w'Aw + w'Bα, L_val = ½ ‖w - c‖² + w'Dα + ½ ‖α‖²: all derivatives are known."""

    def __init__(self, seed: int) -> None:
        root = normal(4, 4, seed=seed)
        self.a = root @ root.T
        self.b, self.d = normal(4, 3, seed=seed + 1), normal(4, 3, seed=seed + 2)
        self.c, self.velocity = normal(4, seed=seed + 3), normal(4, seed=seed + 4)
        self.w = normal(4, seed=seed + 5).requires_grad_()
        self.alpha = normal(3, seed=seed + 6).requires_grad_()

    def training(self) -> Tensor:
        return self.w @ self.a @ self.w / 2 + self.w @ self.b @ self.alpha

    def validation(self) -> Tensor:
        return (
            (self.w - self.c) @ (self.w - self.c) / 2
            + self.w @ self.d @ self.alpha
            + self.alpha @ self.alpha / 2
        )

    def hypergradient(self, step: VirtualStep) -> Tensor:
        """D'w' + α - ξ B' (w' - c + Dα), with w' the step."""
        w, alpha = self.w.detach(), self.alpha.detach()
        slope = self.a @ w + self.b @ alpha + step.weight_decay * w + step.momentum * self.velocity
        ahead = w - step.rate * slope
        return self.d.T @ ahead + alpha - step.rate * self.b.T @ (ahead - self.c + self.d @ alpha)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("seed", range(3))
def test_second_order_is_exact_on_a_quadratic_problem(step: VirtualStep, seed: int):
    problem = Quadratic(10 * seed)
    before = problem.w.detach().clone()
    (found,) = second_order(
        problem.training, problem.validation, [problem.w], [problem.alpha], step, [problem.velocity]
    )
    assert torch.allclose(found, problem.hypergradient(step), rtol=1e-6, atol=1e-6)
    assert torch.equal(problem.w, before)


def test_first_order_takes_the_weights_as_they_are():
    problem = Quadratic(0)
    (found,) = first_order(problem.validation, [problem.alpha])
    assert torch.allclose(found, problem.d.T @ problem.w.detach() + problem.alpha.detach())


def test_a_rate_of_0_is_first_order():
    problem = Quadratic(3)
    (found,) = second_order(
        problem.training, problem.validation, [problem.w], [problem.alpha], VirtualStep(0.0), [None]
    )
    assert torch.allclose(found, first_order(problem.validation, [problem.alpha])[0])


class Mixed(nn.Module):
    """Two layers, the first one a mixture of three by softmax(α)."""

    def __init__(self) -> None:
        super().__init__()
        self.choices = nn.ModuleList(nn.Linear(5, 6) for _ in range(3))
        self.last = nn.Linear(6, 4)

    def forward(self, x: Tensor, alpha: Tensor) -> Tensor:
        mixed = sum(weight * one(x) for weight, one in zip(alpha.softmax(0), self.choices, strict=True))
        return self.last(torch.tanh(mixed))


@pytest.mark.parametrize("step", STEPS)
def test_second_order_is_that_of_an_unrolled_step(step: VirtualStep):
    torch.manual_seed(0)
    network = Mixed().double()
    alpha = normal(3, seed=1).requires_grad_()
    batches = [(normal(8, 5, seed=seed), torch.arange(8) % 4) for seed in (2, 3)]
    names, weights = zip(*network.named_parameters(), strict=True)
    velocities = [normal(*weight.shape, seed=4) / 10 for weight in weights]

    def loss(batch: int, values: tuple[Tensor, ...]) -> Tensor:
        x, labels = batches[batch]
        outputs = functional_call(network, dict(zip(names, values, strict=True)), (x, alpha))
        return nn.functional.cross_entropy(outputs, labels)

    slopes = torch.autograd.grad(loss(0, weights), weights, create_graph=True)
    ahead = tuple(
        weight - step.rate * (step.momentum * velocity + slope + step.weight_decay * weight)
        for weight, slope, velocity in zip(weights, slopes, velocities, strict=True)
    )
    (exact,) = torch.autograd.grad(loss(1, ahead), [alpha])
    (found,) = second_order(
        lambda: loss(0, weights), lambda: loss(1, weights), weights, [alpha], step, velocities
    )
    assert torch.allclose(found, exact, rtol=1e-4, atol=1e-4 * float(exact.norm()))
    (cheap,) = first_order(lambda: loss(1, weights), [alpha])
    assert not torch.allclose(cheap, exact, rtol=1e-2, atol=0)


def test_weights_and_parameters_that_a_loss_does_not_depend_on_count_as_0():
    w, idle = torch.ones(2, requires_grad=True), torch.ones(3, requires_grad=True)
    alpha, unused = torch.ones(2, requires_grad=True), torch.ones(1, requires_grad=True)
    found = second_order(
        lambda: (w * alpha).sum(),
        lambda: (w**2).sum(),
        [w, idle],
        [alpha, unused],
        VirtualStep(0.1),
        [None, None],
    )
    assert torch.allclose(found[0], torch.full((2,), -0.1 * 2 * 0.9))  # -ξ · w'·2, w' = 1 - 0.1·α
    assert torch.equal(found[1], torch.zeros(1))
    assert torch.equal(idle, torch.ones(3))


def test_the_weights_are_put_back_after_an_error():
    w, alpha = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)

    def fails() -> Tensor:
        raise RuntimeError("no batch left")

    with pytest.raises(RuntimeError, match="no batch left"):
        second_order(lambda: (w * alpha).sum(), fails, [w], [alpha], VirtualStep(0.1), [None])
    assert torch.equal(w, torch.ones(2))


def test_on_a_supernet_it_is_that_of_finite_differences():
    torch.manual_seed(0)
    supernet = Supernet(NASBench201(channels=2, cells=1, resolution=4, classes=3).supernetwork()).double()
    logits = {
        group: normal(len(labels), seed=5).requires_grad_()
        for group, labels in supernet.supernetwork.groups.items()
    }
    weights = list(supernet.parameters())
    step = VirtualStep(0.01, momentum=0.9, weight_decay=3e-4)
    velocities = [normal(*weight.shape, seed=6) / 100 for weight in weights]
    batches = [(normal(6, 3, 4, 4, seed=seed), torch.arange(6) % 3) for seed in (2, 3)]

    def loss(batch: int) -> Tensor:
        x, labels = batches[batch]
        return nn.functional.cross_entropy(supernet(x, softmax(logits)), labels)

    def after_a_step() -> float:
        slopes = torch.autograd.grad(loss(0), weights)
        before = [weight.detach().clone() for weight in weights]
        with torch.no_grad():
            for weight, slope, velocity in zip(weights, slopes, velocities, strict=True):
                weight.sub_(step.rate * step.direction(weight, slope, velocity))
            found = loss(1).item()
            for weight, start in zip(weights, before, strict=True):
                weight.copy_(start)
        return found

    found = second_order(
        lambda: loss(0), lambda: loss(1), weights, list(logits.values()), step, velocities, radius=1e-6
    )
    by_group = dict(zip(logits, found, strict=True))
    for group, choice in (("0→1", 3), ("1→3", 1), ("2→3", 2)):
        sides = []
        for change in (1e-4, -1e-4):
            logits[group].data[choice] += change
            sides.append(after_a_step())
            logits[group].data[choice] -= change
        numeric = (sides[0] - sides[1]) / 2e-4
        assert by_group[group][choice].item() == pytest.approx(numeric, rel=1e-4)
