import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.objectives import format_quantity, parse_quantity


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("5ms", "ms", 5.0),
        ("5", "ms", 5.0),
        ("0.5 s", "ms", 500.0),
        ("250us", "ms", 0.25),
        ("320kB", "bytes", 320 * 1024),
        ("1MB", "bytes", 1024**2),
        ("50M", "", 50e6),
        ("2e6", "", 2e6),
        ("90%", "fraction", 0.9),
        ("3mJ", "mJ", 3.0),
    ],
)
def test_units(text, unit, value):
    assert parse_quantity(text, unit) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("5kB", "ms"),
        ("ms", "ms"),
        ("", ""),
        ("5 5", ""),
        ("1e999", ""),
        ("nan", ""),
        ("5ms", ""),
        ("--5", "ms"),
    ],
)
def test_rejects(text, unit):
    with pytest.raises(ValueError, match=r"not|fit"):
        parse_quantity(text, unit)


@given(st.floats(1e-6, 1e15))
def test_a_bare_number_is_itself_in_every_unit(value):
    for unit in ("ms", "bytes", "mJ", "", "fraction"):
        assert parse_quantity(repr(value), unit) == value


@given(st.floats(1, 1e12))
def test_formatted_counts_read_back(value):
    assert math.isclose(parse_quantity(format_quantity(value), ""), value, rel_tol=6e-3)


@pytest.mark.parametrize(
    "value, text", [(1, "1 byte"), (1000, "1000 bytes"), (1024, "1.0 kB"), (0, "0 bytes")]
)
def test_bytes_below_a_kilobyte(value, text):
    assert format_quantity(value, "bytes") == text
