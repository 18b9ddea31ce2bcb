"""CSV files of anybody's."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.csv_rows import csv_records, csv_rows

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)


@given(st.lists(st.tuples(TEXT, TEXT), max_size=5))
def test_what_was_written_is_read(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("rows") / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("a", "b"), *rows])
    assert list(csv_rows(path, ("a", "b"), 1000)) == [
        (f"{path}: row {number}", list(row)) for number, row in enumerate(rows, start=1)
    ]
    assert csv_records(path, 1000) == [{"a": a, "b": b} for a, b in rows]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"rows\.csv: the columns are \[\]; they must be \['a', 'b'\]"),
        (b"a,c\n", "the columns are"),
        (b"a,b\n1,2\n3\n", r"rows\.csv: row 2: 1 fields; it must have 2"),
        (b'a,b\n"1', r"rows\.csv: not CSV"),
        (b"\xff", r"rows\.csv: not UTF-8"),
        (b"a,b\n" + b"1,2\n" * 300, "are more than the 1000"),
    ],
)
def test_what_is_no_such_file(tmp_path, content, message):
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        list(csv_rows(path, ("a", "b"), 1000))


def test_short_and_long_records(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n\n1\n1,2,3\n")
    assert csv_records(path, 1000) == [{"a": "1"}, {"a": "1", "b": "2"}]
