"""`hwnas table` as a person runs it."""

import csv
from dataclasses import replace

import pytest

from hwnas.latency import LatencyTable
from tests.cli.program import as_json, hwnas
from tests.latency.helpers import IDENTITY, entry, table

NETWORK = "0123456789abcdef"


def saved(folder, *extra, **changes):
    block = entry("aaaaaaaa", p10=200.0, flops=20_000_000, name="stage1.block0")
    whole = entry(NETWORK, "network", p10=700.0, flops=80_000_000, blocks=(("aaaaaaaa", 4),))
    table(block, whole, *extra, **changes).save(folder)
    return folder


def altered(folder, column, change):
    """Change a column of the blocks, and the id with it: a table that was written so."""
    loaded = LatencyTable.load(folder)
    block = loaded["aaaaaaaa"]
    value = change(getattr(block, column))
    LatencyTable(loaded.meta, {**loaded.entries, block.key: replace(block, **{column: value})}).save(folder)
    return folder


def test_show(tmp_path):
    shown = as_json("table", "show", saved(tmp_path / "t"))
    assert shown["entries"]["blocks"]["count"] == 1 and shown["identity"]["device"]["model"] == "A1"
    assert shown["slowest"][0]["name"] == "stage1.block0"
    told = hwnas("table", "show", tmp_path / "t")
    assert "stage1.block0" in told and "model A1" in told and "0.7000" in told
    assert as_json("table", "show", tmp_path / "t", "--slowest", 0)["slowest"] == []


def test_diff(tmp_path):
    a, b = saved(tmp_path / "a"), saved(tmp_path / "b", entry("bbbbbbbb"))
    found = as_json("table", "diff", a, b)
    assert found["second_only"] == 1 and found["ratios"]["within_1"] == 1
    assert "1 only in the second" in hwnas("table", "diff", a, b)
    assert "same content" in hwnas("table", "diff", a, a)


def test_merge_into_a_folder_of_its_own(tmp_path):
    a, b, c = (saved(tmp_path / n, entry(n * 8)) for n in "bcd")
    merged = as_json("table", "merge", a, b, c, "--out", tmp_path / "m")
    assert merged["entries"]["blocks"]["count"] == 4
    assert len(LatencyTable.load(tmp_path / "m")) == 5
    assert "not empty" in hwnas("table", "merge", a, b, "--out", a, code=2)
    assert "two tables" in hwnas("table", "merge", a, "--out", tmp_path / "n", code=2)
    other = replace(IDENTITY, runtime=replace(IDENTITY.runtime, version="9"))
    d = saved(tmp_path / "e", identity=other)
    assert "runtime.version" in hwnas("table", "merge", a, d, "--out", tmp_path / "o", code=2)
    kernels = tmp_path / "k"
    table(entry("eeeeeeee", "kernel")).save(kernels)
    assert "kernels" in hwnas("table", "merge", a, kernels, "--out", tmp_path / "p", code=2)


def test_validate(tmp_path):
    good = saved(tmp_path / "t")
    assert "is a valid table" in hwnas("table", "validate", good)
    assert as_json("table", "validate", good) == {"errors": [], "warnings": []}
    slow = saved(tmp_path / "ms")
    loaded = LatencyTable.load(slow)
    times = ("min_us", "p10_us", "p50_us", "p90_us", "mean_us", "cpu_p10_us")
    entries = {e.key: replace(e, **{t: getattr(e, t) / 1e6 for t in times}) for e in loaded}
    LatencyTable(loaded.meta, entries).save(slow)
    assert "seconds" in hwnas("table", "validate", slow, code=2)
    assert "different units" in hwnas(
        "table", "validate", altered(saved(tmp_path / "c"), "cpu_p10_us", lambda t: t / 1e6), code=2
    )


def edited(folder, column, text, again=False):
    """The same table with one cell of entries.csv edited by hand."""
    path = folder / "entries.csv"
    rows = list(csv.reader(path.open()))
    rows[1][rows[0].index(column)] = text
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows + ([rows[1]] if again else []))
    return folder


@pytest.mark.parametrize(
    ("column", "text", "says"),
    [
        ("p10_us", "-3", "p10_us is -3.0; it must be a finite positive number"),
        ("p10_us", "0", "it must be a finite positive number"),
        ("p10_us", "nan", "row 1: p10_us is nan"),
        ("p10_us", "1e999", "row 1: p10_us is inf"),
        ("p10_us", "5000", "p50_us is"),
        ("p10_us", "fast", "'fast' cannot be read"),
        ("n", "0", "n is 0; it must be at least 1"),
        ("p10_us", "201.0", "the table was altered"),
        ("name", "=cmd|' /C calc'!A0", "row 1: field 'name'"),
        ("key", "../../etc/passwd", "hex digits"),
    ],
)
def test_tables_edited_by_hand(tmp_path, column, text, says):
    assert says in hwnas("table", "validate", edited(saved(tmp_path / "t"), column, text), code=2)


def test_duplicate_keys(tmp_path):
    told = hwnas("table", "validate", edited(saved(tmp_path / "t"), "n", "200", again=True), code=2)
    assert "row 2: key aaaaaaaa occurs twice" in told


def test_no_such_table(tmp_path):
    assert "no latency table 'absent'" in hwnas("table", "show", "absent", cwd=tmp_path, code=2)


def test_kernels_are_measured_shown_and_predicted_from(tmp_path):
    far_apart = "widths=(0.5,4.0)"
    space = [
        "--space",
        f"mobilenetv2:resolution=32,classes=10,width=0.25,depths=(-1,),kernels=(3,),{far_apart}",
    ]
    table = tmp_path / "kernels"
    told = as_json("measure", *space, "--grain", "kernels", "--samples", 3, "--quick", "--out", table)
    assert told["networks"] == 3 and told["kernels"] > 20 and told["blocks"] == 0
    assert as_json("table", "show", table)["entries"]["kernels"]["count"] == told["kernels"]
    hwnas("fit", table, "--kind", "kernel", "--out", tmp_path / "p")

    network = LatencyTable.load(table).networks[0]
    found = as_json("predict", tmp_path / "p", *space, "--arch", network.name)
    assert 0.1 < found[0]["latency_ms"] / network.latency_ms < 10
    assert "--grain must be" in hwnas("measure", *space, "--grain", "layers", code=2)
