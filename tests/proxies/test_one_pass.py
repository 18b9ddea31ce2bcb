"""The measures that share one forward pass, by their definitions."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hwnas import as_network
from hwnas.cost import count
from hwnas.proxies import score
from hwnas.spaces import NASBench201

from .networks import CLASSES, ManyParts, batch, chain


def gradients(
    module: nn.Module, inputs: Tensor, labels: Tensor, create_graph: bool = False
) -> dict[str, Tensor]:
    weights = {n: p for n, p in module.named_parameters() if p.ndim > 1}
    found = torch.autograd.grad(
        F.cross_entropy(module(inputs), labels), list(weights.values()), create_graph=create_graph
    )
    return dict(zip(weights, found, strict=True))


def test_plain_and_the_global_norm() -> None:
    module, (inputs, labels) = chain(), batch()
    found = gradients(module, inputs, labels)
    weights = dict(module.named_parameters())
    results = score(module, inputs, labels, ["plain", "grad_norm_global"])
    expected = sum(float((weights[name].detach() * g).sum()) for name, g in found.items())
    assert results["plain"].value == pytest.approx(expected, rel=1e-12)
    norm = math.sqrt(sum(float(g.square().sum()) for g in found.values()))
    assert results["grad_norm_global"].value == pytest.approx(norm, rel=1e-12)


def test_grasp_by_finite_differences() -> None:
    """H g is the change of the gradient along itself."""
    inputs, labels = batch()
    module, step = chain(), 1e-6
    first = gradients(module, inputs, labels)
    moved = chain()
    with torch.no_grad():
        for name, parameter in moved.named_parameters():
            if name in first:
                parameter += step * first[name]
    second = gradients(moved, inputs, labels)
    weights = dict(module.named_parameters())
    expected = -sum(float((weights[n].detach() * (second[n] - first[n]) / step).sum()) for n in first)
    assert score(module, inputs, labels, ["grasp"])["grasp"].value == pytest.approx(expected, rel=1e-4)


class InPlace(nn.Module):
    """In-place operations straight after convolutions, a layer called twice, a linear layer on a sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.twice = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1, groups=2)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = F.leaky_relu(self.first(x), 0.3, inplace=True)
        y = self.twice(x)
        y += x
        y = F.elu(self.twice(y), inplace=True)
        logits: Tensor = self.head(y.mean(1)).mean(1)
        return logits


def test_fisher_is_the_derivative_by_masks_of_the_channels() -> None:
    """D_k = mean_n (dL/dm_nk)^2 / 2 at m = 1, m_nk multiplying channel k of image n wherever it is used."""
    torch.manual_seed(0)
    module, (inputs, labels) = InPlace().double(), batch()
    masks = {
        name: torch.ones(len(inputs), layer.weight.shape[0], dtype=torch.float64, requires_grad=True)
        for name, layer in module.named_children()
    }

    def masked(name: str):
        def hook(_layer: nn.Module, _inputs: object, out: Tensor) -> Tensor:
            shape = (len(inputs), 1, -1) if name == "head" else (len(inputs), -1, 1, 1)
            return out * masks[name].view(shape)

        return hook

    hooks = [layer.register_forward_hook(masked(name)) for name, layer in module.named_children()]
    found = torch.autograd.grad(F.cross_entropy(module(inputs), labels), list(masks.values()))
    for hook in hooks:
        hook.remove()
    expected = sum(
        0.5 * float(g.square().mean(0).sum()) * layer.weight[0].numel()
        for g, layer in zip(found, module.children(), strict=True)
    )
    assert score(module, inputs, labels, ["fisher"])["fisher"].value == pytest.approx(expected, rel=1e-12)


def test_fisher_runs_in_train_mode_whatever_the_callers() -> None:
    inputs, labels = batch()
    values = [
        score(chain(normalised=True).train(mode), inputs, labels, ["fisher"])["fisher"]
        for mode in (True, False)
    ]
    assert values[0].value == values[1].value
    assert [value.mode for value in values] == ["train", "train"]


def jacobian(module: nn.Module, inputs: Tensor) -> np.ndarray:
    images = inputs.clone().requires_grad_()
    return torch.autograd.grad(module(images).sum(), images)[0].flatten(1).numpy()


def test_jacob_cov_and_epe_nas() -> None:
    module, (inputs, labels) = chain(normalised=True), batch(8)
    rows = jacobian(chain(normalised=True), inputs)
    values = np.linalg.eigvalsh(np.corrcoef(rows))
    results = score(module, inputs, labels, ["jacob_cov", "epe_nas"])
    expected = -np.sum(np.log(values + 1e-5) + 1 / (values + 1e-5))
    assert results["jacob_cov"].value == pytest.approx(expected, rel=1e-9)
    by_class = [
        np.log(np.abs(np.corrcoef(rows[labels.numpy() == c])) + 1e-5).sum() for c in set(labels.tolist())
    ]
    assert results["epe_nas"].value == pytest.approx(np.abs(by_class).sum(), rel=1e-9)
    assert results["jacob_cov"].value <= -8


def test_epe_nas_of_many_classes_compares_the_classes() -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(192, 8), nn.Tanh(), nn.Linear(8, 101)).double()
    inputs, _ = batch(6)
    labels = torch.tensor([0, 0, 0, 7, 7, 100])
    rows = jacobian(module, inputs)
    classes = [rows[labels.numpy() == c] for c in (0, 7, 100)]
    scores = [np.log(np.abs(np.corrcoef(r)) + 1e-5).sum() / len(r) for r in classes]
    expected = sum(abs(a - b) for a in scores for b in scores) / 3
    found = score(module, inputs, labels, ["epe_nas"])["epe_nas"].value
    assert found == pytest.approx(expected, rel=1e-9)


