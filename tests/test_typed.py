from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.typed import check_settings, is_number, is_whole


class Takes:
    def __init__(
        self,
        whole: int = 1,
        number: float | None = None,
        word: str = "",
        truth: bool = False,
        words: Sequence[str] | None = None,
    ) -> None: ...


@pytest.mark.parametrize(
    "settings",
    [
        {"whole": 2},
        {"whole": np.int64(2)},
        {"number": None},
        {"number": 2},
        {"number": np.float32(0.5)},
        {"word": "w"},
        {"truth": True},
        {"words": None},
        {"words": ("a", "b")},
        {"of_somebody_else": 3},
    ],
)
def test_what_is_taken(settings):
    check_settings(Takes, settings, "it")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"whole": 1.5}, "it: whole must be a whole number, not 1.5"),
        ({"whole": True}, "whole number"),
        ({"whole": None}, "whole number, not None"),
        ({"number": float("nan")}, "it: number must be a finite number or None, not nan"),
        ({"number": "x"}, "finite number or None, not 'x'"),
        ({"word": 3}, "a word, not 3"),
        ({"truth": 1}, "True or False, not 1"),
        ({"words": 5}, r"several words, such as \(…,…\) or None, not 5"),
        ({"words": [1, 2]}, "several words"),
    ],
)
def test_what_is_refused(settings, says):
    with pytest.raises(ValueError, match=says):
        check_settings(Takes, settings, "it")


@given(st.one_of(st.integers(), st.floats(), st.booleans(), st.text()))
def test_a_whole_number_is_a_number(value):
    assert is_number(value) or not is_whole(value)
