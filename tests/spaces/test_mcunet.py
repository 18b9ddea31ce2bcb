"""MCUNet's space: its published networks against their files and tables, and how fast networks are made."""

import csv
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from hwnas.cost import count
from hwnas.cost.activation_size import mcunet_activation_bytes
from hwnas.cost.check import differences
from hwnas.cost.flash import flash
from hwnas.cost.memory import plan
from hwnas.network.network import Network
from hwnas.network.to_torch import to_torch
from hwnas.spaces import MCUNet, ProxylessNAS, space
from hwnas.spaces.mobile_layers import divisible

from ..conftest import DATA
from ..network.agreement import assert_agree

with (Path(__file__).parents[1] / "reference" / "mcunet.csv").open(newline="") as file:
    PRINTED = list(csv.DictReader(file))
NETWORKS = {
    name: architecture.network
    for kind in (MCUNet, ProxylessNAS)
    for name, architecture in kind.published().items()
    if name in {row["network"] for row in PRINTED}
}
FILES = {
    "mcunet-in0": "mcunet-10fps",
    "mcunet-in1": "mcunet-5fps",
    "mcunet-in2": "mcunet-256kb-1mb",
    "mcunet-in3": "mcunet-320kb-1mb",
    "proxyless-w0.3-r176": "proxyless-w0.3-r176",
    "mbv2-w0.35-r144": "mbv2-w0.35-r144",
}
WIDTHS = tuple(width / 10 for width in range(2, 11))


def printed(quantity: str, runtime: str = "", board: str = "") -> Any:
    wanted = (quantity, runtime, board)
    rows = [row for row in PRINTED if (row["quantity"], row["runtime"], row["board"]) == wanted]
    assert rows
    return pytest.mark.parametrize("row", rows, ids=lambda row: row["network"])


def convolutions(network: Network) -> list[tuple[int, ...]]:
    """Of each convolution and the classifier: output channels, input channels of a group, kernel, side."""
    found = []
    for layer in network.layers:
        if layer.op in ("Conv", "Gemm"):
            channels, inputs, *kernel = network.parameters[layer.inputs[1]].shape
            found.append((channels, inputs, *kernel[:1], *layer.output.shape[1:2]))
    return found


@printed("macs_millions")
def test_macs_to_the_printed_digit(row: dict[str, str]) -> None:
    assert f"{count(NETWORKS[row['network']]).whole.macs / 1e6:.1f}" == row["value"]


@printed("params_millions")
def test_params_to_the_printed_digit(row: dict[str, str]) -> None:
    assert f"{count(NETWORKS[row['network']]).whole.params / 1e6:.2f}" == row["value"]


@printed("activation_kb")
def test_activation_size_to_a_kilobyte(row: dict[str, str]) -> None:
    """The table rounds 332.75 up and 303.75 down."""
    assert abs(mcunet_activation_bytes(NETWORKS[row["network"]]) / 1024 - float(row["value"])) < 1


@printed("sram_kb", "tinyengine", "stm32h743")
def test_sram_of_tinyengine_within_a_percent(row: dict[str, str]) -> None:
    """Or to the printed kB, half of which is more than a percent of the smallest network."""
    ours, theirs = plan(NETWORKS[row["network"]], "tinyengine").total_bytes / 1024, float(row["value"])
    assert abs(ours / theirs - 1) < 0.01 or round(ours) == theirs


@printed("flash_kb", "tinyengine", "stm32h743")
def test_flash_of_tinyengine_within_a_percent(row: dict[str, str]) -> None:
    """The table's rows of ProxylessNAS are the network without the code."""
    found = flash(NETWORKS[row["network"]], "tinyengine")
    size = found.total_bytes - (found.code if row["network"].startswith("proxyless") else 0)
    assert size / 1024 == pytest.approx(float(row["value"]), rel=0.01)


