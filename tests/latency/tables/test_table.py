import json
import math
import os
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hwnas.latency import DeviceMismatchError, Entry, LatencyTable
from hwnas.latency.tables.entry import failed_entry

from ..helpers import CARD, IDENTITY, entry, table

HEX = st.text("0123456789abcdef", min_size=8, max_size=40)
NAME = st.text(st.characters(exclude_categories=("C", "Z")), max_size=20)
COUNT = st.integers(0, 2**40)


@st.composite
def entries(draw):
    key, name = draw(HEX), draw(NAME)
    blocks = tuple(draw(st.lists(st.tuples(HEX, st.integers(1, 9)), max_size=3)))
    kind = draw(st.sampled_from(["network", "block"]))
    blocks = blocks if kind == "network" else ()
    if draw(st.booleans()):
        return failed_entry(key, kind, name, 'no, "kernel"', blocks=blocks)
    flags = tuple(sorted(draw(st.sets(st.sampled_from(["unstable", "grouped", "rescaled"])))))
    counts = {"flops": draw(st.none() | COUNT), "params": draw(st.none() | COUNT)}
    return entry(key, kind, draw(st.floats(1e-3, 1e7)), name=name, flags=flags, blocks=blocks, **counts)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(entries(), max_size=6, unique_by=lambda e: e.key))
def test_save_and_load_return_the_same_table(tmp_path, rows):
    made = table(*rows)
    made.save(tmp_path / "t")
    loaded = LatencyTable.load(tmp_path / "t")
    assert loaded == made and loaded.table_id == made.table_id


def test_the_id_is_of_the_content_not_of_the_order():
    a, b = entry("aaaaaaaa"), entry("bbbbbbbb", p10=7.0)
    assert table(a, b).table_id == table(b, a).table_id != table(a).table_id


def test_lookup():
    made = table(entry("aaaaaaaa"), entry("bbbbbbbb", "network", blocks=(("aaaaaaaa", 2),)))
    assert "aaaaaaaa" in made and "cccccccc" not in made and len(made) == 2
    assert made["aaaaaaaa"].latency_ms == 0.1
    assert [e.key for e in made.networks] == ["bbbbbbbb"] and [e.key for e in made.blocks] == ["aaaaaaaa"]
    with pytest.raises(KeyError, match="cccccccc is not among the 2 entries"):
        made["cccccccc"]


def test_a_failed_entry_has_a_reason_and_no_time():
    failed = failed_entry("aaaaaaaa", "block", "b", "no kernel")
    assert failed.failed and math.isnan(failed.latency_ms)
    with pytest.raises(ValueError, match="reason"):
        failed_entry("aaaaaaaa", "block", "b", "")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key", "XY"),
        ("kind", "layer"),
        ("name", "a\nb"),
        ("n", 0),
        ("min_us", -1.0),
        ("p10_us", math.inf),
        ("p50_us", 1.0),
        ("p90_us", math.nan),
        ("mean_us", 0.0),
        ("cpu_p10_us", -2.0),
        ("pass_ratio", 0.0),
        ("flags", ("odd",)),
        ("flops", -1),
        ("params", -1),
        ("onnx_sha256", "12"),
        ("blocks", (("aaaaaaaa", 1),)),
    ],
)
def test_each_field_of_an_entry_is_checked(field, value):
    with pytest.raises(ValueError, match=f"^{field} is"):
        replace(entry(), **{field: value})


@pytest.mark.parametrize("times", [0, 1 << 31, 10**400])
def test_blocks_occur_a_possible_number_of_times(times):
    with pytest.raises(ValueError, match=r"^blocks is .*each 1 to 2\*\*31 times"):
        entry("bbbbbbbb", "network", blocks=(("aaaaaaaa", times),))


def saved(folder):
    network = entry("bbbbbbbb", "network", blocks=(("aaaaaaaa", 2),))
    table(entry("aaaaaaaa"), network).save(folder)
    return folder


CELLS = {
    "key": "nothex", "kind": "network", "n": "1.5", "min_us": "nan", "p10_us": "inf", "p50_us": "1e999",
    "p90_us": "0x1", "mean_us": "", "cpu_p10_us": "-1", "pass_ratio": "a", "flags": "odd", "flops": "-3",
    "params": "many", "onnx_sha256": "abc", "blocks": "aaaaaaaa:1", "reason": "\x07",
}  # fmt: skip


