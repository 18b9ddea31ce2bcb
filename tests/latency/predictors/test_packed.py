from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hwnas.latency.predictors.packed import counts, distinct


@given(st.lists(st.lists(st.integers(0, 9)), max_size=6), st.sets(st.integers(0, 12)))
def test_numbers_are_counted_list_by_list(lists, wanted):
    packed = [np.array(numbers, dtype="<i4").tobytes() for numbers in lists]
    assert distinct(packed).tolist() == sorted({number for numbers in lists for number in numbers})
    found = counts(packed, np.array(sorted(wanted), dtype=np.int64))
    assert found.shape == (len(lists), len(wanted))
    assert found.tolist() == [[Counter(numbers)[number] for number in sorted(wanted)] for numbers in lists]
