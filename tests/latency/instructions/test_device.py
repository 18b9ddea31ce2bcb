import pytest

from hwnas.latency import device, device_like, measure, measure_onnx
from hwnas.latency.instructions.predictor import board_predictor
from hwnas.latency.tables.plausible import findings
from hwnas.network import Builder
from hwnas.network.to_onnx import to_onnx
from tests.cli.program import as_json, hwnas
from tests.conftest import DATA
from tests.latency.helpers import small_network

from . import nets


def test_a_board_is_part_of_the_name_and_of_the_identity():
    named, keyword = device("cortex-m7-cmsisnn:stm32f746"), device("cortex-m7-cmsisnn", board="stm32f746")
    assert named.compatible_with(keyword) and not named.compatible_with(device("cortex-m7-cmsisnn:stm32h743"))
    card = named.describe()
    assert "stm32f746" in card.model and "not measured" in card.model and card.maximum_mhz == 216
    assert named.identity().protocol.id == "estimate-v1"
    assert device_like(named.identity()).describe() == card
    with pytest.raises(
        ValueError, match=r"no board 'f4' in cortex-m7-cmsisnn; boards that have one: stm32l4r5"
    ):
        device("cortex-m7-cmsisnn:f4")
    for name in ("cortex-m7-cmsisnn", "cortex-m7-cmsisnn:"):
        with pytest.raises(
            ValueError, match="cortex-m7-cmsisnn needs a board: cortex-m7-cmsisnn:stm32l4r5, "
        ):
            device(name)
    with pytest.raises(ValueError, match="ort-cpu has no option 'board'"):
        device("ort-cpu:stm32f746")


def test_a_table_agrees_with_the_predictor(tmp_path):
    networks = [small_network(channels) for channels in (4, 8, 16)]
    table = measure(networks, device("cortex-m7-cmsisnn:nrf5340"), folder=tmp_path)
    expected = board_predictor("nrf5340").predict(networks)
    assert [table[network.key].latency_ms for network in networks] == pytest.approx(list(expected), abs=1e-6)
    assert findings(table) == [] and all(entry.flags == () for entry in table)


def test_an_onnx_file_and_one_that_is_refused():
    network = nets.resnet8()
    content = to_onnx(network).SerializeToString()
    entry = measure_onnx(content, device("cortex-m7-cmsisnn:stm32l4r5"))
    assert entry.latency_ms == pytest.approx(389.56, rel=0.05)
    b = Builder()
    grouped = b.build(b.conv(b.input(8, 8, 8), 8, kernel=3, groups=2))
    (failed,) = measure([grouped], device("cortex-m7-cmsisnn:stm32h743"), blocks=False)
    assert failed.failed and "CONV_2D on 1×8×8×8 int8 is not among" in failed.reason


def test_the_command_line(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(to_onnx(nets.ds_cnn()).SerializeToString())
    (row,) = as_json("predict", "cortex-m7-cmsisnn:stm32l4r5", path, cwd=tmp_path)
    assert row["latency_ms"] == pytest.approx(99.81, rel=0.05)
    assert "times nothing; leave --quick out" in hwnas(
        "measure", path, "--device", "cortex-m7-cmsisnn", "--quick", cwd=tmp_path, code=2
    )


def test_a_tflite_file_on_the_command_line(tmp_path):
    path = DATA / "mcu" / "models" / "vww.tflite"
    if not path.exists():
        pytest.skip(f"no model {path}: set HWNAS_TEST_DATA")
    (row,) = as_json("predict", "cortex-m7-cmsisnn:stm32h743", path, cwd=tmp_path)
    assert row["latency_ms"] == pytest.approx(97, rel=0.02)