@pytest.mark.parametrize("column", CELLS)
def test_a_damaged_cell_is_named_with_file_row_and_field(tmp_path, column):
    path = saved(tmp_path) / "entries.csv"
    header, row = (line.split(",") for line in path.read_text().splitlines())
    row[header.index(column)] = CELLS[column]
    path.write_text("\n".join([",".join(header), ",".join(row)]) + "\n")
    with pytest.raises(ValueError, match=rf"entries\.csv: row 1.*{column}"):
        LatencyTable.load(tmp_path)


def test_any_altered_number_is_noticed(tmp_path):
    path = saved(tmp_path) / "entries.csv"
    path.write_text(path.read_text().replace("100.0", "100.1"))
    with pytest.raises(ValueError, match="does not match table_id"):
        LatencyTable.load(tmp_path)


def edit_meta(folder, change):
    path = folder / "meta.json"
    meta = json.loads(path.read_text())
    change(meta)
    path.write_text(json.dumps(meta))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(schema_version=99), "schema_version is 99"),
        (lambda m: m.pop("environment"), "'environment' is missing"),
        (lambda m: m.update(surplus=1), "'surplus' is not known"),
        (lambda m: m["identity"]["device"].update(cores="two"), "'cores'.*not int"),
        (lambda m: m["identity"]["runtime"].pop("version"), "'version' is missing"),
        (lambda m: m["identity"]["protocol"].update(rounds=0), "rounds must be at least 1"),
        (lambda m: m["sentinels"].update({"sentinel-dense": -1.0}), "sentinels.*finite positive"),
        (lambda m: m.update(space="a\x1b[2J"), r"unprintable characters"),
        (lambda m: m.update(space="a" * 20_000), "space is 'a{60}'; it must be at most"),
        (lambda m: m.update(parents=["x"]), "'x' is not a table id"),
        (lambda m: m.update(table_id="0" * 64), "does not match table_id"),
    ],
)
def test_damaged_meta_is_named(tmp_path, change, message):
    edit_meta(saved(tmp_path), change)
    with pytest.raises(ValueError, match=message):
        LatencyTable.load(tmp_path)


@pytest.mark.parametrize("name", ["meta.json", "entries.csv", "networks.csv"])
def test_missing_binary_oversized_and_swapped_files(tmp_path, name):
    path = saved(tmp_path) / name
    path.write_bytes(b"\xff\xfe\x80")
    with pytest.raises(ValueError, match=f"{name}: not UTF-8"):
        LatencyTable.load(tmp_path)
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(ValueError, match="bytes are more than"):
        LatencyTable.load(tmp_path)
    path.write_text("[1, 2]\n")
    with pytest.raises(ValueError, match=name):
        LatencyTable.load(tmp_path)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        LatencyTable.load(tmp_path)


@pytest.mark.parametrize("name", ["meta.json", "entries.csv", "networks.csv"])
def test_links_and_pipes_are_not_read(tmp_path, name):
    path = saved(tmp_path) / name
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(ValueError, match=f"{name} is a link"):
        LatencyTable.load(tmp_path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ValueError, match=f"{name} is no plain file"):
        LatencyTable.load(tmp_path)


def test_duplicate_keys_and_short_rows(tmp_path):
    path = saved(tmp_path) / "entries.csv"
    text = path.read_text()
    path.write_text(text + text.splitlines()[1] + "\n")
    with pytest.raises(ValueError, match=r"row 2: key aaaaaaaa occurs twice"):
        LatencyTable.load(tmp_path)
    path.write_text(text + "a,b\n")
    with pytest.raises(ValueError, match="row 2: 2 fields"):
        LatencyTable.load(tmp_path)


def test_a_full_disk_names_the_folder_and_leaves_the_old_table(tmp_path, monkeypatch):
    saved(tmp_path)
    before = LatencyTable.load(tmp_path)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match=f"cannot save the latency table in {tmp_path}: No space left"):
        table(entry("cccccccc")).save(tmp_path)
    assert LatencyTable.load(tmp_path) == before
    assert {p.name for p in tmp_path.iterdir()} == {"meta.json", "entries.csv", "networks.csv"}


def test_a_table_of_another_device_is_refused(cpu):
    other = table(entry(), identity=replace(cpu.identity(), device=CARD))
    with pytest.raises(DeviceMismatchError, match=r"device\.model: 'A1', not"):
        other.require_same_device(cpu)
    table(entry(), identity=cpu.identity()).require_same_device(cpu)


def test_entries_stand_under_their_own_key():
    with pytest.raises(ValueError, match="stands under the key"):
        LatencyTable(table().meta, {"bbbbbbbb": entry("aaaaaaaa")})
    assert isinstance(entry(), Entry) and IDENTITY.protocol.id == "p10-v1"