class Deaf(nn.Module):
    """Outputs that do not depend on the images, or on the first only."""

    def __init__(self, *, hears_first: bool) -> None:
        super().__init__()
        self.linear, self.hears_first = nn.Linear(192, CLASSES), hears_first

    def forward(self, x: Tensor) -> Tensor:
        heard = torch.zeros(len(x), 1, 1, 1, dtype=x.dtype)
        heard[0] = float(self.hears_first)
        logits: Tensor = self.linear((x * heard).flatten(1))
        return logits


@pytest.mark.parametrize("hears_first", [False, True])
def test_outputs_that_do_not_depend_on_an_image_are_undefined(hears_first: bool) -> None:
    inputs, labels = batch()
    results = score(Deaf(hears_first=hears_first).double(), inputs, labels, ["jacob_cov", "epe_nas"])
    for result in results.values():
        assert math.isnan(result.value)
        assert f"the outputs do not depend on image {int(hears_first)}" in str(result.reason)


def test_naswot_per_unit_leaves_out_the_number_of_units() -> None:
    module, (inputs, _) = chain(), batch()
    results = score(module, inputs, proxies=["naswot", "naswot_per_unit"])
    units = 6 * 64 + 4 * 9
    expected = results["naswot"].value - len(inputs) * math.log(units)
    assert results["naswot_per_unit"].value == pytest.approx(expected, rel=1e-12)
    assert results["naswot_per_unit"].value <= 0
    twice = nn.Sequential(*chain(), nn.Identity())
    assert score(twice, inputs, proxies=["naswot_per_unit"])["naswot_per_unit"].value == pytest.approx(
        expected
    )


def test_live_counts_are_those_of_the_network() -> None:
    for architecture in NASBench201(channels=4, cells=1).sample(5, seed=1):
        network = architecture.network
        results = score(nn.Linear(2, 2), proxies=["live_params", "live_flops"], network=network)
        live = count(network).live
        assert (results["live_params"].value, results["live_flops"].value) == (live.params, live.flops)
    with pytest.raises(ValueError, match="network: live_params needs the module's Network"):
        score(nn.Linear(2, 2), proxies=["live_params"])


def test_a_network_can_be_read_from_any_module() -> None:
    module = chain().float()
    inputs, _ = batch(dtype=torch.float32)
    found = score(module, inputs, proxies=["live_params", "params"], network=as_network(module, inputs))
    assert found["live_params"].value == found["params"].value


def test_no_covered_layer_is_said() -> None:
    class Gain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gain = nn.Parameter(torch.ones(CLASSES, dtype=torch.float64))

        def forward(self, x: Tensor) -> Tensor:
            return x.flatten(1)[:, :CLASSES] * self.gain

    inputs, labels = batch()
    asked = ["plain", "grasp", "fisher", "grad_norm_global", "jacob_cov"]
    results = score(Gain(), inputs, labels, asked)
    for name in asked[:4]:
        assert results[name].reason == "the outputs depend on no weight of a convolution or linear layer"
    assert results["jacob_cov"].reason is None


def test_the_orphan_of_many_parts_is_reported() -> None:
    inputs, labels = batch()
    results = score(ManyParts(), inputs, labels, ["plain", "fisher", "grasp"])
    assert all(result.layers_skipped == ("orphan",) for result in results.values())


def test_a_second_pass_for_in_place_operations_draws_the_same_masks() -> None:
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3), nn.ReLU(inplace=True), nn.Dropout(0.5),
        nn.Flatten(), nn.Linear(64, CLASSES),
    ).double()  # fmt: skip
    inputs, labels = batch()
    asked = ["grad_norm", "snip", "jacob_cov"]
    together = score(module, inputs, labels, [*asked, "fisher"])
    for name in asked:
        alone = score(module, inputs, labels, [name])[name].value
        assert together[name].value == pytest.approx(alone, rel=1e-12)


class Uncalled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(192, 6), nn.Linear(6, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.relu(self.first(x.flatten(1)))
        return F.linear(hidden, self.second.weight, self.second.bias)


def test_fisher_names_layers_whose_output_it_does_not_see() -> None:
    inputs, labels = batch()
    found = score(Uncalled().double(), inputs, labels, ["fisher", "snip"])
    assert (found["fisher"].layers_used, found["fisher"].layers_skipped) == (1, ("second",))
    assert (found["snip"].layers_used, found["snip"].layers_skipped) == (2, ())


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.full((6,), CLASSES), "targets: labels from 5 to 5, for 5 outputs"),
        (torch.zeros(6, 2), "epe_nas compares images of one class; pass int64 labels"),
    ],
)
def test_epe_nas_refuses_what_is_no_label(labels: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        score(chain(), batch()[0], labels, ["epe_nas"])


def test_epe_nas_of_single_images_says_that_nothing_was_compared() -> None:
    inputs, _ = batch(3)
    found = score(chain(), inputs, torch.arange(3), ["epe_nas"])["epe_nas"]
    assert found.note == "no class has two images: nothing was compared"


def test_epsilon64_of_a_chain_is_exactly_zero() -> None:
    assert score(chain(), batch()[0], proxies=["epsilon64"])["epsilon64"].value == 0
