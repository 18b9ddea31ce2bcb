import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.oracles import MetricTable, read_table, save_table
from hwnas.spaces import BenchmarkOrder, NASBench201
from tests.oracles.records import FIRST, SECOND

DATA = Path(
    os.environ.get("HWNAS_TEST_DATA") or Path(__file__).resolve().parents[2].parent / "shared" / "data"
)


def write(folder: Path, content: bytes | str, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_numbers_are_metrics_and_texts_are_left_out(tmp_path: Path) -> None:
    text = 'index,arch,accuracy,params,synflow_reason\n0,"k=3,e=6",0.5,10,\n1,b,,20,all gradients vanish\n'
    table = read_table(write(tmp_path, text))
    assert table.architectures == ("k=3,e=6", "b")
    assert list(table.metrics) == ["accuracy", "params"]
    np.testing.assert_equal(table.column("accuracy"), [0.5, np.nan])
    np.testing.assert_equal(table.column("params"), [10.0, 20.0])


@pytest.mark.parametrize("header", ["architecture", "arch", "name", "cell"])
def test_the_column_of_architectures(tmp_path: Path, header: str) -> None:
    assert read_table(write(tmp_path, f"note_code,{header},loss\n1,a,2\n")).architectures == ("a",)


def test_a_named_column_goes_before_other_texts(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "device,name,architecture,ms\ncpu,x,a,1\n"))
    assert table.architectures == ("a",)


def test_architectures_that_look_like_numbers_stay_texts(tmp_path: Path) -> None:
    assert read_table(write(tmp_path, "arch,loss\n007,2\n")).architectures == ("007",)


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    columns = {
        "arch": pa.array(["a", "b"]).dictionary_encode(),
        "ms": pa.array([1, None], pa.int32()),
        "ok": pa.array([True, False]),
        "ops": pa.array([[1], [2]]),
    }
    pq.write_table(pa.table(columns), path)
    table = read_table(path)
    assert table.architectures == ("a", "b")
    assert list(table.metrics) == ["ms"]
    np.testing.assert_equal(table.column("ms"), [1.0, np.nan])


def test_an_unknown_column_lists_the_columns(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "arch,ms,params\na,1,2\n"))
    with pytest.raises(ValueError, match="has no column 'mj'; it has ms, params"):
        table.column("mj")


