"""Reports of the compiler are read with distrust."""

import pytest

from hwnas.latency.devices.vela_report import read_report

SUMMARY = {
    "core_clock": "500000000.0",
    "inference_time": "0.0002",
    "sram_memory_used": "50.625",
    "off_chip_flash_memory_used": "2.0",
    "nn_macs": "1234",
    "cycles_npu": "90000",
    "cycles_total": "100000",
}
LAYER = {
    "Original Operator": "Conv2D",
    "NNG Operator": "Conv2D",
    "Target": "NPU",
    "Staging Usage": "20224",
    "Op Cycles": "100000.0",
    "MAC Count": "1234",
    "Name": "conv",
}


def written(folder, summaries=(SUMMARY,), layers=(LAYER,)):
    for name, rows, first in (
        ("net_summary_X.csv", summaries, SUMMARY),
        ("net_per-layer.csv", layers, LAYER),
    ):
        lines = [",".join(first), *(",".join(row.values()) for row in rows)]
        (folder / name).write_text("\n".join(lines) + "\n")
    return folder


def test_units(tmp_path):
    found = read_report(written(tmp_path), "ethos-u55-128")
    assert found.latency_ms == pytest.approx(0.2) and found.cycles == 100_000 and found.clock_mhz == 500
    assert (found.sram_bytes, found.flash_bytes, found.macs, found.npu_cycles) == (51_840, 2048, 1234, 90_000)
    (layer,) = found.layers
    assert (layer.name, layer.cycles, layer.staging_bytes, layer.is_on_cpu) == (
        "conv",
        100_000,
        20_224,
        False,
    )
    assert read_report(written(tmp_path, layers=[LAYER | {"Target": "CPU"}]), "x").on_cpu == ("Conv2D conv",)


@pytest.mark.parametrize(
    ("field", "text", "says"),
    [
        ("cycles_total", "many", r"net_summary_X\.csv: field 'cycles_total' is 'many'"),
        ("cycles_total", "nan", "field 'cycles_total' is 'nan'; it must be a number of at least 0"),
        ("sram_memory_used", "-1", "field 'sram_memory_used' is '-1'"),
        ("nn_macs", "1e30", "field 'nn_macs' is '1e30'"),
        ("inference_time", "0.3", "inference_time is 0.3, not cycles_total 100000.0 by core_clock"),
        ("core_clock", "0", "which must be positive"),
    ],
)
def test_numbers_that_cannot_be_true(tmp_path, field, text, says):
    with pytest.raises(ValueError, match=says):
        read_report(written(tmp_path, summaries=[SUMMARY | {field: text}]), "x")


def test_layers_that_are_none(tmp_path):
    with pytest.raises(ValueError, match=r"per-layer\.csv: row 2: field 'Target' is 'GPU'"):
        read_report(written(tmp_path, layers=[LAYER, LAYER | {"Target": "GPU"}]), "x")
    with pytest.raises(ValueError, match="row 1: field 'Op Cycles' is ''"):
        read_report(written(tmp_path, layers=[LAYER | {"Op Cycles": ""}]), "x")


def test_files_that_are_missing_or_too_many(tmp_path):
    with pytest.raises(ValueError, match=r"0 files \*_summary_\*\.csv where Vela writes one"):
        read_report(tmp_path, "x")
    with pytest.raises(ValueError, match="2 rows; a summary has one"):
        read_report(written(tmp_path, summaries=[SUMMARY, SUMMARY]), "x")
    written(tmp_path)
    (tmp_path / "net_per-layer.csv").unlink()
    (tmp_path / "net_per-layer.csv").symlink_to("/dev/zero")
    with pytest.raises(ValueError, match="is a link"):
        read_report(tmp_path, "x")
