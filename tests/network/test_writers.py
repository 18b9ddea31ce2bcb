"""to_torch, to_onnx, to_networkx and from_torch beyond single operators."""

from pathlib import Path

import networkx as nx
import numpy as np
import onnx
import pytest
import torch
from torch import nn

from hwnas.network import Builder, Network, UnknownOperatorError
from hwnas.network.from_onnx import from_onnx
from hwnas.network.from_torch import from_torch
from hwnas.network.order import in_topological_order, path_names
from hwnas.network.to_networkx import to_networkx
from hwnas.network.to_onnx import to_onnx
from hwnas.network.to_torch import to_torch
from hwnas.network.weights import random_weights
from hwnas.spaces import MobileNetV2

from .agreement import assert_agree, run_onnx


def small() -> Network:
    b = Builder()
    x = b.input(3, 8, 8)
    x = b.layer("Dropout", b.relu(b.batch_norm(b.conv(x, 4, kernel=3, name="stem.conv"))), ratio=0.5)
    return b.build(b.linear(b.global_average_pool(x), 5, name="fc"))


def test_the_module_is_an_ordinary_one() -> None:
    module = to_torch(small())
    assert module.training
    assert isinstance(module.get_submodule("stem.conv"), nn.Conv2d)
    assert isinstance(module.get_submodule("fc"), nn.Linear)
    assert [name for name, _ in module.named_parameters()] == [
        "stem.conv.weight", "bn.weight", "bn.bias", "fc.weight", "fc.bias",
    ]  # fmt: skip
    x = torch.randn(2, 3, 8, 8)
    assert not torch.equal(module(x), module(x))  # dropout
    module.eval()
    assert torch.equal(module(x), module(x))
    module.train()
    module(x).sum().backward()
    assert all(p.grad is not None for p in module.parameters())


def test_initialisation_is_torchs_own() -> None:
    torch.manual_seed(7)
    ours = to_torch(small()).get_submodule("stem.conv").weight
    torch.manual_seed(7)
    torch.testing.assert_close(ours, nn.Conv2d(3, 4, 3, bias=False).weight)


def test_shared_parameters_are_shared() -> None:
    b = Builder()
    x = b.input(4, 6, 6)
    w, free = b.parameter("late.weight", (4, 4, 1, 1)), b.parameter("w", (4, 1, 1))
    y = b.layer("Conv", x, w, name="early")
    y = b.layer("Mul", b.layer("Conv", y, w, name="late"), free)
    network = b.build(b.layer("Add", y, free))
    module = to_torch(network)
    assert module.early.weight is module.late.weight
    assert len(list(module.parameters())) == 2
    assert_agree(network)
    assert from_onnx(to_onnx(network)).key == network.key


def test_constants_do_not_train() -> None:
    b = Builder()
    x = b.input(2, 4, 4)
    edge = b.parameter("edge", (2, 1, 2, 2), constant=(1.0, 0.0, 0.0, -1.0) * 2)
    fixed = b.parameter("fixed", (2, 2, 1, 1), trainable=False)
    network = b.build(b.layer("Conv", b.layer("Conv", x, edge, group=2), fixed))
    module = to_torch(network)
    assert [p.requires_grad for p in module.parameters()] == [False]
    assert_agree(network)


def test_several_inputs_and_outputs() -> None:
    b = Builder()
    x, y = b.input(3, 4, 4), b.input(3, 4, 4)
    z = b.add(x, y)
    network = b.build(z, x, z)
    assert_agree(network)
    assert from_onnx(to_onnx(network)).key == network.key


def test_the_free_batch_is_free() -> None:
    network = small()
    model = to_onnx(network, batch=None)
    for batch in (1, 5):
        (output,) = run_onnx(model, [np.zeros((batch, 3, 8, 8), dtype=np.float32)])
        assert output.shape == (batch, 5)
    fixed = to_onnx(network, batch=3).graph.input[0].type.tensor_type.shape.dim[0].dim_value
    assert fixed == 3


def test_files_are_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    to_onnx(small(), path, seed=1)
    assert onnx.load(path) == to_onnx(small(), seed=1)
    assert [p.name for p in tmp_path.iterdir()] == ["model.onnx"]
    with pytest.raises(OSError, match="No such file"):
        to_onnx(small(), tmp_path / "missing" / "model.onnx")


def test_wrong_weights_are_refused() -> None:
    weights = dict(random_weights(small()))
    with pytest.raises(ValueError, match=r"no weights for parameter 'fc\.bias'"):
        to_onnx(small(), weights={k: v for k, v in weights.items() if k != "fc.bias"})
    with pytest.raises(ValueError, match="have shape"):
        to_onnx(small(), weights={**weights, "fc.bias": np.zeros(6, dtype=np.float32)})
    with pytest.raises(ValueError, match="no parameter"):
        to_onnx(small(), weights=nn.Linear(3, 5))


def test_no_counterpart_in_torch_is_an_error() -> None:
    b = Builder()
    x = b.input(3, 8, 8)
    network = b.build(b.layer("Resize", x, sizes=(0, 3, 5, 5), mode="nearest"))
    with pytest.raises(ValueError, match=r"Resize with .* has no counterpart"):
        to_torch(network)


def test_a_whole_space_runs_alike() -> None:
    for architecture in MobileNetV2(resolution=32, classes=10, squeeze_excite=(True, False)).sample(
        2, seed=0
    ):
        assert_agree(architecture.network)


def test_the_graph_for_networkx() -> None:
    graph = to_networkx(small())
    assert nx.is_directed_acyclic_graph(graph)
    assert nx.has_path(graph, "input", "output:0")
    assert graph.nodes["stem.conv"] == {
        "op": "Conv",
        "shape": (4, 8, 8),
        "attributes": small().layers[0].attributes,
        "parameters": 108,
    }
    assert graph.edges["input", "stem.conv"]["value"] == "input"


class Branches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, bias=False)
        self.unused = nn.Linear(7, 7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.conv(x)) + 1


@pytest.mark.filterwarnings("ignore")
def test_from_torch_leaves_the_module_as_it_is() -> None:
    module = Branches()
    module.conv.eval()
    network = from_torch(module, torch.zeros(4, 3, 8, 8))
    assert module.training
    assert not module.conv.training
    assert [layer.op for layer in network.layers] == ["Conv", "Relu", "Add"]
    assert "conv.weight" in network.parameters
    assert not any("unused" in name for name in network.parameters)
    assert sum(p.constant is not None for p in network.parameters.values()) == 1


class Sorting(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sort(x).values


@pytest.mark.filterwarnings("ignore")
def test_from_torch_names_what_it_cannot_read() -> None:
    with pytest.raises(UnknownOperatorError, match="TopK"):
        from_torch(Sorting(), torch.zeros(1, 3))
    with pytest.raises(ValueError, match="cannot export"):
        from_torch(nn.Linear(3, 4), torch.zeros(1, 5))


def test_order_of_foreign_graphs() -> None:
    assert in_topological_order([(["b"], ["c"]), (["a"], ["b"])]) == [1, 0]
    with pytest.raises(ValueError, match="defined twice"):
        in_topological_order([([], ["a"]), ([], ["a"])])
    with pytest.raises(ValueError, match="cycle through a"):
        in_topological_order([(["a"], ["a"])])
    assert path_names(["/a//b", "a.b", "a/b", "", "ü"]) == ["a.b", "a.b_1", "a.b_2", "layer", "_"]
