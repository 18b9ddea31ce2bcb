import math

import numpy as np
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from hwnas.cost import count
from hwnas.network.to_onnx import to_onnx
from hwnas.network.to_torch import to_torch
from hwnas.spaces import space
from hwnas.spaces.darts import DARTS
from hwnas.spaces.darts_genotype import OPERATIONS, Genotype, Node, parse_genotype

DARTS_V1 = (
    "Genotype(normal=[('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 0), ('sep_conv_3x3', 1), "
    "('skip_connect', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 2)], "
    "normal_concat=[2, 3, 4, 5], "
    "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 0), "
    "('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('avg_pool_3x3', 0)], "
    "reduce_concat=[2, 3, 4, 5])"
)
DARTS_V2 = (
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
    "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], "
    "normal_concat=[2, 3, 4, 5], "
    "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), "
    "('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], "
    "reduce_concat=[2, 3, 4, 5])"
)
P_DARTS = (
    "Genotype(normal=[('skip_connect', 0), ('dil_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 1), "
    "('sep_conv_3x3', 1), ('sep_conv_3x3', 3), ('sep_conv_3x3', 0), ('dil_conv_5x5', 4)], "
    "normal_concat=range(2, 6), "
    "reduce=[('avg_pool_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_3x3', 0), ('dil_conv_5x5', 2), "
    "('max_pool_3x3', 0), ('dil_conv_3x3', 1), ('dil_conv_3x3', 1), ('dil_conv_5x5', 3)], "
    "reduce_concat=range(2, 6))"
)
PC_DARTS = (
    "Genotype(normal=[('sep_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 0), ('dil_conv_3x3', 1), "
    "('sep_conv_5x5', 0), ('sep_conv_3x3', 1), ('avg_pool_3x3', 0), ('dil_conv_3x3', 1)], "
    "normal_concat=range(2, 6), "
    "reduce=[('sep_conv_5x5', 1), ('max_pool_3x3', 0), ('sep_conv_5x5', 1), ('sep_conv_5x5', 2), "
    "('sep_conv_3x3', 0), ('sep_conv_3x3', 3), ('sep_conv_3x3', 1), ('sep_conv_3x3', 2)], "
    "reduce_concat=range(2, 6))"
)
SMALL = DARTS(channels=4, layers=5, resolution=16)
seeds = st.integers(0, 2**32 - 1)


# --- an implementation of the network of its own, from the paper