def test_values_cannot_be_written_over(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="read-only"):
        read_table(write(tmp_path, "arch,ms\na,1\n")).column("ms")[0] = 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "not CSV"),
        (b"arch,ms\n", "a header and no rows"),
        (b"arch,ms\na,1\nb\n", "not CSV"),
        (b"arch,ms\na,1,2\n", "not CSV"),
        (b"arch,ms\na,1\nb,2\na,3\n", "architecture a occurs twice, in rows 1 and 3"),
        (b"arch,ms\n,1\n", "row 1: column arch is empty"),
        (b"arch,ms\na,fast\n", "no column of numbers"),
        (b"arch,ms,ms\na,1,2\n", "column 'ms' occurs twice"),
        (b"ms,params\n1,2\n", "no column of architectures"),
        (b"index,ms\n0,1\n", "pass order="),
        (b"arch,ms\n\xff,1\n", "UTF-8"),
        (b"cell,ms\n\xff,1\n", "UTF-8"),
        (b"\xff,ms\na,1\n", "UTF-8"),
        ("arch,ms\na,1\n".encode("utf-16"), "not CSV in UTF-8"),
    ],
)
def test_what_is_no_table(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        read_table(write(tmp_path, content))
    assert "\n" not in str(caught.value)


def test_wrong_kinds_of_files(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is a folder"):
        read_table(tmp_path)
    with pytest.raises(ValueError, match=r"ends in .csv or .parquet, not in '.xlsx'"):
        read_table(write(tmp_path, "arch,ms\na,1\n", "table.xlsx"))
    with pytest.raises(ValueError, match="not a readable parquet file"):
        read_table(write(tmp_path, "arch,ms\na,1\n", "table.parquet"))
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / "none.csv")


def test_a_parquet_file_that_states_too_many_rows(tmp_path: Path) -> None:
    path = tmp_path / "bomb.parquet"
    pq.write_table(pa.table({"ms": np.zeros(10_000_001)}), path)
    assert path.stat().st_size < 1 << 20
    with pytest.raises(ValueError, match="states 10000001 rows, more than 10000000"):
        read_table(path)


def test_a_parquet_file_that_repeats_a_long_text(tmp_path: Path) -> None:
    path = tmp_path / "bomb.parquet"
    column = pa.DictionaryArray.from_arrays(np.zeros(1_000_000, np.int32), ["x" * 1_000_000])
    pq.write_table(
        pa.table({"note": column, "arch": column, "ms": np.zeros(1_000_000)}), path, store_schema=False
    )
    assert path.stat().st_size < 1 << 20
    with pytest.raises(ValueError, match="column arch names an architecture again in 999999 of 1000000 rows"):
        read_table(path)


def test_parquet_files_without_a_table(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    for columns in ({"arch": pa.array([], pa.string())}, {"ops": pa.array([[1]])}):
        pq.write_table(pa.table(columns), path)
        with pytest.raises(ValueError, match=r"table\.parquet has no"):
            read_table(path)


def test_an_index_is_resolved_by_the_order_of_its_benchmark(tmp_path: Path) -> None:
    rows = [{"index": 7, "arch": FIRST}, {"index": 3, "arch": SECOND}]
    order = BenchmarkOrder(NASBench201(), rows)
    table = read_table(write(tmp_path, "index,ms\n3,1.5\n7,2.5\n"), order=order)
    assert table.architectures == (SECOND, FIRST)
    assert list(table.metrics) == ["ms"]
    with pytest.raises(ValueError, match="has index 4"):
        read_table(write(tmp_path, "index,ms\n4,1.5\n"), order=order)
    with pytest.raises(ValueError, match="whole numbers"):
        read_table(write(tmp_path, "index,ms\n4.5,1.5\n"), order=order)


def test_a_table_checks_itself() -> None:
    with pytest.raises(ValueError, match=r"column ms has shape \(1,\) for 2 architectures"):
        MetricTable(("a", "b"), {"ms": np.zeros(1)})


texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n"), min_size=1, max_size=20
)
values = st.floats(allow_infinity=False, allow_nan=True)


@given(
    rows=st.dictionaries(texts, values, min_size=1, max_size=8),
    suffix=st.sampled_from([".csv", ".parquet"]),
)
def test_what_is_saved_is_read(
    rows: dict[str, float], suffix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("saved") / f"table{suffix}"
    table = MetricTable(tuple(rows), {"ms": np.array(list(rows.values())), "always": np.ones(len(rows))})
    save_table(table, path)
    again = read_table(path)
    assert again.architectures == table.architectures
    np.testing.assert_equal(again.column("always"), table.column("always"))
    if not np.isnan(table.column("ms")).all() or suffix == ".parquet":
        np.testing.assert_equal(again.column("ms"), table.column("ms"))


def test_saving_elsewhere_than_in_a_table(tmp_path: Path) -> None:
    table = MetricTable(("a",), {"ms": np.ones(1)})
    with pytest.raises(ValueError, match=r"ends in \.csv or \.parquet"):
        save_table(table, tmp_path / "table.json")


@pytest.mark.skipif(not (DATA / "nasbench201").is_dir(), reason=f"no benchmark tables in {DATA}")
def test_the_tables_of_nasbench201() -> None:
    space = NASBench201()
    accuracy = read_table(DATA / "nasbench201" / "cifar10_accuracy.csv")
    latency = read_table(DATA / "nasbench201" / "latency_ms.parquet")
    assert len({space.parse(text) for text in accuracy.architectures}) == 15_625
    assert accuracy.architectures == latency.architectures
    assert accuracy.column("test_accuracy")[1] == 93.66
    assert len(latency.metrics) == 19
    assert latency.column("1080ti_1")[0] == pytest.approx(10.754375)


def test_a_text_among_the_numbers_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "arch,accuracy,loss\na,0.5,1\nb,,2\nc,0.9 %,3\n")
    with pytest.raises(
        ValueError, match=r"table.csv: column accuracy: row 3 holds '0.9 %', which is no number"
    ):
        read_table(path).column("accuracy")
    assert list(read_table(path).metrics) == ["loss"]
    with pytest.raises(ValueError, match=r"no column of numbers.*; column accuracy: row 2 holds 'lots'"):
        read_table(write(tmp_path, "arch,accuracy\na,0.5\nb,lots\n"))


def test_numbers_stored_as_text_are_no_metric(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"arch": ["a"], "accuracy": ["0.5"], "loss": [1.0]}), path)
    with pytest.raises(ValueError, match="column accuracy: it holds text, not numbers"):
        read_table(path).column("accuracy")


@given(st.binary(min_size=1, max_size=200))
def test_no_error_holds_control_characters(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = write(tmp_path_factory.mktemp("binary"), b"arch,accuracy\n\x1b[31m,1,2\n" + content)
    with pytest.raises(ValueError) as caught:
        read_table(path)
    assert str(caught.value).isprintable()