@pytest.mark.parametrize("name", FILES)
def test_layers_are_those_of_the_released_configuration(name: str) -> None:
    path = DATA / "mcunet" / f"{FILES[name]}_imagenet.json"
    if not path.exists():
        pytest.skip(f"MCUNet's configurations are not at {path.parent}: set HWNAS_TEST_DATA")
    config = json.loads(path.read_text())
    side = config["resolution"]
    assert NETWORKS[name].inputs[0].shape == (3, side, side)
    expected: list[tuple[int, ...]] = []

    def conv(channels: int, inputs: int, kernel: int, stride: int = 1) -> None:
        nonlocal side
        side = -(-side // stride)
        expected.append((channels, inputs, kernel, side))

    first = config["first_conv"]
    conv(first["out_channels"], first["in_channels"], first["kernel_size"], first["stride"])
    residuals = 0
    for block in config["blocks"]:
        layers = block["mobile_inverted_conv"]
        if layers["name"] == "ZeroLayer":
            continue
        inputs, channels = layers["in_channels"], layers["out_channels"]
        middle = inputs * layers["expand_ratio"]
        if layers["expand_ratio"] > 1:
            conv(middle, inputs, 1)
        conv(middle, 1, layers["kernel_size"], layers["stride"])
        conv(channels, middle, 1)
        residuals += block["shortcut"] is not None
    mix = config["feature_mix_layer"]
    if mix:
        conv(mix["out_channels"], mix["in_channels"], mix["kernel_size"])
    classifier = config["classifier"]
    expected.append((classifier["out_features"], classifier["in_features"]))
    assert convolutions(NETWORKS[name]) == expected
    assert sum(layer.op == "Add" for layer in NETWORKS[name].layers) == residuals


def test_layers_are_those_of_the_visual_wake_words_file() -> None:
    tflite = pytest.importorskip("tflite", reason="the extra mcu is not installed")
    path = DATA / "mcu" / "models" / "vww.tflite"
    if not path.exists():
        pytest.skip(f"no file {path}: set HWNAS_TEST_DATA")
    graph = tflite.Model.GetRootAs(path.read_bytes(), 0).Subgraphs(0)
    expected = []
    for i in range(graph.OperatorsLength()):
        operator = graph.Operators(i)
        if operator.InputsLength() != 3:  # input, weights, bias
            continue
        weights = graph.Tensors(operator.Inputs(1)).ShapeAsNumpy().tolist()
        output = graph.Tensors(operator.Outputs(0)).ShapeAsNumpy().tolist()
        if len(weights) == 2:
            expected.append(tuple(weights))
            continue
        outer, kernel, _, inner = weights
        depthwise = outer == 1
        expected.append((inner, 1, kernel, output[1]) if depthwise else (outer, inner, kernel, output[1]))
    assert convolutions(NETWORKS["mcunet-vww1"]) == expected


@pytest.mark.parametrize("name", MCUNet.published())
def test_texts_and_spaces_read_back(name: str) -> None:
    architecture = MCUNet.published()[name]
    assert space(str(architecture.space)).parse(str(architecture)) == architecture
    assert MCUNet(**architecture.space.settings()) == architecture.space


def test_size() -> None:
    """The paper's appendix D: five stages of 2 to 4 layers; here with 4 expansions and the last layer's too."""
    assert MCUNet(expansions=(3, 4, 6)).size == (9**2 + 9**3 + 9**4) ** 5 * 9
    assert MCUNet().size == (12**2 + 12**3 + 12**4) ** 5 * 12


@pytest.mark.parametrize("width", WIDTHS)
def test_every_configuration_of_the_paper_makes_networks(width: float) -> None:
    """48 to 224 pixels in steps of 16: the channels are the width's, the classifier reads the last stage."""
    for resolution in range(48, 225, 16):
        network = MCUNet(width=width, resolution=resolution).sample(1, seed=resolution)[0].network
        last = network.layers[-1]
        assert last.op == "Gemm"
        assert network.parameters[last.inputs[1]].shape == (1000, divisible(320 * width))
        pooled = next(layer for layer in network.layers if layer.op == "GlobalAveragePool")
        side = -(-resolution // 32)
        assert network.values[pooled.inputs[0]].shape == (divisible(320 * width), side, side)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), width=st.sampled_from(WIDTHS))
