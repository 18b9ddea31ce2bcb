"""Flash against files, TinyEngine's own count, and published figures."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwnas.cost.flash import FORMATS, Flash, flash, flash_bytes
from hwnas.cost.flash.tflite_structure import WITHOUT_OPTIONS
from hwnas.network import Builder, Network
from hwnas.network.network import Value
from hwnas.network.program.lower import lower
from hwnas.network.quantise.placeholder import placeholder
from hwnas.network.quantise.qdq import quantised_onnx
from hwnas.network.tflite import read_tflite, write_tflite
from hwnas.network.tflite.schema import OPTIONS
from hwnas.network.weights import random_weights
from hwnas.spaces import FBNet, MCUNet, MobileNetV2, NASBench101, NASBench201, OFAMobileNetV3, ProxylessNAS

from ..conftest import DATA

with (Path(__file__).parents[1] / "reference" / "mcunet.csv").open(newline="") as file:
    PUBLISHED = {
        (row["network"], row["runtime"]): float(row["value"])
        for row in csv.DictReader(file)
        if row["quantity"] == "flash_kb" and row["board"] == "stm32h743"
    }
SPACES = (
    MCUNet(classes=10),
    MCUNet(width=0.2, classes=2),
    MobileNetV2(resolution=96, classes=10),
    NASBench201(),
    NASBench101(),
    OFAMobileNetV3(classes=10),
    ProxylessNAS(),
    FBNet(classes=100),
)


def published(prefix: str, runtime: str) -> list[str]:
    return [name for name, of in PUBLISHED if name.startswith(prefix) and of == runtime]


def network_of(name: str) -> Network:
    kind = ProxylessNAS if name.startswith("proxyless") else MCUNet
    return kind.published()[name].network


def model(name: str) -> Path:
    path = DATA / "mcu" / "models" / name
    if not path.exists():
        pytest.skip(f"no {path}: set HWNAS_TEST_DATA")
    return path


def test_tinyengine_counts_the_same_bytes() -> None:
    """MODEL_SIZE of mit-han-lab/tinyengine 47bb283, tests/examples/assets/vww."""
    found = flash(read_tflite(model("vww.tflite")).program, "tinyengine")
    assert found.total_bytes - found.code == 469_432


@pytest.mark.parametrize("name", published("mcunet", "tinyengine"))
def test_published_flash_of_tinyengine(name: str) -> None:
    found = flash_bytes(network_of(name), "tinyengine") / 1024
    assert found == pytest.approx(PUBLISHED[name, "tinyengine"], rel=0.003)


@pytest.mark.parametrize("name", published("proxyless", "tinyengine"))
def test_published_flash_of_proxyless_networks_is_that_of_their_constants(name: str) -> None:
    found = flash(network_of(name), "tinyengine")
    assert (found.total_bytes - found.code) / 1024 == pytest.approx(PUBLISHED[name, "tinyengine"], rel=0.003)


@pytest.mark.parametrize("runtime", ["tflm", "tflm-cmsis-nn"])
@pytest.mark.parametrize("name", published("mcunet", "tflm"))
def test_published_flash_of_tflite_micro(name: str, runtime: str) -> None:
    """The published files of 1000 classes store the scales of the classifier by channel, ours one for all."""
    network = network_of(name)
    classes = network.outputs[0].size
    by_channel = 24 * classes if classes == 1000 else 0
    found = (flash_bytes(network, runtime) + by_channel) / 1024
    assert found == pytest.approx(PUBLISHED[name, runtime], rel=0.007)


@pytest.mark.parametrize(
    ("name", "within"),
    [("vww.tflite", 0.001), ("tflm_person_detect.tflite", 0.004)],
)
def test_size_of_other_converters_files(name: str, within: float) -> None:
    file = read_tflite(model(name))
    found = flash(file.program, "tflm")
    assert found.total_bytes - found.code == pytest.approx(file.size_bytes, rel=within)


def test_old_converters_also_store_the_range_of_each_channel() -> None:
    file = read_tflite(model("mlperf_vww_96_int8.tflite"))
    found = flash(file.program, "tflm")
    ranges = 8 * found.biases // 4
    assert found.total_bytes - found.code + ranges == pytest.approx(file.size_bytes, rel=0.01)


@pytest.mark.parametrize("space", SPACES, ids=lambda space: type(space).__name__)
def test_size_of_files_that_are_written(space: MCUNet) -> None:
    for architecture in space.sample(2, seed=7):
        program = lower(architecture.network)
        found = flash(program, "tflm")
        size = len(write_tflite(placeholder(program)))
        assert found.total_bytes - found.code == pytest.approx(size, rel=0.002)


@pytest.mark.parametrize("layers", range(1, 8))
def test_size_of_tiny_files(layers: int) -> None:
    chains: list[Callable[[Builder, Value], Value]] = [
        lambda b, x: b.relu(b.conv(x, 4, kernel=3)),
        lambda b, x: b.linear(x, 8),
        lambda b, x: b.sigmoid(b.add(x, x)),
    ]
    for link in chains:
        b = Builder()
        x = b.input(4, 4, 4)
        for _ in range(layers):
            x = link(b, x)
        program = lower(b.build(x))
        found = flash(program, "tflm")
        size = len(write_tflite(placeholder(program)))
        assert found.total_bytes - found.code == pytest.approx(size, abs=100)


def test_kinds_without_options_are_those_that_are_written_so() -> None:
    assert set(WITHOUT_OPTIONS) == {kind for kind, options in OPTIONS.items() if not options.union}


@pytest.mark.parametrize("runtime", sorted(FORMATS))
def test_a_file_itself_is_what_tflite_micro_stores(runtime: str) -> None:
    file = read_tflite(model("mlperf_kws_ref_model.tflite"))
    found = flash(file.program, runtime, tflite_bytes=file.size_bytes)
    if runtime.startswith("tflm"):
        assert found.total_bytes - found.code == file.size_bytes == 53_936
    else:
        assert found == flash(file.program, runtime)


def test_size_of_an_int8_onnx_file() -> None:
    network = MCUNet(width=0.3, resolution=48, classes=10).sample(1, seed=3)[0].network
    images = np.random.default_rng(0).standard_normal((2, 3, 48, 48)).astype(np.float32)
    size = len(quantised_onnx(network, random_weights(network), images))
    assert flash_bytes(network, "onnxruntime") == pytest.approx(size, rel=0.003)


@settings(max_examples=25)
@given(st.sampled_from(SPACES), st.sampled_from(sorted(FORMATS)), st.integers(0, 1000))
def test_by_blocks_and_as_a_whole_the_same(space: MCUNet, runtime: str, seed: int) -> None:
    for architecture in space.sample(2, seed=seed):
        assert flash_bytes(architecture.network, runtime) == flash(architecture.network, runtime).total_bytes


def _convolve(b: Builder, x: Value) -> Value:
    return b.conv(x, 8, kernel=3)


def _normalise(b: Builder, x: Value) -> Value:
    return b.relu(b.batch_norm(x))


def _classify(b: Builder, x: Value) -> Value:
    return b.linear(b.global_average_pool(x), 10)


def test_blocks_that_are_fused_with_others() -> None:
    b = Builder()
    x = b.block("normalise", _normalise, b.block("convolve", _convolve, b.input(3, 8, 8)))
    network = b.build(b.block("classify", _classify, x))
    alone = Flash(
        weights=216 + 80, biases=32 + 40, quantisation=32 + 40, code=flash(network, "tinyengine").code
    )
    assert flash(network, "tinyengine") == alone
    assert flash_bytes(network, "tinyengine") == alone.total_bytes


def test_dead_blocks_take_nothing() -> None:
    b = Builder()
    x = b.input(3, 8, 8)
    b.block("dead", _convolve, x)
    network = b.build(b.block("classify", _classify, x))
    for runtime in FORMATS:
        assert flash_bytes(network, runtime) == flash(network.live, runtime).total_bytes


def test_a_runtime_without_a_format_is_refused() -> None:
    network = SPACES[0].sample(1, seed=0)[0].network
    for refuse in (flash, flash_bytes):
        with pytest.raises(ValueError, match=r"'liveness' has no flash format.*tinyengine, tflm"):
            refuse(network, "liveness")
