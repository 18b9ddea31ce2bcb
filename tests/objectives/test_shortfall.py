"""What is said where constraints are not met."""

from hwnas.objectives import Constraint
from hwnas.objectives.shortfall import bounds_text, shortfall, tightest

CONSTRAINTS = [Constraint("peak_sram_bytes", 320 * 1024), Constraint("latency_ms", 5)]
UNITS = {"peak_sram_bytes": "bytes", "latency_ms": "ms"}


def test_bounds_and_values_have_units():
    assert bounds_text(CONSTRAINTS, UNITS) == "peak_sram_bytes <= 320.0 kB and latency_ms <= 5 ms"
    assert shortfall(CONSTRAINTS, UNITS, {"peak_sram_bytes": 400 * 1024, "latency_ms": 5}) == (
        "peak_sram_bytes 400.0 kB (25.0 % too much) and latency_ms 5 ms; peak_sram_bytes is the tightest limit"
    )


def test_what_is_not_known_is_left_out():
    assert shortfall(CONSTRAINTS, UNITS, {"latency_ms": 5.001}) == "latency_ms 5 ms (0.02 % too much)"
    assert tightest(CONSTRAINTS, {"latency_ms": 9}).metric == "latency_ms"
