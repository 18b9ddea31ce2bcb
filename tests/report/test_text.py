import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.report import text
from hwnas.search.records import MetricInfo


def test_quantities() -> None:
    latency = MetricInfo("latency_ms", "ms", False)
    said = [text.quantity(value, latency) for value in (3.414, None, math.nan, math.inf, -math.inf)]
    assert said == ["3.41 ms", "–", "–", "∞", "−∞"]
    assert text.percent(-0.0213, signed=True) == "−2.1 %"
    assert text.label("peak_sram_bytes") == "peak SRAM"


@given(st.text(), st.integers(4, 50))
def test_long_texts(words: str, width: int) -> None:
    assert len(text.shorten(words, width)) <= width
    lines = text.wrapped(words, width)
    assert "".join(lines) == words
    assert all(len(line) <= width for line in lines)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("p10-v1", "p10-v1"),
        ({"name": "onnxruntime", "version": "1.20"}, "onnxruntime 1.20"),
        ({"rounds": 3, "quick": True, "inner": {"a": None}}, "rounds 3, quick yes, inner.a not told"),
        (7, "7"),
        ([1, 0.5], "1, 0.5"),
    ],
)
def test_described(value: object, said: str) -> None:
    assert text.described(value) == said