class Halve(nn.Module):
    def __init__(self, c: int, channels: int) -> None:
        super().__init__()
        self.even = nn.Conv2d(c, channels // 2, 1, 2, bias=False)
        self.odd = nn.Conv2d(c, channels // 2, 1, 2, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        x = x.relu()
        return self.norm(torch.cat([self.even(x), self.odd(x[:, :, 1:, 1:])], 1))


def one_by_one(c: int, channels: int) -> list[nn.Module]:
    return [nn.ReLU(), nn.Conv2d(c, channels, 1, bias=False), nn.BatchNorm2d(channels)]


def depthwise(c: int, kernel: int, stride: int, dilation: int) -> list[nn.Module]:
    padding = dilation * (kernel - 1) // 2
    spread = nn.Conv2d(c, c, kernel, stride, padding, dilation, groups=c, bias=False)
    return [nn.ReLU(), spread, nn.Conv2d(c, c, 1, bias=False), nn.BatchNorm2d(c)]


def operation(name: str, c: int, stride: int) -> nn.Module:
    kernel = int(name[-1]) if name[-1].isdigit() else 0
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else Halve(c, c)
    if name == "max_pool_3x3":
        return nn.MaxPool2d(3, stride, 1)
    if name == "avg_pool_3x3":
        return nn.AvgPool2d(3, stride, 1, count_include_pad=False)
    if name.startswith("dil"):
        return nn.Sequential(*depthwise(c, kernel, stride, 2))
    return nn.Sequential(*depthwise(c, kernel, stride, 1), *depthwise(c, kernel, 1, 1))


class Cell(nn.Module):
    def __init__(self, nodes: tuple[Node, ...], c0: int, c1: int, c: int, halve0: bool, reduce: bool) -> None:
        super().__init__()
        self.fit0 = Halve(c0, c) if halve0 else nn.Sequential(*one_by_one(c0, c))
        self.fit1 = nn.Sequential(*one_by_one(c1, c))
        self.sources = [source for node in nodes for _, source in node]
        self.operations = nn.ModuleList(
            operation(name, c, 2 if reduce and source < 2 else 1) for node in nodes for name, source in node
        )

    def forward(self, before: Tensor, last: Tensor) -> Tensor:
        states = [self.fit0(before), self.fit1(last)]
        for i in range(0, 8, 2):
            parts = [self.operations[j](states[self.sources[j]]) for j in (i, i + 1)]
            states.append(parts[0] + parts[1])
        return torch.cat(states[2:], 1)


class PlainDARTS(nn.Module):
    def __init__(self, genotype: Genotype, *, channels: int, layers: int) -> None:
        super().__init__()
        stem = 3 * channels
        self.stem = nn.Sequential(nn.Conv2d(3, stem, 3, 1, 1, bias=False), nn.BatchNorm2d(stem))
        self.cells = nn.ModuleList()
        c0, c1, c, halve0 = stem, stem, channels, False
        for layer in range(layers):
            reduce = layer in (layers // 3, 2 * layers // 3)
            c = 2 * c if reduce else c
            nodes = genotype.reduce if reduce else genotype.normal
            self.cells.append(Cell(nodes, c0, c1, c, halve0, reduce))
            c0, c1, halve0 = c1, 4 * c, reduce
        self.classifier = nn.Linear(c1, 10)

    def forward(self, x: Tensor) -> Tensor:
        before = last = self.stem(x)
        for cell in self.cells:
            before, last = last, cell(before, last)
        return self.classifier(last.mean((2, 3)))


def params_and_macs(module: nn.Module, resolution: int) -> tuple[int, int]:
    macs = 0

    def add(layer: nn.Module, inputs: object, output: Tensor) -> None:
        nonlocal macs
        macs += output.numel() * layer.weight[0].numel()

    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(add)
    module(torch.zeros(1, 3, resolution, resolution, device="meta"))
    return sum(p.numel() for p in module.parameters()), macs


# --- the size, the counts, the function


def test_the_published_size() -> None:
    """Liu et al., appendix: prod_k (k+1)k/2 * 7^2 (about 10^9) forms of a cell, 10^18 networks."""
    one_cell = math.prod((k + 1) * k // 2 * 7**2 for k in (1, 2, 3, 4))
    assert one_cell == 1_037_664_180
    assert DARTS().size == one_cell**2 == 1_076_746_950_455_072_400


@pytest.mark.parametrize(
    ("genotype", "params", "millions"),
    [
        (DARTS_V1, 3_169_414, 3.2),
        (DARTS_V2, 3_349_342, 3.3),
        (P_DARTS, 3_433_798, 3.4),
        (PC_DARTS, 3_634_678, 3.6),
    ],
    ids=["DARTS_V1", "DARTS_V2", "P-DARTS", "PC-DARTS"],
)
def test_published_counts(genotype: str, params: int, millions: float) -> None:
    """On CIFAR-10, without the auxiliary head.

    Millions of parameters: the CIFAR-10 tables of DARTS (V2), P-DARTS and PC-DARTS. To the unit: of
    P-DARTS github.com/chenxin061/pdarts, issue 7; of all the plain network above.
    """
    counts = count(DARTS().parse(genotype).network).whole
    assert counts.params == params
    assert round(counts.params / 1e6, 1) == millions
    with torch.device("meta"):
        plain = PlainDARTS(parse_genotype(genotype), channels=36, layers=20)
    assert params_and_macs(plain, 32) == (counts.params, counts.macs)


@pytest.mark.parametrize("layers", [1, 2, 5])
@settings(max_examples=4, deadline=None)
@given(seed=seeds)
def test_counts_are_those_of_the_plain_network(layers: int, seed: int) -> None:
    small = DARTS(channels=6, layers=layers, resolution=8)
    architecture = small.random(np.random.default_rng(seed))
    with torch.device("meta"):
        plain = PlainDARTS(small.genotype(architecture), channels=6, layers=layers)
    counts = count(architecture.network)
    assert params_and_macs(plain, 8) == (counts.whole.params, counts.whole.macs)
    assert counts.live.params == counts.whole.params


@pytest.mark.parametrize("genotype", [DARTS_V2, P_DARTS, PC_DARTS])
def test_the_function_is_that_of_the_plain_network(genotype: str) -> None:
    torch.manual_seed(0)
    ours = to_torch(SMALL.parse(genotype).network)
    plain = PlainDARTS(parse_genotype(genotype), channels=4, layers=5)
    for mine, theirs in zip(ours.parameters(), plain.parameters(), strict=True):
        theirs.data.copy_(mine.data)
    x = torch.randn(2, 3, 16, 16)
    assert ours(x).shape == (2, 10)
    torch.testing.assert_close(ours(x), plain(x))


def test_every_operation_runs_in_both_cells() -> None:
    for name in OPERATIONS:
        nodes = [(name, source) for node in range(4) for source in (node, node + 1)]
        text = str(Genotype(*[tuple(zip(nodes[::2], nodes[1::2], strict=True))] * 2))
        network = SMALL.parse(text).network
        assert to_torch(network)(torch.zeros(2, 3, 16, 16)).shape == (2, 10)


def test_the_onnx_file_computes_the_same() -> None:
    network = SMALL.parse(P_DARTS).network
    module = to_torch(network).eval()
    model = to_onnx(network, weights=module)
    runtime = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    x = torch.randn(1, 3, 16, 16)
    (output,) = runtime.run(None, {runtime.get_inputs()[0].name: x.numpy()})
    np.testing.assert_allclose(output, module(x).detach().numpy(), rtol=1e-3, atol=1e-5)


# --- genotypes


@settings(max_examples=100, deadline=None)
@given(seed=seeds)
def test_genotypes_round_trip(seed: int) -> None:
    architecture = SMALL.random(np.random.default_rng(seed))
    assert SMALL.parse(str(architecture)) == architecture
    assert SMALL.from_encoding(architecture.encoding) == architecture
    assert parse_genotype(str(architecture)) == SMALL.genotype(architecture)


def test_a_genotype_in_decisions() -> None:
    architecture = SMALL.parse(DARTS_V2)
    assert len(architecture) == 24
    assert [len(SMALL.decisions[f"normal_{i}_inputs"]) for i in (2, 3, 4, 5)] == [1, 3, 6, 10]
    last = {part: architecture[f"normal_5_{part}"] for part in ("inputs", "first", "second")}
    assert last == {"inputs": (0, 2), "first": "skip_connect", "second": "dil_conv_3x3"}
    assert architecture["reduce_3_inputs"] == (1, 2)
    assert architecture["reduce_3_second"] == "skip_connect"


def test_the_order_of_two_edges_does_not_count() -> None:
    other = DARTS_V2.replace(
        "('skip_connect', 0), ('dil_conv_3x3', 2)", "('dil_conv_3x3', 2), ('skip_connect', 0)"
    )
    assert other != DARTS_V2
    assert SMALL.parse(other) == SMALL.parse(DARTS_V2)
    assert str(SMALL.parse(other)) == str(SMALL.parse(DARTS_V2))


def test_printed_as_published() -> None:
    assert str(SMALL.parse(P_DARTS)) == P_DARTS


def swapped(old: str, new: str) -> str:
    assert old in P_DARTS
    return P_DARTS.replace(old, new, 1)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("is no genotype", "Genotype("),
        (r"is no genotype: Genotype\(normal=", "[('sep_conv_3x3', 0)]"),
        (r"is no genotype: Genotype\(normal=", P_DARTS.replace("Genotype", "eval")),
        ("is no genotype: maximum recursion", "-" * 3900 + "1"),
        ("at most 4000 characters, not 5000", " " * 5000),
        ("has the fields normal, normal_concat, reduce, reduce_concat, each once", "Genotype(normal=[])"),
        ("has the fields", swapped("Genotype(", "Genotype(1, ")),
        ("has the fields", swapped("Genotype(", "Genotype(**{}, ")),
        ("normal of a genotype must be a list of literals", swapped("'dil_conv_3x3'", "open('a')")),
        ("normal must list 8", swapped("('skip_connect', 0), ", "")),
        ("'none' at node 2 of normal is no operation; choose from max_pool", swapped("skip_connect", "none")),
        ("'conv' at node 2 of reduce is no operation", swapped("avg_pool_3x3", "conv")),
        ("input 5 at node 5 of normal: one of 0 to 4", swapped("5', 4)", "5', 5)")),
        ("input -1 at node 5 of normal", swapped("5', 4)", "5', -1)")),
        ("input True at node 5 of normal", swapped("5', 4)", "5', True)")),
        ("node 5 of normal takes input 0 twice", swapped("5', 4)", "5', 0)")),
        (r"7 at node 5 of normal: \(operation, input\)", swapped("('dil_conv_5x5', 4)", "7")),
        (r"normal_concat must be range\(2, 6\), all nodes", swapped("range(2, 6)", "range(2, 5)")),
        (r"normal_concat must be range\(2, 6\)", swapped("range(2, 6)", "[3, 4, 5]")),
        (r"normal_concat must be range\(2, 6\)", swapped("range(2, 6)", "2")),
        ("normal_concat of a genotype must be a list of literals", swapped("range(2", "open(2")),
    ],
)
def test_malformed_genotypes(message: str, text: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        SMALL.parse(text)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("message", "given"),
    [
        ("channels must be a whole number of at least 1, not 0", {"channels": 0}),
        ("layers must be a whole number", {"layers": 2.5}),
        ("resolution must be a multiple of 4, to be halved twice, not 30", {"resolution": 30}),
    ],
)
def test_wrong_settings(message: str, given: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=message):
        DARTS(**given)


def test_by_name() -> None:
    nasbench301 = DARTS(channels=32, layers=8)
    assert space("darts:channels=32,layers=8") == nasbench301 != DARTS()
    assert space(str(nasbench301)) == nasbench301
