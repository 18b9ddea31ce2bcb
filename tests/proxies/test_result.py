import math

import pytest

from hwnas.proxies import ProxyResult


def result(value: float, reason: str | None) -> ProxyResult:
    return ProxyResult("p", value, True, "train", "float32", 0.1, reason, 1, ())


def test_a_reason_belongs_to_every_value_that_is_not_finite() -> None:
    assert result(1.0, None).reason is None
    assert result(-math.inf, "log(0)").reason == "log(0)"


@pytest.mark.parametrize(("value", "reason"), [(math.nan, None), (math.inf, None), (1.0, "why")])
def test_a_value_and_its_reason_must_agree(value: float, reason: str | None) -> None:
    with pytest.raises(ValueError, match="a reason belongs to every value that is not finite"):
        result(value, reason)
