"""`hwnas count` on networks for microcontrollers, in this process; errors as `main` would print them."""

import json

import pytest
from typer.testing import CliRunner

import hwnas
from hwnas.cli.main import app
from hwnas.cost.flash import FORMATS
from hwnas.network import Builder
from hwnas.network.program import lower
from hwnas.network.quantise import placeholder
from hwnas.network.tflite import write_tflite

CODE = FORMATS["tflm"].code


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    b = Builder()
    x = b.input(3, 16, 16)
    for _ in range(3):
        x = b.relu(b.conv(b.layer("Pad", x, pads=(0, 0, 1, 1, 0, 0, 1, 1)), 8, kernel=3, padding=0))
    path = tmp_path_factory.mktemp("net") / "net.tflite"
    program = lower(b.build(b.linear(b.global_average_pool(x), 10)))
    path.write_bytes(write_tflite(placeholder(program)) + b"what else a file may hold")
    return path


def count(*arguments):
    result = CliRunner().invoke(app, ["count", *map(str, arguments)])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def as_json(*arguments):
    return json.loads(count(*arguments, "--json"))


def test_flash_of_a_file_is_its_size_and_the_code(net):
    found = as_json(net, "--runtime", "tflm")["memory"]["flash"]
    assert found["total_bytes"] == net.stat().st_size + CODE
    assert hwnas.count(net).flash_bytes("tflm") == found["total_bytes"]
    assert sum(value for name, value in found.items() if name != "total_bytes") == found["total_bytes"]
    modelled = as_json(net, "--runtime", "tinyengine")["memory"]["flash"]
    assert modelled["structure"] == 0


def test_a_suffix_in_capitals(net, tmp_path):
    loud = tmp_path / "NET.TFLITE"
    loud.write_bytes(net.read_bytes())
    quiet, found = (as_json(path, "--runtime", "tflm") for path in (net, loud))
    assert {**found, "name": ""} == {**quiet, "name": ""}
    assert hwnas.plan(loud).planned_bytes == quiet["memory"]["planned_bytes"]


def test_pads_with_patches(net):
    found = as_json(net, "--runtime", "tinyengine", "--patches")["memory"]["patches"]
    assert found["split"] >= 1
    assert found["peak_bytes"] < as_json(net, "--runtime", "tinyengine")["memory"]["planned_bytes"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input", "3x4x4"], "--input has no effect with a file in .tflite"),
        (["--runtime", "liveness", "--flash", "1MB"], "--flash has no effect with --runtime liveness"),
        (["--runtime", "tflm", "--picture", "plan.svg"], "--picture plan.svg must be a file that ends in .png"),
        (["--runtime", "tflm", "--picture", "no/plan.png"], "--picture no/plan.png: the folder no does not exist"),
        (["--runtime", "tflm", "--sram", "320kb"], "did you mean kB?"),
        (["--runtime", "tflm", "--float-input"], "--float-input is for networks"),
    ],
)  # fmt: skip
def test_what_has_no_effect_is_refused(net, arguments, message):
    with pytest.raises(ValueError) as refused:
        count(net, *arguments)
    assert message in str(refused.value)


def test_shapes_are_for_modules():
    space = ["--space", "nasbench201", "--arch", "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|"]
    with pytest.raises(ValueError, match="--input has no effect with --space and --arch"):
        count(*space, "--input", "3x4x4")


def test_a_board_whose_flash_is_not_compared(net):
    lines = count(net, "--runtime", "liveness", "--board", "stm32f746")
    assert "sram keeps the limit of 320.0 kB" in lines
    assert "flash is not compared" in lines


def test_small_limits_are_shown_in_bytes(net):
    lines = count(net, "--runtime", "tflm", "--flash", "1B", "--sram", "1000B")
    assert "flash EXCEEDS the limit of 1 byte\n" in lines
    assert "sram EXCEEDS the limit of 1000 bytes\n" in lines


def test_a_picture_that_cannot_be_written_is_named(net, tmp_path):
    picture = tmp_path / "sub" / "plan.png"
    picture.parent.mkdir()
    picture.parent.chmod(0o500)
    try:
        (picture.parent / "probe").touch()
    except PermissionError:
        with pytest.raises(OSError) as refused:
            count(net, "--runtime", "tflm", "--picture", picture)
        assert refused.value.filename == str(picture)
    else:
        pytest.skip("this user may write everywhere")
