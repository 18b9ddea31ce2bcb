"""`hwnas predict` with boards, accelerators, and what is no predictor."""

import json

import onnx as onnx_module
import pytest
from onnx import TensorProto, helper
from typer.testing import CliRunner

from hwnas.cli.main import app
from hwnas.latency import devices
from hwnas.latency.instructions.predictor import board_predictor
from hwnas.network import Builder
from hwnas.network.program.lower import lower
from hwnas.network.quantise import placeholder
from hwnas.network.tflite import write_tflite
from hwnas.network.to_onnx import to_onnx
from tests.cli.program import forked
from tests.latency.helpers import small_network
from tests.latency.instructions.nets import ds_cnn

VELA = "vela-ethos-u55-128"


def hwnas(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def refusal(*arguments):
    done = hwnas(*arguments)
    assert isinstance(done.exception, ValueError), done.exception
    return str(done.exception)


@pytest.fixture
def onnx(tmp_path):
    to_onnx(small_network(), tmp_path / "net.onnx")
    return tmp_path / "net.onnx"


@pytest.fixture
def tflite(tmp_path):
    (tmp_path / "net.tflite").write_bytes(write_tflite(placeholder(lower(small_network()))))
    return tmp_path / "net.tflite"


def test_an_estimated_constant_is_said_in_one_line_and_a_published_one_is_not(onnx):
    said = hwnas("predict", "cortex-m7-cmsisnn:stm32f746", onnx, "--json")
    assert (
        json.loads(said.stdout)[0]["latency_ms"] == board_predictor("stm32f746").predict([small_network()])[0]
    )
    (line,) = said.stderr.splitlines()
    assert line.startswith("cortex-m7-cmsisnn:stm32f746: the board's constant is derived from other boards'")
    assert hwnas("predict", "cortex-m7-cmsisnn:stm32h743", onnx).stderr == ""


def test_a_search_says_it_too(tmp_path):
    said = hwnas(
        "search", "--space", "nasbench201", "--maximize", "macs", "--budget", 3, "--strategy", "random",
        "--predictor", "cortex-m7-cmsisnn:stm32f746", "--subject-to", "latency_ms <= 10s",
        "--candidates", 1, "--run", tmp_path / "run",
    )  # fmt: skip
    assert said.exit_code == 0, said.exception
    assert said.stderr.count("derived from other boards'") == 1


@pytest.mark.parametrize("name", ["cortex-m7-cmsisnn", "cortex-m7-cmsisnn:"])
def test_a_board_is_needed_here_and_when_measuring(name, onnx):
    says = "cortex-m7-cmsisnn needs a board: cortex-m7-cmsisnn:stm32l4r5, cortex-m7-cmsisnn:nrf5340, "
    assert refusal("predict", name, onnx).startswith(says)
    assert refusal("measure", "--device", name, onnx).startswith(says)


def test_what_is_no_predictor(onnx):
    assert "rp2040 (Cortex-M0+) has no timing constant" in refusal(
        "predict", "cortex-m7-cmsisnn:rp2040", onnx
    )
    assert "no instruction table 'foo'" in refusal("predict", "foo:bar", onnx)
    assert "hwnas measure --device ort-cpu" in refusal("predict", "ort-cpu", onnx)
    assert "hwnas measure --device ssh://pi" in refusal("predict", "ssh://pi", onnx)
    search = ("search", "--space", "nasbench201", "--run", onnx.parent / "run", "--predictor", VELA)
    assert f"hwnas measure --device {VELA}" in refusal(*search)


@pytest.mark.parametrize("predictor", ["cortex-m7-cmsisnn:stm32h743", VELA])
def test_a_confidence_without_effect_is_refused(predictor, onnx):
    assert f"--confidence has no effect with {predictor}" in refusal(
        "predict", predictor, onnx, "--confidence", 2
    )


@pytest.mark.parametrize(
    "predictor", ["cortex-m7-cmsisnn:stm32h743", "xeon-rocket-lake-1t-fp32-nasbench201", VELA]
)
def test_networks_that_compute_nothing_are_refused(tmp_path, predictor):
    path = tmp_path / "net.onnx"
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, (1, 8)) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", values[:1], values[1:])
    onnx_module.save(helper.make_model(graph), path)
    assert refusal("predict", predictor, path) == f"{path} computes nothing: it has no operators"


def test_networks_whose_operators_cost_nothing_are_refused(tmp_path):
    b = Builder()
    to_onnx(b.build(b.layer("Dropout", b.input(8))), tmp_path / "net.onnx")
    says = refusal("predict", "cortex-m7-cmsisnn:stm32h743", tmp_path / "net.onnx")
    assert "net.onnx computes nothing: no operator of it is executed" in says


def test_warnings_are_one_line_without_a_path(tmp_path):
    to_onnx(ds_cnn(), tmp_path / "net.onnx")
    done = forked("predict", "cortex-m7-cmsisnn:stm32h743", "net.onnx", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr == (
        "warning: 1 of 1 networks have windows that were not counted (conv 10×4); their instructions are "
        "extrapolated\n"
    )


def test_measure_sends_tflite_files_to_predict(tflite):
    says = refusal("measure", "--device", VELA, tflite)
    assert says.startswith(f"{tflite}: measure takes ONNX files") and "hwnas predict" in says


def test_an_accelerator_says_cycles_sram_and_flash(tflite, onnx):
    pytest.importorskip("ethosu", reason="ethos-u-vela is not installed (extra mcu)")
    from hwnas.latency.devices.vela_compiler import vela_estimate

    assert VELA in devices()
    expected = vela_estimate(tflite.read_bytes(), "ethos-u55-128")
    said = hwnas("predict", VELA, tflite, "--json")
    (row,) = json.loads(said.stdout)
    assert said.stderr == "" and row["name"] == str(tflite)
    for field in ("latency_ms", "cycles", "sram_bytes", "flash_bytes", "macs"):
        assert row[field] == getattr(expected, field)
    text = hwnas("predict", VELA, onnx)
    assert (
        f"{expected.cycles:,}" in text.stdout and "estimated by Arm's compiler, not measured" in text.stdout
    )
    assert "weights are arbitrary here" in text.stderr


def test_an_accelerator_names_what_it_leaves_to_the_processor(tmp_path):
    pytest.importorskip("ethosu", reason="ethos-u-vela is not installed (extra mcu)")
    path = tmp_path / "net.tflite"
    path.write_bytes(write_tflite(placeholder(lower(small_network(), float_input=True))))
    said = hwnas("predict", VELA, path, "--json")
    assert [name.split()[0] for name in json.loads(said.stdout)[0]["on_cpu"]] == ["Quantize"]
    assert f"{path}: left to the processor, and not in the estimate: Quantize" in said.stderr


def test_the_list_of_boards_says_where_constants_come_from():
    kinds = {row["board"]: row["latency"] for row in json.loads(hwnas("list", "boards", "--json").stdout)}
    assert (kinds["stm32h743"], kinds["stm32f746"], kinds["rp2040"]) == ("published", "estimated", "none")
