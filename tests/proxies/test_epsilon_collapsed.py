"""Distinct channels alone give the outputs of the whole module."""

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import hwnas
from hwnas.network import Builder, Network
from hwnas.network.collapse import collapse
from hwnas.network.to_torch import to_torch
from hwnas.proxies import ProxyResult, score
from hwnas.proxies.epsilon import outputs as outputs_module
from hwnas.proxies.epsilon.collapsed import CollapsedModule
from hwnas.proxies.epsilon.weights import settable_weights
from hwnas.proxies.measures.epsilon import epsilon_with
from hwnas.spaces import DARTS, MobileNetV2, NASBench201
from tests.network.random_networks import networks
from tests.network.test_collapse import shuffled

MILD = epsilon_with(weights=(1e-2, 1), name="mild")


def images(network: Network, number: int = 16, *, dtype: torch.dtype = torch.float32) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(number, *network.inputs[0].shape, generator=generator, dtype=torch.float64).to(dtype)


def outputs(network: Network, weight: float, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Of the whole module and of the collapsed network, (N,) each."""
    module = to_torch(network).to(inputs.dtype).train()
    settable_weights(module).fill(weight)
    with torch.no_grad():
        whole = module(inputs.clone()).flatten()
    return whole, CollapsedModule(collapse(network, training=True), inputs).outputs(weight)


def results(network: Network, number: int = 16) -> list[tuple[ProxyResult, ProxyResult]]:
    module, inputs = to_torch(network), images(network, number)
    proxies = ("epsilon", "epsilon64", MILD)
    whole = score(module, inputs, proxies=proxies)
    collapsed = score(module, inputs, proxies=proxies, network=network)
    return [(whole[name], collapsed[name]) for name in whole]


def assert_agree(network: Network, number: int = 16) -> None:
    for whole, collapsed in results(network, number):
        tolerance = 1e-9 if whole.dtype == "float64" else 1e-5
        assert collapsed.value == pytest.approx(whole.value, rel=tolerance, nan_ok=True), whole.proxy
        assert collapsed.reason == whole.reason
        assert (collapsed.note, whole.note) == (None, None)
        assert collapsed.layers_used == whole.layers_used


CELLS = NASBench201(channels=4, cells=1, resolution=8)
FIXED_CELLS = (
    "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
    "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|",
    "|none~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|none~2|",
    "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|none~1|skip_connect~2|",
    "|avg_pool_3x3~0|+|avg_pool_3x3~0|avg_pool_3x3~1|+|avg_pool_3x3~0|avg_pool_3x3~1|avg_pool_3x3~2|",
)
RANDOM_CELLS = tuple(map(str, CELLS.sample(10, seed=0)))


@pytest.mark.parametrize("cell", FIXED_CELLS + RANDOM_CELLS)
def test_cells_of_nasbench201(cell: str) -> None:
    assert_agree(CELLS.parse(cell).network)


def test_deep_cells_underflow_where_the_whole_network_does() -> None:
    space = NASBench201(channels=8, cells=4, resolution=8)
    undefined = []
    for architecture in space.sample(8, seed=4):
        module, inputs = to_torch(architecture.network), images(architecture.network)
        whole, collapsed = (
            score(module, inputs, proxies=["epsilon"], network=network)["epsilon"]
            for network in (None, architecture.network)
        )
        assert collapsed.reason == whole.reason
        assert collapsed.value == pytest.approx(whole.value, rel=1e-5, abs=1e-6, nan_ok=True)
        undefined.append(whole.reason is not None)
    assert 0 < sum(undefined) < 8


@pytest.mark.parametrize("seed", [0, 1])
def test_mobilenets_with_squeeze_and_excitation(seed: int) -> None:
    space = MobileNetV2(resolution=32, classes=4, width=0.25, depths=(-2, -1), squeeze_excite=(False, True))
    assert_agree(space.sample(1, seed=seed)[0].network, 6)


def residual_network() -> Network:
    b = Builder()
    x = b.relu(b.batch_norm(b.conv(b.input(3, 12, 12), 6, kernel=3)))
    x = b.max_pool(x, kernel=3, stride=2)
    for channels, stride in ((6, 1), (10, 2)):
        y = b.relu(b.batch_norm(b.conv(x, channels, kernel=3, stride=stride)))
        y = b.batch_norm(b.conv(y, channels, kernel=3))
        shortcut = x if stride == 1 else b.batch_norm(b.conv(x, channels, stride=stride, name="shortcut"))
        x = b.relu(b.add(y, shortcut))
    return b.build(b.linear(b.global_average_pool(x), 4))


def dense_network() -> Network:
    b = Builder()
    x = b.conv(b.input(3, 12, 12), 5, kernel=3)
    for growth in (3, 4, 3):
        x = b.concat(x, b.conv(b.relu(b.batch_norm(x)), growth, kernel=3))
    x = b.average_pool(b.conv(x, 6), kernel=2, stride=2)
    x = b.concat(x, b.conv(b.relu(b.batch_norm(x)), 3, kernel=3))
    return b.build(b.linear(x, 4))


def shuffled_network() -> Network:
    b = Builder()
    x = b.input(3, 9, 11)
    x = b.concat(x, b.conv(x, 5, kernel=3, bias=True))
    x = b.concat(b.depthwise(x, kernel=5, stride=2), b.average_pool(b.relu6(x), kernel=3, stride=2))
    left, right = b.layers("Split", shuffled(b, x, 4), axis=1, split=(6, 10))
    left = b.conv(left, 9, kernel=3, groups=3)
    right = b.layer("Tanh", b.batch_norm(b.conv(right, 4, kernel=3, groups=2, dilation=2)))
    x = b.layer("Slice", b.concat(left, right), axes=(1,), starts=(1,), ends=(13,), steps=(2,))
    gate = b.layer("ReduceMean", x, axes=(2, 3), keepdims=0)
    gate = b.layer("Unsqueeze", b.sigmoid(b.linear(b.relu(b.linear(gate, 3)), 6)), axes=(2, 3))
    return b.build(b.linear(b.linear(b.multiply(x, gate), 8), 4))


def regrouped_network() -> Network:
    b = Builder()
    x = b.input(3, 8, 8)
    left = b.concat(b.conv(x, 2), b.relu(b.conv(x, 2, kernel=3)))
    right = b.concat(b.batch_norm(b.conv(x, 1, kernel=3)), b.conv(x, 3))
    x = b.layer("Sub", b.relu(left), right)
    return b.build(b.linear(b.relu(b.conv(x, 4, groups=2)), 3))


def oddly_padded_network() -> Network:
    b = Builder()
    x = b.input(3, 10, 10)
    weight = b.parameter("down.weight", (4, 3, 3, 3))
    y = b.layer("Conv", x, weight, name="down", strides=(2, 2), pads=(0, 0, 1, 1))
    wide = b.conv(x, 4, kernel=3, stride=2, padding=2)
    wide = b.layer("AveragePool", wide, kernel_shape=(2, 2), strides=(1, 1), pads=(0, 0, 0, 0))
    y = b.max_pool(b.add(y, b.relu(wide)), kernel=3)
    slopes = b.parameter("act.weight", (4, 1, 1))
    return b.build(b.layer("PRelu", b.add(y, b.batch_norm(y)), slopes, name="act"))


@pytest.mark.parametrize(
    "network",
    [residual_network(), dense_network(), shuffled_network(), regrouped_network(), oddly_padded_network()],
)
def test_other_networks(network: Network) -> None:
    assert_agree(network)


def test_products_that_underflow_one_by_one_are_not_saved_by_their_number() -> None:
    b = Builder()
    network = b.build(b.conv(b.conv(b.input(3, 2, 2), 64), 2))
    whole, collapsed = outputs(network, 1e-23, torch.ones(2, 3, 2, 2))
    assert torch.equal(collapsed, whole)
    assert not whole.any()  # 64 * 1e-23 * 3e-23 alone is above the smallest float32


@settings(max_examples=80, deadline=None)
@given(network=networks(), weight=st.sampled_from([1e-3, 0.3, 2.0]))
def test_random_networks(network: Network, weight: float) -> None:
    assume(len(network.inputs) == len(network.outputs) == 1)
    whole, collapsed = outputs(network, weight, images(network, 5, dtype=torch.float64))
    scale = float(whole.abs().max())
    torch.testing.assert_close(collapsed, whole, rtol=1e-8, atol=1e-10 * scale)


def note(module: nn.Module, network: Network, **options: object) -> str:
    found = score(module, images(network), proxies=[MILD], network=network, **options)["mild"]
    whole = score(module, images(network), proxies=[MILD], **options)["mild"]
    assert found.value == pytest.approx(whole.value, rel=1e-12)
    assert found.note is not None
    return found.note


def test_a_layer_without_proof_is_named_and_the_value_is_that_of_the_whole_module() -> None:
    b = Builder()
    x = b.conv(b.input(3, 6, 6), 4)
    x = b.add(x, b.relu(b.batch_norm(b.conv(x, 4))))
    x = b.multiply(x, b.layer("Softmax", x, axis=2))
    network = b.build(b.linear(x, 3))
    assert note(to_torch(network), network) == (
        "full computation: layer softmax (Softmax): there is no rule for its channels"
    )


def test_a_network_that_is_not_the_modules_is_not_used() -> None:
    network, other = residual_network(), dense_network()
    found = note(to_torch(other), network)
    assert found == "full computation: the module does not compute what the network describes"


class Residual(nn.Module):
    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.stem, self.body = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1)
        self.norm, self.head = nn.BatchNorm2d(6), nn.Linear(6, 4)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        features = self.stem(x).relu()
        logits: Tensor = self.head(self.drop((features + self.norm(self.body(features))).mean((2, 3))))
        return logits


def test_a_network_read_from_a_module() -> None:
    inputs = torch.randn(8, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    module = Residual(0.0)
    network = hwnas.as_network(module, inputs)
    whole, collapsed = (
        score(module, inputs, proxies=["epsilon64"], network=one)["epsilon64"] for one in (None, network)
    )
    assert collapsed.note is None
    assert collapsed.value == pytest.approx(whole.value, rel=1e-12)
    found = note(Residual(0.3), network)  # what is read from a module has no dropout
    assert found == "full computation: the module does not compute what the network describes"


def test_other_reasons_for_the_full_computation() -> None:
    network = residual_network()
    module = to_torch(network)
    found = note(module, network, select_output=lambda outputs: outputs[:, :2])
    assert found == "full computation: select_output picks from what the module returns"
    inputs = torch.randn(4, 3, 20, 20)
    other = score(module, inputs, proxies=[MILD], network=network)["mild"]
    assert other.note == "full computation: the network's input has the shape (3, 12, 12)"
    evaluated = epsilon_with(weights=(1e-2, 1), mode="eval", name="mild")
    found = score(module, images(network), proxies=[evaluated], network=network)["mild"]
    assert found.note is not None and "running statistics" in found.note


def test_a_module_of_to_torch_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    network = residual_network()
    module = to_torch(network)
    calls: list[int] = []
    monkeypatch.setattr(type(module), "forward", lambda self, x: calls.append(1))
    assert score(module, images(network), proxies=["epsilon"], network=network)["epsilon"].reason is None
    assert not calls
    assert outputs_module._made_by_to_torch(module, network)
    module.register_forward_hook(lambda *_: None)
    assert not outputs_module._made_by_to_torch(module, network)


def test_darts_reductions_collapse() -> None:
    network = DARTS(channels=4, layers=5, resolution=16).sample(1, seed=1)[0].network
    module = to_torch(network).double()
    images = torch.randn(6, 3, 16, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    short = score(module, images, proxies=["epsilon64"], network=network)["epsilon64"]
    full = score(module, images, proxies=["epsilon64"])["epsilon64"]
    assert short.note is None
    assert short.value == pytest.approx(full.value, rel=1e-6)
