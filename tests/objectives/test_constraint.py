import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.objectives import Constraint

UNITS = {"latency_ms": "ms", "params": "", "peak_sram_bytes": "bytes"}


@pytest.mark.parametrize(
    ("text", "metric", "bound"),
    [
        ("latency_ms <= 5", "latency_ms", 5.0),
        ("latency_ms<=5ms", "latency_ms", 5.0),
        (" latency_ms ≤ 5000 us ", "latency_ms", 5.0),
        ("params <= 2e6", "params", 2e6),
        ("params <= 2M", "params", 2e6),
        ("peak_sram_bytes <= 320kB", "peak_sram_bytes", 327_680.0),
    ],
)
def test_parse(text, metric, bound):
    assert Constraint.parse(text, UNITS) == Constraint(metric, bound)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("latency_ms", "form"),
        ("<= 5", "form"),
        ("latency_ms <=", "form"),
        ("latency_ms >= 5", "upper"),
        ("latency_ms < 5", "upper"),
        ("latency_ms = 5", "upper"),
        ("latencyms <= 5", "unknown metric"),
        ("latency_ms <= 5kB", "fit"),
        ("latency_ms <= five", "number"),
        ("latency_ms <= -1", "above 0"),
        ("latency_ms <= 0", "above 0"),
        ("params <= 1; import os", "number"),
    ],
)
def test_malformed(text, says):
    with pytest.raises(ValueError, match=says):
        Constraint.parse(text, UNITS)


@given(st.floats(0.001, 1e6), st.floats(0, 1e6))
def test_violation_is_zero_exactly_within(bound, value):
    violation = Constraint("latency_ms", bound).violation(value)
    assert (violation == 0) == (value <= bound) or math.isclose(value, bound)


def test_nan_violates():
    assert Constraint("params", 1).violation(math.nan) == math.inf


@given(st.floats(0.001, 1e6))
def test_text_reads_back(bound):
    constraint = Constraint("latency_ms", float(f"{bound:g}"))
    assert Constraint.parse(str(constraint), UNITS) == constraint
