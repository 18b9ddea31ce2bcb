import pytest
import torch
from onnx import ModelProto
from torch import nn

from hwnas.cost import count
from hwnas.cost.check import differences
from hwnas.network import Builder, Network
from hwnas.network.from_onnx import from_onnx, onnx_weights
from hwnas.network.from_torch import from_torch
from hwnas.network.to_torch import to_torch
from hwnas.spaces import MobileNetV2, NASBench201, SearchSpace

from .plain_torch_nets import NETS


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


@pytest.fixture(scope="module", params=NETS)
def exported(request) -> tuple[str, nn.Module, torch.Tensor, ModelProto]:
    """The name of a plain network, the network with weights drawn wide, images, and torch's export of it."""
    torch.manual_seed(0)
    module, images = NETS[request.param]().eval(), torch.randn(3, 3, 64, 64)
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.2)
    model = torch.onnx.export(module, (images[:1],), dynamo=True, verbose=False).model_proto
    return request.param, module, images, model


@pytest.mark.filterwarnings("ignore")
def test_plain_torch_networks_agree_with_fvcore(exported) -> None:
    name, _, _, optimised = exported
    torch.manual_seed(0)
    module, example = NETS[name](), torch.zeros(1, 3, 64, 64)
    network = from_torch(module, example)
    counts = count(network).whole
    assert differences(counts, module, example) == []
    assert counts.params == parameters(module)
    assert counts.flops == 2 * counts.macs > 0
    assert set(network.parameters) >= {name for name, _ in module.named_parameters() if "conv" in name}

    assert count(from_onnx(optimised)).whole.macs == counts.macs


@pytest.mark.filterwarnings("ignore")
def test_networks_read_from_torch_compute_the_same(exported) -> None:
    _, module, x, model = exported
    rebuilt = to_torch(from_onnx(model)).eval()
    weights = {key: torch.from_numpy(array.copy()) for key, array in onnx_weights(model).items()}
    missing = rebuilt.load_state_dict(weights, strict=False).missing_keys
    assert all(key.endswith("num_batches_tracked") for key in missing)
    with torch.no_grad():
        torch.testing.assert_close(rebuilt(x), module(x), rtol=1e-3, atol=1e-3)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "space",
    [
        NASBench201(),
        MobileNetV2(resolution=64, classes=10),
        MobileNetV2(resolution=64, squeeze_excite=(True, False)),
    ],
    ids=str,
)
def test_spaces_agree_with_fvcore(space: SearchSpace) -> None:
    for architecture in space.sample(4, seed=1):
        network = architecture.network.live
        module = to_torch(network)
        counts = count(network).whole
        assert differences(counts, module, torch.zeros(1, *network.inputs[0].shape)) == []
        assert counts.params == parameters(module)
        live = count(architecture.network).live
        if any(
            layer.op == "ConstantOfShape" for layer in network.layers
        ):  # kept for what it computes, not live
            assert live.macs <= counts.macs
        else:
            assert (live.macs, live.params) == (counts.macs, counts.params)
            assert live.macs_by_operator == counts.macs_by_operator


@pytest.mark.parametrize("space", [NASBench201(), MobileNetV2(resolution=64)], ids=str)
def test_blocks_add_up_to_the_whole(space: SearchSpace) -> None:
    for architecture in space.sample(20, seed=2):
        network = architecture.network
        whole = count(network).whole
        flat = count(Network(network.inputs, network.flat_outputs, network.layers, network.parameters)).whole
        blocks = [count(block).whole for _, block in network.blocks()]
        for field in ("macs", "params", "activations", "elementwise"):
            assert getattr(whole, field) == getattr(flat, field) == sum(getattr(b, field) for b in blocks)
        assert whole.macs_by_operator == flat.macs_by_operator
        assert whole.elementwise_by_operator == flat.elementwise_by_operator
        assert sum(whole.macs_by_operator.values()) == whole.macs
        assert sum(whole.elementwise_by_operator.values()) == whole.elementwise
        assert whole.params == sum(p.size for p in network.parameters.values() if p.trainable)


def test_a_count_by_hand() -> None:
    b = Builder()
    x = b.input(3, 8, 8)
    x = b.relu(b.batch_norm(b.conv(x, 16, kernel=3, stride=2)))
    counts = count(b.build(b.linear(b.global_average_pool(b.depthwise(x, kernel=5)), 10))).whole
    conv, depthwise, linear = 16 * 4 * 4 * 27, 16 * 4 * 4 * 25, 160
    assert counts.macs == conv + depthwise + linear
    assert counts.params == 16 * 27 + 32 + 16 * 25 + 170
    assert counts.activations == 256 + 256 + 10
    assert counts.elementwise == 2 * 256 + 256 + 256
    assert counts.macs_by_operator == {"Conv": conv + depthwise, "Gemm": linear}


def test_shared_parameters_count_once() -> None:
    b = Builder()
    x = b.input(4, 5, 5)
    w = b.parameter("w", (4, 4, 1, 1))
    network = b.build(b.layer("Conv", b.layer("Conv", x, w), w))
    assert count(network).whole.params == 16 == parameters(to_torch(network))
    assert count(network).whole.macs == 2 * 16 * 25


def test_dead_layers_are_in_the_whole_only() -> None:
    b = Builder()
    x = b.input(4, 5, 5)
    b.conv(x, 8)
    network = b.build(b.conv(x, 4))
    assert count(network).whole.macs == 3 * count(network).live.macs
    assert count(network).live.params == 16
    assert count(network.live).whole == count(network.live).live


def test_sums_of_counts() -> None:
    b = Builder()
    one = count(b.build(b.conv(b.input(4, 5, 5), 8))).whole
    two = one + one
    assert (two.macs, two.params, two.macs_by_operator["Conv"]) == (
        2 * one.macs,
        2 * one.params,
        2 * one.macs,
    )
