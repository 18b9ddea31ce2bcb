"""The devices' options as a person gives them."""

import json

import pytest

from .program import as_json, hwnas
from .test_cli import CELL


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--layout", "channels_last"], "ort-cpu has no option 'layout'; it has batch, level, precision"),
        (["--compile"], "ort-cpu has no option 'compile'"),
        (["--device", "torch-cpu", "--level", "all"], "torch-cpu has no option 'level'"),
        (["--device", "torch-cpu", "--graphs"], "torch-cpu has no option 'graphs'"),
        (["--precision", "fp16"], "precision must be one of fp32, int8, not 'fp16'"),
        (["--batch", "0"], "batch must be 1 to 65536, not 0"),
        (["--threads", "0"], "threads must be 1 to"),
    ],
)
def test_options_that_a_device_lacks_are_refused_by_name(options, message):
    assert message in hwnas("measure", "--space", "nasbench201", *options, code=2)


def test_options_reach_the_table(tmp_path):
    options = ["--precision", "int8", "--batch", "2", "--level", "extended", "--quick", "--blocks", "none"]
    hwnas("measure", "--space", "nasbench201", "--arch", CELL, *options, "--out", tmp_path)
    runtime = json.loads((tmp_path / "meta.json").read_text())["identity"]["runtime"]
    assert runtime["precision"] == "int8"
    assert (runtime["options"]["batch"], runtime["options"]["level"]) == ("2", "extended")


def test_the_list_says_what_is_here_and_why_not():
    rows = {row["device"]: row for row in as_json("list", "devices")}
    assert rows["ort-cpu"]["here"] == rows["torch-cpu"]["here"] == "yes"
    assert rows["ort-cpu"]["options"] == "threads, level, precision, batch"
    assert {"ort-cuda", "ort-tensorrt", "torch-cuda"} <= rows.keys()
    assert all(row["here"] for row in rows.values())
