"""No name or reason becomes a formula in a spreadsheet, and every one comes back as it was."""

import csv
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.latency import LatencyTable
from hwnas.latency.tables.entry import failed_entry, is_label

from ..helpers import entry, table

LABEL = st.builds(
    str.__add__, st.sampled_from(["", "=", "+", "-", "@", "'", "'="]), st.text(max_size=20)
).filter(is_label)


@given(LABEL, LABEL.filter(bool))
def test_round_trip_without_formulas(name, reason):
    made = table(entry("a" * 8, name=name), failed_entry("b" * 8, "network", name, reason))
    with tempfile.TemporaryDirectory() as folder:
        made.save(folder)
        for file in ("entries.csv", "networks.csv"):
            with (Path(folder) / file).open(newline="", encoding="utf-8") as lines:
                assert not [cell for row in csv.reader(lines) for cell in row if cell[:1] in tuple("=+-@")]
        assert LatencyTable.load(folder) == made


def test_a_formula_in_a_file_is_refused(tmp_path):
    table(entry("a" * 8, name="plain")).save(tmp_path)
    path = tmp_path / "entries.csv"
    path.write_text(path.read_text().replace("plain", "=plain"))
    with pytest.raises(ValueError, match=r"row 1: field 'name': '=plain' cannot be read"):
        LatencyTable.load(tmp_path)
