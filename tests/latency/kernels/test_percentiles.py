import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.latency.kernels.percentiles import percentiles


def test_within_a_microsecond_the_share_decides():
    assert percentiles(np.array([4.0] * 90 + [5.0] * 10), [50])[0] == pytest.approx(4.55, abs=0.01)
    assert percentiles(np.array([4.0] * 10 + [5.0] * 90), [50])[0] == pytest.approx(5.44, abs=0.01)


@given(st.lists(st.floats(0, 50), min_size=200, max_size=400), st.integers(0, 100))
def test_truncation_costs_little(times, seed):
    """Percentiles of truncated times are those of the times, to a fraction of the clock's step."""
    jittered = np.array(times) + np.random.default_rng(seed).random(len(times))
    found = percentiles(np.floor(jittered), [10, 50, 90])
    assert np.all(np.diff(found) >= 0)
    np.testing.assert_allclose(found, np.percentile(jittered, [10, 50, 90]), atol=1)