def test_a_network_put_together_is_the_one_that_its_layers_describe(seed: int, width: float) -> None:
    mcunet = MCUNet(width=width, resolution=64, classes=10)
    architecture = mcunet.random(np.random.default_rng(seed))
    blocks = dict(architecture.network.blocks())
    for i, layers in enumerate(mcunet.layers(architecture), start=1):
        for j, (kernel, expansion) in enumerate(layers):
            block = blocks.pop(f"stage{i}.block{j}")
            depthwise = next(layer for layer in block.layers if layer.attributes.get("group", 1) != 1)
            channels = block.inputs[0].shape[0] * expansion
            assert block.parameters[depthwise.inputs[1]].shape == (channels, 1, kernel, kernel)
    assert list(blocks) == ["stem", "stage0.block0", "head"]
    network = mcunet.parse(str(architecture)).network
    assert network.layers == architecture.network.layers
    known = {*network.values, *network.parameters}
    assert all(name in known for layer in network.layers for name in layer.inputs)


def test_draws_are_uniform_in_depths_kernels_and_expansions() -> None:
    mcunet, generator = MCUNet(), np.random.default_rng(0)
    drawn = [mcunet.random(generator) for _ in range(3000)]
    assert chisquare(list(Counter(a["depth_4"] for a in drawn).values())).pvalue > 0.001
    layers = Counter((a["kernel_6_1"], a["expansion_6_1"]) for a in drawn)
    assert len(layers) == 12
    assert chisquare(list(layers.values())).pvalue > 0.001


def test_equal_layers_are_one_network() -> None:
    """What is counted or planned of a layer once is known in every network that has it."""
    first = MCUNet(width=0.5).parse("r160" + "-k3e4,k5e6" * 5 + "-k7e3").network
    second = MCUNet(width=0.5).parse("r160" + "-k3e4,k5e6,k5e6" * 5 + "-k7e3").network
    blocks = dict(second.blocks())
    assert all(blocks[path] is block for path, block in first.blocks())
    assert blocks["stage2.block1"] is blocks["stage2.block2"]


def test_sampling_and_making_a_network_takes_microseconds() -> None:
    """Below 60 µs where nothing else runs; four times that here, for a shared machine."""
    mcunet, generator = MCUNet(), np.random.default_rng(1)
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(400):
            _ = mcunet.random(generator).network
        best = min(best, (time.perf_counter() - start) / 400)
    assert best < 240e-6


def test_torch_onnxruntime_and_fvcore_agree() -> None:
    import torch

    network = MCUNet(width=0.3, resolution=48, classes=3).sample(1, seed=2)[0].network
    assert_agree(network)
    assert differences(count(network).whole, to_torch(network), torch.zeros(1, 3, 48, 48)) == []


def test_activation_size_of_a_residual_block() -> None:
    """The input of a residual block counts while its depthwise convolution runs, and only then."""
    from hwnas.network.builder import Builder
    from hwnas.spaces.mobile_layers import inverted_residual

    def size(stride: int) -> int:
        b = Builder()
        x = b.block(
            "block", inverted_residual, b.input(8, 4, 4), channels=8, kernel=3, expansion=2, stride=stride
        )
        return mcunet_activation_bytes(b.build(x))

    assert size(1) == (8 + 16 + 16) * 16
    assert size(2) == (8 + 16) * 16
    b = Builder()
    with pytest.raises(ValueError, match="without convolutions"):
        mcunet_activation_bytes(b.build(b.relu(b.input(3, 4, 4))))


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ("resolution must be whole numbers of at least 32", lambda: MCUNet(resolution=16)),
        ("resolution must be whole numbers", lambda: MCUNet(resolution=96.0)),  # type: ignore[arg-type]
        ("width must be above 0", lambda: MCUNet(width=0)),
        ("classes must be", lambda: MCUNet(classes=1)),
        ("resolution=96 is not in space mcunet", lambda: MCUNet().parse("r96" + "-k3e3,k3e3" * 5 + "-k3e3")),
        ("depth_1=1 is not in space", lambda: MCUNet().parse("r160" + "-k3e3" * 6)),
        ("no setting 'resolutions'", lambda: space("mcunet:resolutions=(96,)")),
    ],
)
def test_errors_say_what_would_be_right(message: str, call: Any) -> None:
    with pytest.raises(ValueError, match=message):
        call()
